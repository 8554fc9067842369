"""The command `symface`: its commands, and the one place where errors become messages and exit statuses."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from symface_cli import __version__
from symface_cli.commands.evaluate import evaluate
from symface_cli.commands.symmetrize import symmetrize
from symface_cli.commands.train import train
from symface_cli.console import out, print_error
from symface_cli.errors import ExitStatus, SymfaceError

app = typer.Typer(
    help="Makes faces in photos symmetric, with a network that looks at the whole image.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(symmetrize)
app.command()(train)
app.command()(evaluate)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"symface {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status; any other exception is a bug and shows its traceback."""
    try:
        status = app(list(argv) if argv is not None else None, prog_name="symface", standalone_mode=False)
    except SymfaceError as error:
        print_error(str(error))
        return error.status
    except TyperException as error:
        print_error(f"{error.format_message()} See symface --help.")
        return ExitStatus.USAGE
    except BrokenPipeError:  # the reader of our results has gone: nobody is left to tell
        sys.stderr.close()
        return ExitStatus.PHOTO
    if status == ExitStatus.INTERRUPTED:  # what Typer makes of Ctrl-C
        print_error("interrupted")
    return status if isinstance(status, int) else ExitStatus.OK


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
