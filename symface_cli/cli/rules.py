"""Which options of a command go together: what would have no effect is refused, instead of dropped silently.

Only what is given on the command line is refused. A value that comes from a file or a variable is meant for the cases
in which it applies, and is left out in the others.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.core import TyperArgument, TyperOption

from symface_cli.errors import UsageError
from symface_cli.files import is_film

Values = Mapping[str, Any]
"""The values of a command's parameters, by the names that its function has for them."""


class Rule(NamedTuple):
    """Options that have no effect in a case.

    Attributes:
        cause: The parameter that makes the case.
        applies: Whether it is the case, for the values of all parameters.
        options: The parameters without effect.
        message: What is said of each; {option} and {cause} stand for the two, as a user writes them.
    """

    cause: str
    applies: Callable[[Values], bool]
    options: tuple[str, ...]
    message: str = "{option} does not go with {cause}"


def _is_landmark_method(values: Values) -> bool:
    from symface_cli.methods.network import find_network_method

    if find_network_method(values["method"]) is not None:
        return False
    from symface_cli.methods.registry import find_method

    find_method(values["method"])
    return True


def _needs_no_weights(values: Values) -> bool:
    from symface_cli.methods.registry import need_weights

    return bool(values["method"]) and not need_weights(values["method"])


_NO_FILE = (None, Path("-"))


def _is_part(values: Values) -> bool:
    return values["shard"] is not None


def _has_films(values: Values) -> bool:
    return any(map(is_film, values["photos"]))


_ONE_REPORT = Rule(
    "shard", _is_part, ("report",), "{option} needs all photos: run symface merge FOLDER --report FILE after the shards"
)
_ONE_SOURCE = Rule("data", lambda values: values["data"] is not None, ("download",))

RULES: Mapping[str, tuple[Rule, ...]] = {
    "symmetrize": (
        Rule(
            "photos",
            _has_films,
            (
                *("continuum", "gif", "compare", "preview", "faces", "min_face", "box", "eyes", "resume", "checksum"),
                *("report", "check_identity", "measure", "jobs", "shard", "method", "model_dir"),
            ),
            "{option} does not go with films",
        ),
        Rule(
            "photos",
            lambda values: not _has_films(values),
            ("person", "start", "end", "codec", "crf"),
            "{option} is for films",
        ),
        Rule(
            "method",
            _is_landmark_method,
            (
                *("shape", "color", "side", "detail", "pose", "continuum", "gif", "compare", "preview"),
                *("size", "background"),
                *("min_face", "box", "eyes", "check_identity", "measure", "weights", "device", "engine"),
            ),
        ),
        Rule(
            "method",
            lambda values: _is_landmark_method(values) and set(values["output"] or ()) != {"face"},
            ("output",),
            "{cause} gives --output face alone",
        ),
        Rule(
            "preview",
            lambda values: values["preview"],
            (
                *("output", "method", "shape", "color", "side", "detail", "pose", "continuum", "gif"),
                *("compare", "size", "background", "faces"),
            ),
        ),
        Rule(
            "method",
            lambda values: values["method"] not in ("vae", f"vae-{values['side']}"),
            ("side",),
        ),
        Rule(
            "output",
            lambda values: "face" not in (values["output"] or ()),
            ("size", "background"),
            "{option} needs --output face",
        ),
        Rule(
            "gif",
            lambda values: values["gif"] and values["background"] == "transparent",
            ("background",),
            "{option} transparent does not go with {cause}; give a color",
        ),
        Rule("eyes", lambda values: values["eyes"] is not None, ("box", "min_face", "faces")),
        Rule("box", lambda values: values["box"] is not None, ("min_face", "faces")),
        Rule("resume", lambda values: not values["resume"], ("checksum",), "{option} needs {cause}"),
        _ONE_REPORT,
    ),
    "measure": (
        Rule(
            "video",
            lambda values: values["video"],
            (
                *("session", "heatmap", "overlay", "points_path", "out_path", "given_path", "faces", "resume"),
                *("jobs", "shard"),
            ),
        ),
        Rule(
            "video",
            lambda values: not values["video"],
            ("every", "start", "end", "person", "max_yaw", "rest", "smooth", "chart", "rate"),
            "{option} needs {cause}",
        ),
        Rule(
            "session",
            lambda values: values["session"] is not None,
            ("heatmap", "overlay", "out_path", "resume", "shard", "photos"),
        ),
        Rule("points_path", lambda values: values["points_path"] is not None, ("resume",)),
        Rule(
            "session",
            lambda values: values["session"] is None and not values["video"],
            ("report",),
            "{option} needs {cause} FILE, or --video",
        ),
        Rule(
            "heatmap",
            lambda values: not (values["heatmap"] or values["overlay"]),
            ("out_path",),
            "{option} is where pictures go: add {cause} or --overlay, or use --json FILE or --csv FILE",
        ),
        Rule(
            "csv_path",
            lambda values: values["csv_path"] in _NO_FILE and values["json_path"] in _NO_FILE,
            ("resume",),
            "{option} needs a table to go on with: {cause} FILE or --json FILE",
        ),
        Rule(
            "csv_path",
            lambda values: values["csv_path"] in _NO_FILE and values["json_path"] in _NO_FILE,
            ("shard",),
            "{option} needs a table of its own: {cause} FILE or --json FILE",
        ),
    ),
    "label": (_ONE_SOURCE,),
    "train": (
        _ONE_SOURCE,
        Rule("resume", lambda values: values["resume"], ("init",)),
        Rule("stage", lambda values: values["stage"] == 1, ("teacher",), "{option} does not go with {cause} 1"),
        Rule("clean", lambda values: values["clean"] is not None, ("segmentation",)),
    ),
    "evaluate": (
        _ONE_SOURCE,
        Rule(
            "midline",
            lambda values: values["midline"],
            (
                *("split", "recognizer", "occluder", "output", "segmentation", "groups"),
                *("run", "resume", "report_path", "shard"),
            ),
        ),
        Rule(
            "shard",
            _is_part,
            ("json_path", "markdown_path", "report_path", "groups"),
            "{option} needs all photos: run symface merge after the shards, then evaluate with --resume",
        ),
        Rule("method", _needs_no_weights, ("weights",), "{option} does not go with landmark methods alone"),
        Rule(
            "output",
            lambda values: "photo" not in (values["output"] or ()),
            ("segmentation",),
            "{option} needs --output photo",
        ),
    ),
}
"""The rules of each command; a rule sees what those before it have left."""


def check_options(context: typer.Context) -> None:
    """Check all parameters of a command; those that do not apply and come from elsewhere get their defaults.

    Raises:
        UsageError: If one that has no effect is given on the command line, and not as it is by default.
    """
    for rule in RULES.get(context.info_name or "", ()):
        if rule.applies(context.params):
            for option in rule.options:
                leave_out(context, option, rule.message, rule.cause)


def leave_out(context: typer.Context, option: str, message: str, cause: str = "") -> None:
    """Give a parameter without effect its default.

    Args:
        context: Of the command.
        option: The parameter's name.
        message: What is said if it is refused, as in `Rule`.
        cause: The name of the parameter because of which it has no effect.

    Raises:
        UsageError: If it is given on the command line, and not as it is by default.
    """
    parameters = {parameter.name: parameter for parameter in context.command.params}
    parameter, value = parameters[option], context.params[option]
    is_list = isinstance(parameter, TyperOption) and parameter.multiple
    default = () if is_list and parameter.default is None else parameter.default
    source = context.get_parameter_source(option)
    if source is not None and source.name == "COMMANDLINE" and value != default:
        told = message.format(
            option=_written(parameter, value),
            cause=_written(parameters[cause], context.params[cause]) if cause else "",
        )
        raise UsageError(told)
    context.params[option] = default


def _written(parameter: object, value: object) -> str:
    """Write a parameter as a user does; a choice with its value."""
    if isinstance(parameter, TyperArgument):
        return str(parameter.metavar)
    assert isinstance(parameter, TyperOption)
    if parameter.is_bool_flag:
        return max(parameter.opts if value or not parameter.secondary_opts else parameter.secondary_opts, key=len)
    flag = max(parameter.opts, key=len)
    return f"{flag} {value}" if flag == "--method" and isinstance(value, str) else flag
