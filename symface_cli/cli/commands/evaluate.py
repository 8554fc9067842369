"""`symface evaluate`: how well symmetric faces keep the person's identity."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from symface_cli.cli.console import err, print_error
from symface_cli.cli.fetching import DataArgument, DownloadOption, find_dataset
from symface_cli.cli.options import ModelDirOption, WeightsOption, complete_methods
from symface_cli.cli.progress import count_photos
from symface_cli.cli.tables import print_table
from symface_cli.errors import ExitStatus, PhotoError, UsageError

if TYPE_CHECKING:
    from symface_cli.data.datasets import DatasetPhoto
    from symface_cli.evaluation.protocol import EvaluationPlan, ExaminedPhoto, Memory
    from symface_cli.evaluation.scores import Report


class Written(NamedTuple):
    """The files that are asked for."""

    json: Path | None
    markdown: Path | None
    report: Path | None


def evaluate(
    data: DataArgument = None,
    download: DownloadOption = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAME",
            autocompletion=complete_methods,
            help="A method; may be repeated. [default: vae, vae-decode]",
        ),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option("--baseline", metavar="NAME", help="The methods of a landmark provider, or all; may be repeated."),
    ] = None,
    recognizer: Annotated[
        list[str] | None,
        typer.Option("--recognizer", metavar="NAME", help="Who recognizes the faces; may be repeated. [default: dlib]"),
    ] = None,
    occluder: Annotated[
        list[str] | None,
        typer.Option(
            "--occluder",
            metavar="NAME",
            help="What to put in front of the faces: none, glasses or patch; may be repeated. [default: none]",
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help="Whose photos: those of test, validation or train persons, or all.")
    ] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only so many photos, evenly spaced. [default: all]")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Processes, each on one core; 0: one per core.")] = 0,
    weights: WeightsOption = None,
    model_dir: ModelDirOption = None,
    midline: Annotated[
        bool, typer.Option("--midline", help="Compare the midlines with those of landmarks placed by hand instead.")
    ] = False,
    run: Annotated[Path, typer.Option(metavar="DIR", help="Folder in which each photo's results are kept.")] = Path(
        "runs/evaluate"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the results in the run's folder, instead of starting anew.")
    ] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers and each photo's distances.")
    ] = None,
    markdown_path: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
    report_path: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write a report with pictures and curves, as HTML.")
    ] = None,
) -> int:
    """Measure how well symmetric faces keep the person's identity.

    A face counts as recognized when a face recognizer says that it is the person in the photo; faces that are not
    found count as not recognized. With an occluder, the photo without it is what the face is compared with.
    """
    from symface_cli.cli.model_fetching import fetch_models
    from symface_cli.evaluation.protocol import EvaluationPlan, check, choose_photos
    from symface_cli.evaluation.scores import summarize
    from symface_cli.evaluation.store import open_store
    from symface_cli.methods.registry import baselines, choose_methods, files_of
    from symface_cli.recognition.registry import find_recognizer

    written = Written(json_path, markdown_path, report_path)
    names = list(method or ("vae", "vae-decode"))
    names += [name for provider in baseline or () for name in baselines(provider)]
    if midline:
        fetch_models(files_of(names), model_dir)
        return _evaluate_midlines(find_dataset(data, download), names, (weights, jobs, limit), written)
    recognizers, conditions = _unique(recognizer or ["dlib"]), _unique(occluder or ["none"])
    plan = EvaluationPlan(choose_methods(names), recognizers, conditions, weights, jobs)
    check(plan)
    photos = choose_photos(find_dataset(data, download), split, limit)
    files = [*files_of(plan.methods), *(file for name in recognizers for file in find_recognizer(name).files)]
    fetch_models(files, model_dir)
    with open_store(run, plan, resume) as store:
        report = summarize(plan, _run(photos, plan, store))
    _print(report)
    _write(report, written)
    return PhotoError.status if report.unreadable else ExitStatus.OK


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _run(photos: "list[DatasetPhoto]", plan: "EvaluationPlan", memory: "Memory") -> "list[ExaminedPhoto]":
    from symface_cli.evaluation.protocol import evaluate

    with count_photos("evaluating") as progress:
        return list(evaluate(photos, plan, progress, memory))


def _evaluate_midlines(
    data: Path, names: Sequence[str], how: tuple[Path | None, int, int | None], written: Written
) -> int:
    """Compares the midlines of the methods' providers with those of landmarks placed by hand."""
    from symface_cli.evaluation import midline
    from symface_cli.methods.registry import choose_methods, provider_of

    if written.report is not None:
        raise UsageError("--report shows recognition; --midline has --json and --markdown")
    weights, jobs, limit = how
    plan = midline.MidlinePlan(_unique([provider_of(name) for name in choose_methods(names)]), weights, jobs)
    references = midline.read_references(data, limit)
    with count_photos("evaluating") as progress:
        report = midline.measure(references, plan, progress)
    for line in report.unreadable:
        print_error(line)
    print_table("midlines against landmarks placed by hand", midline.HEADER, midline.table_rows(report))
    err.print(midline.describe(report), soft_wrap=True)
    _write_numbers(midline.as_dict(report), midline.as_markdown(report), written)
    return PhotoError.status if report.unreadable else ExitStatus.OK


def _print(report: "Report") -> None:
    """The tables on stdout; on stderr what was counted, and the photos that could not be read."""
    from symface_cli.evaluation.report import (
        PAPER_NOTE,
        describe,
        subset_header,
        subset_rows,
        subset_title,
        table_header,
        table_rows,
        table_title,
    )

    for line in report.unreadable:
        print_error(line)
    for table in report.tables:
        print_table(table_title(table), table_header(table), table_rows(table))
        print_table(subset_title(table), subset_header(report), subset_rows(table))
    err.print(describe(report), soft_wrap=True)
    err.print(PAPER_NOTE, soft_wrap=True)


def _write(report: "Report", written: Written) -> None:
    import shlex

    from symface_cli.evaluation.report import as_dict, as_markdown
    from symface_cli.files import write_atomically

    _write_numbers(as_dict(report), as_markdown(report), written)
    if written.report is not None:
        from symface_cli.evaluation.html import as_html

        write_atomically(written.report, as_html(report, shlex.join(["symface", *sys.argv[1:]])).encode())


def _write_numbers(numbers: dict[str, object], tables: str, written: Written) -> None:
    import json

    from symface_cli.files import write_atomically

    if written.json is not None:
        write_atomically(written.json, (json.dumps(numbers, indent=1, allow_nan=False) + "\n").encode())
    if written.markdown is not None:
        write_atomically(written.markdown, tables.encode())
