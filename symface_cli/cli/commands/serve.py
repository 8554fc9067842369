"""`symface serve`: a page on this machine, and the same as an API."""

import threading
import webbrowser
from typing import Annotated

import typer

from symface_cli.cli.console import print_error, print_text, show_tracebacks
from symface_cli.cli.options import DebugOption, DeviceOption, ModelDirOption, WeightsOption
from symface_cli.errors import MissingExtraError, UsageError

WHO = "Who may ask"
HOW_MUCH = "How much is taken"


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0 for a free one.", rich_help_panel=WHO)
    ] = 8137,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Listen on another address; then a token is needed.", rich_help_panel=WHO),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What has to be shown, better as SYMFACE_SERVE_TOKEN. [default: none here, a new one elsewhere]",
            rich_help_panel=WHO,
        ),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open the page in the browser.", rich_help_panel=WHO),
    ] = True,
    upload_mb: Annotated[
        int, typer.Option(min=1, max=2000, metavar="MB", help="Largest picture.", rich_help_panel=HOW_MUCH)
    ] = 100,
    keep: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="MINUTES",
            help="For how long a page's photos are kept in memory after their last use.",
            rich_help_panel=HOW_MUCH,
        ),
    ] = 30,
    time_limit: Annotated[
        int,
        typer.Option(min=1, metavar="SECONDS", help="In which a request has to be done.", rich_help_panel=HOW_MUCH),
    ] = 60,
    jobs: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            show_default=False,
            help="Number of processes. [default: one per core, at most 4]",
            rich_help_panel=HOW_MUCH,
        ),
    ] = 0,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    model_dir: ModelDirOption = None,
    debug: DebugOption = False,
) -> None:
    """Serve a page on this machine, on which photos are made symmetric and measured; and an API for other programs.

    Nothing leaves this machine, and nothing is fetched. Photos are in memory alone. Ctrl-C ends it.
    """
    show_tracebacks(debug)
    try:
        from symface_cli.serve.limits import MIB, Limits
        from symface_cli.serve.server import Server, ServerOptions
        from symface_cli.serve.work.jobs import Setup
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"serving needs {error.name}", "web") from error
    if token is not None and not token.isascii():
        raise UsageError("--token: use ASCII alone")
    server = Server(
        ServerOptions(
            host=host,
            port=port,
            token=token or None,
            jobs=jobs,
            setup=Setup(weights, device, model_dir),
            limits=Limits(upload_bytes=upload_mb * MIB, kept_seconds=60 * keep, working_seconds=time_limit),
        ),
        print_error,
    )

    def tell() -> None:
        print_text(server.address)
        if browser:
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()

    server.run(tell)
