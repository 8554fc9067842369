"""Templates of the HTML pages that symface writes."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template


def load_template(package: str, name: str) -> Template:
    """Load a template that lies beside the modules of a package, or here for all.

    It escapes values, and refuses undefined ones.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader(__package__, "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
