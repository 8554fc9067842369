"""`symface evaluate`: how well symmetric faces keep the person's identity."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from symface_cli.cli.console import mention, print_error, print_line, show_tracebacks
from symface_cli.cli.fetching import DataArgument, DownloadOption, fetch_models, survey_dataset
from symface_cli.cli.options import (
    COMPARED,
    DATA,
    MANY,
    NUMBERS,
    DebugOption,
    ForceOption,
    JobsOption,
    ModelDirOption,
    ShardOption,
    WeightsOption,
    complete_methods,
)
from symface_cli.cli.progress import count_photos
from symface_cli.cli.tables import print_table
from symface_cli.errors import ExitStatus, SymfaceError, UsageError

if TYPE_CHECKING:
    from symface_cli.data.datasets import Dataset, DatasetPhoto
    from symface_cli.evaluation.midline import MidlinePlan
    from symface_cli.evaluation.protocol import EvaluationPlan, PhotoResult, ResultStore
    from symface_cli.evaluation.scores import EvaluationReport
    from symface_cli.evaluation.store import SqliteStore
    from symface_cli.evaluation.subsets.groups import PhotoGroups
    from symface_cli.shards.shard import Shard
    from symface_cli.writing import Destination


class Written(NamedTuple):
    """The files that are asked for."""

    json: "Destination | None"
    markdown: "Destination | None"
    report: "Destination | None"

    def named(self) -> "list[Destination]":
        """List them."""
        return [file for file in self if file is not None]


def evaluate(
    data: DataArgument = None,
    download: DownloadOption = None,
    split: Annotated[
        str,
        typer.Option(metavar="NAME", help="Split to evaluate: test, validation, train or all.", rich_help_panel=DATA),
    ] = "test",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Only so many photos, evenly spaced. [default: all]", rich_help_panel=DATA
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAME",
            autocompletion=complete_methods,
            help="A method; may be repeated. [default: vae, vae-decode]",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="The methods of a landmark provider, or all; may be repeated.",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    recognizer: Annotated[
        list[str] | None,
        typer.Option(
            "--recognizer",
            metavar="NAME",
            help="Face recognizer used as judge: dlib, openface or sface; may be repeated. [default: dlib]",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    occluder: Annotated[
        list[str] | None,
        typer.Option(
            "--occluder",
            metavar="NAME",
            help="What to put in front of the faces: none, glasses or patch; may be repeated. [default: none]",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            metavar="NAME",
            help="What the recognizer is shown: face, the aligned face, or photo, the whole photo, whose changes are "
            "measured, too; may be repeated. [default: face]",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    segmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="What each pixel shows, to measure what is overwritten: a folder of PNGs, or an .npz with photo and "
            "label.",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What groups photos are in, as CSV (photo, attribute, value), to have every figure by group, too.",
            rich_help_panel=COMPARED,
        ),
    ] = None,
    midline: Annotated[
        bool,
        typer.Option(
            "--midline",
            help="Compare the midlines with those of landmarks placed by hand instead.",
            rich_help_panel=COMPARED,
        ),
    ] = False,
    json_path: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write all numbers and each photo's distances.", rich_help_panel=NUMBERS
        ),
    ] = None,
    markdown_path: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Write the tables as Markdown.", rich_help_panel=NUMBERS),
    ] = None,
    report_path: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write a report with pictures and curves, as HTML.",
            rich_help_panel=NUMBERS,
        ),
    ] = None,
    run: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder in which each photo's results are kept.", rich_help_panel=MANY),
    ] = Path("runs/evaluate"),
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the results in the run's folder, instead of starting anew.",
            rich_help_panel=MANY,
        ),
    ] = False,
    force: ForceOption = False,
    jobs: JobsOption = 0,
    shard: ShardOption = None,
    weights: WeightsOption = None,
    model_dir: ModelDirOption = None,
    debug: DebugOption = False,
) -> int:
    """Measure how well symmetric faces keep the person's identity.

    A face counts as recognized when a face recognizer says that it is the person in the photo; faces that are not
    found count as not recognized. With an occluder, the photo without it is what the face is compared with.
    """
    from symface_cli.cli.values import parse_shard
    from symface_cli.data.datasets import check_choice, choose_photos
    from symface_cli.evaluation.midline import MidlinePlan
    from symface_cli.evaluation.photos.labels import LabelSource
    from symface_cli.evaluation.photos.making import find_output
    from symface_cli.evaluation.protocol import EvaluationPlan, check_plan
    from symface_cli.evaluation.scores import summarize_results
    from symface_cli.evaluation.store import open_store
    from symface_cli.methods.network import DECODED, OURS
    from symface_cli.methods.registry import baselines, choose_methods, files_of, providers_of
    from symface_cli.recognition.registry import find_recognizer
    from symface_cli.writing import Inputs, prepare_files

    show_tracebacks(debug)
    written = _choose_files(json_path, markdown_path, report_path, force, resume)
    read = [path for path in (data, weights, segmentation, groups) if path is not None]
    names = list(method or (OURS.name, DECODED.name))
    names += [found.name for provider in baseline or () for found in baselines(provider)]
    if midline:
        prepare_files(written.named(), Inputs([*read, *([] if data is None else data.rglob("*.csv"))]))
        fetch_models(files_of(names), model_dir)
        providers = tuple(entry.name for entry in providers_of(names))
        compared = MidlinePlan(providers=providers, weights=weights, model_folder=model_dir, jobs=jobs)
        return _evaluate_midlines(survey_dataset(data, download), limit, compared, written)
    plan = EvaluationPlan(
        methods=tuple(found.name for found in choose_methods(names)),
        recognizers=_unique(recognizer or ["dlib"]),
        conditions=_unique(occluder or ["none"]),
        outputs=tuple(map(find_output, _unique(output or ["face"]))),
        weights=weights,
        model_folder=model_dir,
        jobs=jobs,
    )
    check_plan(plan)
    check_choice(split, limit)
    prepare_files(written.named(), Inputs(read))
    dataset = survey_dataset(data, download)
    if segmentation is not None:
        plan = replace(plan, labels=LabelSource(segmentation, dataset.folder))
    photos = choose_photos(dataset, split, limit)
    grouped = None if groups is None else _read_groups(groups, dataset, photos)
    files = [*files_of(plan.methods), *(file for name in plan.recognizers for file in find_recognizer(name).files)]
    fetch_models(files, model_dir)
    part = parse_shard(shard)
    with open_store(run, plan, resume, force, part) as store:
        if part is not None:
            return _run_shard(part, dataset, photos, plan, store)
        report = summarize_results(plan, _run(photos, plan, store), grouped)
    _write(report, written)
    _print(report)
    return _status(dataset.problems, report.unreadable, report.failures)


def _choose_files(
    json_path: Path | None, markdown_path: Path | None, report_path: Path | None, force: bool, resume: bool
) -> Written:
    """Say which files may be replaced: a report that symface has made, too, if its evaluation is gone on with."""
    from symface_cli.pages import is_page
    from symface_cli.writing import Destination

    def may_replace(path: Path) -> bool:
        return force or (resume and path == report_path and is_page(path))

    paths = (json_path, markdown_path, report_path)
    return Written(*(None if path is None else Destination(path, may_replace(path)) for path in paths))


def _read_groups(path: Path, data: "Dataset", photos: "list[DatasetPhoto]") -> "PhotoGroups":
    """Read groups, and say whether they fit."""
    from symface_cli.evaluation.subsets.groups import read_groups

    groups = read_groups(path, data)
    print_line(groups.describe(photos))
    return groups


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _run(photos: "list[DatasetPhoto]", plan: "EvaluationPlan", store: "ResultStore") -> "list[PhotoResult]":
    from symface_cli.evaluation.protocol import evaluate

    with count_photos("evaluating") as progress:
        return list(evaluate(photos, plan, progress, store))


def _run_shard(
    shard: "Shard", data: "Dataset", photos: "list[DatasetPhoto]", plan: "EvaluationPlan", store: "SqliteStore"
) -> int:
    """Keep what is found out about a part of the photos; figures are made of all."""
    from symface_cli.evaluation.store import describe_plan
    from symface_cli.shards.record import describe_shard, keep_record

    record = describe_shard(shard, [data.name_of(photo) for photo in photos], describe_plan(plan))
    mine = [photo for photo in photos if shard.has(data.name_of(photo))]
    with keep_record(record, [(store.path, "results")]):
        results = _run(mine, plan, store)
    errors = [result.error for result in results if result.error is not None]
    for error in errors:
        print_error(error)
    print_line(f"{len(results) - len(errors)} of {len(results)} photos evaluated, {len(errors)} failed: shard {shard}")
    return _status(data.problems, errors)


def _evaluate_midlines(data: "Dataset", limit: int | None, plan: "MidlinePlan", written: Written) -> int:
    """Compare the midlines of the plan's providers with those of landmarks placed by hand."""
    from symface_cli.evaluation import midline

    if written.report is not None:
        raise UsageError("--report shows recognition; --midline has --json and --markdown")
    references = midline.read_references(data, limit)
    with count_photos("evaluating") as progress:
        report = midline.evaluate_midlines(references, plan, progress)
    for error in (*report.unreadable, *report.failures):
        print_error(error)
    _write_numbers(midline.midlines_as_dict(report), midline.midlines_as_markdown(report), written)
    table = midline.midline_table(report)
    print_table(table.title, table.header(), table.texts())
    print_line(midline.describe_midlines(report))
    return _status(data.problems, report.unreadable, report.failures)


def _status(*errors: "Sequence[SymfaceError]") -> ExitStatus:
    """Return the exit status of the first failure."""
    return next((error.status for part in errors for error in part), ExitStatus.OK)


def _print(report: "EvaluationReport") -> None:
    """Print the tables on stdout; on stderr what was counted, and what went wrong with photos."""
    from symface_cli.evaluation.photos.tables import change_tables
    from symface_cli.evaluation.report import PAPER_NOTE, describe_report
    from symface_cli.evaluation.score_tables import tables_of

    for error in (*report.unreadable, *report.failures):
        print_error(error)
    for scores in report.tables:
        for table in tables_of(report, scores):
            print_table(table.title, table.header(), table.texts())
    for changes in change_tables(report):
        print_table(changes.title, changes.header(), changes.texts())
    print_line(describe_report(report))
    print_line(PAPER_NOTE)


def _write(report: "EvaluationReport", written: Written) -> None:
    import shlex

    from symface_cli.evaluation.report import report_as_dict, report_as_markdown

    _write_numbers(report_as_dict(report), report_as_markdown(report), written)
    if written.report is not None:
        from symface_cli.evaluation.html import report_as_html

        mention(written.report.write(report_as_html(report, shlex.join(["symface", *sys.argv[1:]])).encode()))


def _write_numbers(numbers: dict[str, object], tables: str, written: Written) -> None:
    import json

    if written.json is not None:
        mention(written.json.write((json.dumps(numbers, indent=1, allow_nan=False) + "\n").encode()))
    if written.markdown is not None:
        mention(written.markdown.write(tables.encode()))
