"""`symface evaluate`: how well symmetric faces keep the person's identity."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from symface_cli.console import err, out, print_error
from symface_cli.errors import ExitStatus, PhotoError
from symface_cli.options import WeightsOption

if TYPE_CHECKING:
    from symface_cli.evaluation.protocol import Examined, Plan
    from symface_cli.evaluation.report import Report
    from symface_cli.training.preparation import TrainingPhoto

WIDEST = 1000  # columns; a table that is not read on a terminal is never folded


def evaluate(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of photos, one sub-folder per person.")],
    method: Annotated[
        list[str] | None,
        typer.Option("--method", metavar="NAME", help="A method; may be repeated. [default: vae, vae-decode]"),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option("--baseline", metavar="NAME", help="The methods of a landmark provider, or all; may be repeated."),
    ] = None,
    recognizer: Annotated[str, typer.Option(metavar="NAME", help="Who recognises the faces.")] = "dlib",
    split: Annotated[
        str, typer.Option(metavar="NAME", help="Whose photos: those of test, validation or train persons, or all.")
    ] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only so many photos, evenly spaced. [default: all]")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Processes, each on one core; 0: one per core.")] = 0,
    weights: WeightsOption = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers and each photo's distances.")
    ] = None,
    markdown_path: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the table as Markdown.")
    ] = None,
) -> int:
    """Measure how well symmetric faces keep the person's identity.

    A face counts as recognised when a face recogniser says that it is the person in the photo; faces that are not
    found count as not recognised.
    """
    from symface_cli.evaluation.methods import baselines, choose_methods, files_of
    from symface_cli.evaluation.protocol import Plan, choose_photos
    from symface_cli.evaluation.recognisers import find_recogniser
    from symface_cli.evaluation.report import summarise

    names = list(method or ("vae", "vae-decode"))
    names += [name for provider in baseline or () for name in baselines(provider)]
    find_recogniser(recognizer)
    plan = Plan(choose_methods(names), recognizer, weights, jobs)
    _fetch_models(files_of(plan.methods))
    report = summarise(plan, _run(choose_photos(data, split, limit), plan))
    _print(report)
    _write(report, json_path, markdown_path)
    return PhotoError.status if report.unreadable else ExitStatus.OK


def _fetch_models(files: Iterable[str]) -> None:
    """Downloads the model files that are not here yet, after showing their licences."""
    from symface_cli.landmarks.models import Download, locate

    told = set()

    def show(download: Download) -> None:
        if download.file not in told:
            told.add(download.file)
            err.print(f"downloading {download.file.name}: {download.file.source.licence}", soft_wrap=True)

    for file in files:
        locate(file, show)


def _run(photos: "list[TrainingPhoto]", plan: "Plan") -> "list[Examined]":
    from symface_cli.evaluation.protocol import evaluate

    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("evaluating", total=len(photos))
        return list(evaluate(photos, plan, lambda done, total: bar.update(task, completed=done, total=total)))


def _print(report: "Report") -> None:
    """The table on stdout; on stderr what was counted, and the photos that could not be read."""
    from symface_cli.evaluation.report import describe, table_header, table_rows

    for line in report.unreadable:
        print_error(line)
    table = Table()
    for i, heading in enumerate(table_header(report)):
        table.add_column(heading, justify="right" if i else "left")
    for row in table_rows(report):
        table.add_row(*row)
    if not out.is_terminal:
        table.width = Measurement.get(out, out.options.update(width=WIDEST), table).maximum
    if report.scores:
        out.print(table)
    err.print(describe(report))


def _write(report: "Report", json_path: Path | None, markdown_path: Path | None) -> None:
    import json

    from symface_cli.evaluation.report import as_dict, as_markdown
    from symface_cli.images import write_atomically

    if json_path is not None:
        write_atomically(json_path, (json.dumps(as_dict(report), indent=1, allow_nan=False) + "\n").encode())
    if markdown_path is not None:
        write_atomically(markdown_path, as_markdown(report).encode())
