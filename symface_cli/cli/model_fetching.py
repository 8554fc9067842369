"""Published model files that a command needs: licenses shown, then downloaded with a progress bar."""

import os
from collections.abc import Iterable
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from symface_cli.cli.console import err
from symface_cli.data.published import Download, locate


def fetch_models(names: Iterable[str], folder: Path | None = None) -> None:
    """Downloads the files that are not here yet.

    Args:
        names: Names of published files.
        folder: The user's own, into which this process and its workers look first.

    Raises:
        WeightsError: If one cannot be had.
    """
    if folder is not None:
        os.environ["SYMFACE_MODEL_DIR"] = str(folder.resolve())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        observer = _Observer(bar)
        for name in names:
            locate(name, observer.show)


class _Observer:
    """Shows downloads: each file's license once, and how far it is."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def show(self, download: Download) -> None:
        name = download.file.name
        if name not in self._tasks:
            err.print(f"downloading {name}: {download.file.source.license}", soft_wrap=True)
            self._tasks[name] = self._bar.add_task(name, total=download.total)
        self._bar.update(self._tasks[name], completed=download.done, total=download.total)
