"""The data set that a command works on: named by the user or downloaded, and unpacked, with a progress bar."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from symface_cli.cli.console import err
from symface_cli.cli.options import DATA
from symface_cli.errors import UsageError

DataArgument = Annotated[
    Path | None,
    typer.Argument(metavar="DATA", help="A folder of photos, one sub-folder per person, or an archive of one."),
]
DownloadOption = Annotated[
    Literal["lfw"] | None,
    typer.Option("--download", help="Download this data set instead of naming DATA.", rich_help_panel=DATA),
]


def find_dataset(data: Path | None, download: str | None) -> Path:
    """The folder of the data set.

    Raises:
        UsageError: If it is not exactly one of the two that is given.
        DataError: If it does not exist, cannot be downloaded or cannot be unpacked.
    """
    if (data is None) == (download is None):
        raise UsageError("give either DATA, a folder of photos or an archive of one, or --download lfw")
    from symface_cli.data.datasets import open_dataset
    from symface_cli.data.lfw import LFW, fetch_lfw

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        observer = _Observer(bar)
        if data is None:
            err.print(LFW.license, soft_wrap=True)
            data = fetch_lfw(observer.show)
        return open_dataset(data, observer.show)


class _Observer:
    """Shows each thing that is done as a line, and how far it is as a progress bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int | None) -> None:
        if what not in self._tasks:
            err.print(what, soft_wrap=True)
            self._tasks[what] = self._bar.add_task(what.split()[0], total=total)
        self._bar.update(self._tasks[what], completed=done, total=total)
