"""Templates of the HTML pages that symface writes."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def load_template(folder: str, name: str) -> Template:
    """A template of a folder of the package; what is put in is escaped, and what is missing is an error."""
    environment = Environment(
        loader=PackageLoader("symface_cli", folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
