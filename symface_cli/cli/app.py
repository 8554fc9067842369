"""The command `symface`: its sub-commands, and the one place that turns errors into messages and exit statuses."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup, TyperOption
from typer.exceptions import TyperException

from symface_cli.cli import help_texts as manual
from symface_cli.cli.command import SymfaceCommand, on_cluster
from symface_cli.cli.commands.asymmetry import asymmetry
from symface_cli.cli.commands.doctor import doctor
from symface_cli.cli.commands.evaluate import evaluate
from symface_cli.cli.commands.label import label
from symface_cli.cli.commands.measure import measure
from symface_cli.cli.commands.merge import merge
from symface_cli.cli.commands.serve import serve
from symface_cli.cli.commands.symmetrize import symmetrize
from symface_cli.cli.commands.train import train
from symface_cli.cli.config import Kind, find_config, read_config, variable_of
from symface_cli.cli.console import print_error, print_text
from symface_cli.doctor.checks import Settings
from symface_cli.errors import ExitStatus, UnexpectedError, failure_of
from symface_cli.version import __version__

app = typer.Typer(
    help="Makes faces in photos symmetric, with a network that looks at the whole image.",
    epilog=manual.SYMFACE,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is half as long, and takes [default: ...] for what it is
    context_settings={"help_option_names": ["-h", "--help"]},
)
_command = partial(app.command, cls=SymfaceCommand)
_command(short_help="Make the faces in photos symmetric.", epilog=manual.SYMMETRIZE)(symmetrize)
_command(short_help="Measure how asymmetric faces are.", epilog=manual.MEASURE)(measure)
_command(short_help="Analyze the asymmetry of a sample of people.", epilog=manual.ASYMMETRY)(asymmetry)
_cluster = typer.Typer(rich_markup_mode=None, epilog=manual.CLUSTER)
_on_cluster = partial(_cluster.command, cls=SymfaceCommand)
_on_cluster(short_help="symmetrize, on a cluster.")(on_cluster(symmetrize))
_on_cluster(short_help="measure, on a cluster.")(on_cluster(measure))
app.add_typer(_cluster, name="cluster", short_help="Do it on a Ray cluster.", help=manual.CLUSTER_HELP)
_command(short_help="Make one of what was made in shards.", epilog=manual.MERGE)(merge)
_command(short_help="Find the faces in training photos.", epilog=manual.LABEL)(label)
_command(short_help="Train one stage of the network.", epilog=manual.TRAIN)(train)
_command(short_help="Measure how well identity is kept.", epilog=manual.EVALUATE)(evaluate)
_command(short_help="Serve a page on this machine.", epilog=manual.SERVE)(serve)
_command(short_help="Check the installation.", epilog=manual.DOCTOR)(doctor)

Options = Mapping[str, Mapping[str, TyperOption]]
"""The options of each command, by their long names without dashes."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print_text(f"symface {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="SYMFACE_CONFIG",
            help="Take options from this file. [default: symface.toml, if there is one here]",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    options = _find_options(context.command)
    variables = _read_variables(options)
    variables |= _read_variables(_find_options(context.command.commands["cluster"]))  # type: ignore[attr-defined]
    path = find_config(config)
    if path is not None:
        values = read_config(path, {name: _kinds(of_command) for name, of_command in options.items()})
        context.default_map = {
            command: {options[command][key].name: value for key, value in table.items()}
            for command, table in values.items()
        }
        context.default_map["cluster"] = dict(context.default_map)  # its commands take what they are called after
    context.obj = Settings(path, variables)


def _find_options(group: object) -> Options:
    assert isinstance(group, TyperGroup)
    return {
        name: {
            max(option.opts, key=len).lstrip("-"): option
            for option in command.params
            if isinstance(option, TyperOption)
        }
        for name, command in group.commands.items()
        if not isinstance(command, TyperGroup)
    }


def _kinds(options: Mapping[str, TyperOption]) -> dict[str, Kind]:
    return {
        name: Kind.SWITCH if option.is_bool_flag else Kind.VALUES if option.multiple else Kind.VALUE
        for name, option in options.items()
    }


def _read_variables(options: Options) -> frozenset[str]:
    """Let each option be given by an environment variable, and return the names of the variables."""
    names: set[str] = set()
    for command, of_command in options.items():
        for name, option in of_command.items():
            if option.envvar is None:
                option.envvar, option.show_envvar = variable_of(command, name), False  # the help would double in length
            names.update([option.envvar] if isinstance(option.envvar, str) else option.envvar)
    return frozenset(names)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; what nobody foresaw is a bug, and shows its traceback."""
    if not (sys.argv[1:] if argv is None else argv):
        argv = ["--help"]
    try:
        status = app(list(argv) if argv is not None else None, prog_name="symface", standalone_mode=False)
    except TyperException as error:
        message = " ".join(error.format_message().split())
        print_error(f"{_origin(error)}{message.rstrip('.')}. See symface --help.")
        return ExitStatus.USAGE
    except SystemExit as end:  # what Typer makes of a closed pipe, when it shows help
        return ExitStatus.PHOTO if end.code == 1 else ExitStatus.OK
    except Exception as error:  # the file system's and lack of memory are no bugs, wherever they are met
        failure = failure_of(error)
        if isinstance(failure, UnexpectedError):
            raise
        print_error(failure)
        return failure.status
    if status == ExitStatus.INTERRUPTED:  # what Typer makes of Ctrl-C
        print_error("interrupted")
    return status if isinstance(status, int) else ExitStatus.OK


def _origin(error: TyperException) -> str:
    """Return where a refused value comes from, for a message; empty if that is the command line."""
    if not isinstance(error, typer.BadParameter) or error.ctx is None or error.param is None:
        return ""
    source = error.ctx.get_parameter_source(error.param.name)
    if source is not None and source.name == "DEFAULT_MAP":
        return f"{error.ctx.obj.config}: [{error.ctx.info_name}] "
    if source is not None and source.name == "ENVIRONMENT":
        return f"{error.param.envvar}: "
    return ""


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
