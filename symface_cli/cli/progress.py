"""Progress bars on stderr: everything that symface shows of how far it is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from symface_cli.cli.console import err, print_line
from symface_cli.files import on_one_line

T = TypeVar("T")


class _Rate(ProgressColumn):
    """How many photos, or frames, are done per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} {self._unit}/s" if task.speed else "")


@contextmanager
def count_photos(what: str, shown: bool = True, unit: str = "photos") -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on a terminal, and give a function to call with how many photos are done, and of how many."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(unit), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (shown and err.is_terminal)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def follow(results: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the results of photos as they come, and show how many there are; no bar for a single one."""
    with count_photos(what, shown=total > 1) as show:
        show(0, total)
        for done, result in enumerate(results, 1):
            yield result
            show(done, total)


@contextmanager
def count_bytes(shown: bool = True) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar for each file, and give a function to call with what is done, how many bytes are, and of how many.

    What is done, such as "unpacking lfw.tgz", is also printed as a line when it begins, without a terminal, too.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (shown and err.is_terminal)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                if shown:
                    print_line(what)
                tasks[what] = bar.add_task(_name_file(what), total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show


def _name_file(what: str) -> str:
    """Return the file's name in "unpacking NAME", "downloading ADDRESS" or "downloading NAME: LICENSE"."""
    return on_one_line(what.partition(" ")[2].partition(": ")[0].rpartition("/")[2])


class PhaseBar:
    """A bar for one phase of a work after the other, with a note behind it; it stays when it ends.

    Args:
        shown: Whether there is one at all.
    """

    def __init__(self, shown: bool = True) -> None:
        name = TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=12))
        columns = (name, BarColumn(10), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[note]}"), console=err, disable=not shown)

    def start(self) -> None:
        """Show it from now on."""
        self._progress.start()

    def stop(self) -> None:
        """Leave it as it is."""
        self._progress.stop()

    def show(self, phase: str, done: int, total: int, note: str = "") -> None:
        """Show how many steps of a phase are done; a bar of another phase goes."""
        tasks = self._progress.tasks
        if not tasks or tasks[0].description != phase:
            for task in tasks:
                self._progress.remove_task(task.id)
            self._progress.add_task(phase, total=total, note=note)
        self._progress.update(self._progress.tasks[0].id, completed=done, note=note)
