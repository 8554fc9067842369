"""A command of symface: its options are shown in groups, and checked together before it runs; also on a cluster."""

import inspect
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from symface_cli.cli.rules import check_options, leave_out
from symface_cli.errors import UsageError

if TYPE_CHECKING:
    from typer._click import HelpFormatter

    from symface_cli.batch.targets import Targets
    from symface_cli.cluster.spreading import Cluster

CLUSTER = "Cluster"
_KEY = "symface.cluster"

AddressOption = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="auto|local|ray://HOST:PORT",
        envvar="SYMFACE_CLUSTER_ADDRESS",
        show_envvar=False,
        help="Where the cluster is; auto: the one this machine is in; local: one that is started here.",
        rich_help_panel=CLUSTER,
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--num-workers",
        min=0,
        metavar="N",
        envvar="SYMFACE_CLUSTER_NUM_WORKERS",
        show_envvar=False,
        show_default=False,
        help="Photos at a time, each on one core. [default: one per core of the cluster]",
        rich_help_panel=CLUSTER,
    ),
]


class SymfaceCommand(TyperCommand):
    """A command with its options in the groups that their `rich_help_panel` names, which plain help leaves out."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command, unless options do not go together."""
        check_options(ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: typer.Context, formatter: "HelpFormatter") -> None:  # type: ignore[override]
        """Write arguments and groups of options in the order in which they first come; the others at the end."""
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        others = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if not isinstance(parameter, TyperOption):
                groups["Arguments"].append(record)
            elif parameter.rich_help_panel is None:
                others.append(record)
            else:
                groups.setdefault(parameter.rich_help_panel, []).append(record)
        for title, records in (*groups.items(), ("Other" if len(groups) > 1 else "Options", others)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def on_cluster(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command that does the same on a cluster: it has the same options, and those that say which."""

    @wraps(command)
    def run(*, context: typer.Context, address: str, num_workers: int, **options: Any) -> int:
        for option in ("jobs", "shard"):
            leave_out(context, option, "{option} does not go with a cluster; give --num-workers")
            options[option] = context.params[option]
        context.meta[_KEY] = address, num_workers
        return command(context=context, **options)

    added = {"address": (AddressOption, "auto"), "num_workers": (WorkersOption, 0)}
    signature = inspect.signature(command)
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in added.items()
    ]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *parameters])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **{name: pair[0] for name, pair in added.items()}}
    return run


def is_on_cluster(context: typer.Context) -> bool:
    """Tell whether a command runs on a cluster."""
    return _KEY in context.meta


@contextmanager
def interrupted_by_terminating() -> Iterator[None]:
    """Have SIGTERM end the work as Ctrl-C does, so that nothing half done is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def find_cluster(
    context: typer.Context, targets: "Targets", folder: Path | None, resume: bool
) -> Iterator["Cluster | None"]:
    """Connect to the cluster that the command runs on while the context lasts; none for the usual commands.

    Args:
        context: Of the command.
        targets: The photos.
        folder: Where the results go, or the table; None if there is no such place.
        resume: Whether to go on with a job that was stopped.

    Raises:
        UsageError: If there is no cluster, or it cannot see photos or results.
    """
    if not is_on_cluster(context):
        yield None
        return
    from symface_cli.cluster.connection import ClusterSettings, connected
    from symface_cli.cluster.spreading import Cluster, check_targets

    if folder is None:
        raise UsageError("a cluster needs a place for results that all its nodes see: a folder or store with -o")
    check_targets(targets)
    with connected(ClusterSettings(*context.meta[_KEY])) as crew:
        yield Cluster(crew=crew, folder=folder, resume=resume)
