"""`symface label`: where the faces of training photos are, for a person to look through."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from symface_cli.cli.console import ResultPrinter, mention, print_error, print_line, print_traceback, show_tracebacks
from symface_cli.cli.fetching import DataArgument, DownloadOption, fetch_models, survey_dataset
from symface_cli.cli.options import DATA, NUMBERS, DebugOption, ForceOption, JobsOption, ShardOption
from symface_cli.cli.progress import count_photos
from symface_cli.errors import ExitStatus, PhotoError


def label(
    data: DataArgument = None,
    download: DownloadOption = None,
    teacher: Annotated[
        Literal["dlib", "blend", "mesh"],
        typer.Option(
            help="Find dlib's landmarks, MediaPipe's face mesh (4 MB, downloaded), or both.",
            rich_help_panel=DATA,
        ),
    ] = "dlib",
    out_path: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the labels.", rich_help_panel=NUMBERS)
    ] = Path("labels.csv"),
    review: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a page that shows the doubtful ones, as HTML.", rich_help_panel=NUMBERS
        ),
    ] = None,
    force: ForceOption = False,
    jobs: JobsOption = 0,
    shard: ShardOption = None,
    debug: DebugOption = False,
) -> int:
    """Label training photos: find the faces and dlib's landmarks, and write them as CSV.

    A person can correct the file, or set use to no for photos that are not to be trained on; symface train --labels
    reads it. Photos without a face, and those on which several runs of dlib, or both teachers, disagree, start with use
    no. Photos of test people are never labeled. dlib needs the landmarks extra. Prints the paths of the files.
    """
    show_tracebacks(debug)
    from symface_cli.cli.values import parse_shard
    from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
    from symface_cli.shards.record import describe_shard, keep_record
    from symface_cli.training.data.labeling import describe_labeling, label_into
    from symface_cli.training.data.labels import describe_labels, name_faults, photos_to_label
    from symface_cli.writing import Destination, Inputs, prepare_files, write_file

    part = parse_shard(shard)
    if part is not None:
        out_path, review = part.path(out_path), None if review is None else part.path(review)
    written = [out_path] if review is None else [out_path, review]
    prepare_files([Destination(path, force) for path in written], Inputs([] if data is None else [data]))
    dataset = survey_dataset(data, download)
    if teacher != "dlib":
        fetch_models(MediaPipeLandmarks.files, None)
    photos = photos_to_label(dataset)
    record = None if part is None else describe_shard(part, list(photos), describe_labeling(teacher))
    mine = {name: photo for name, photo in photos.items() if part is None or part.has(name)}
    with count_photos("labeling") as progress, keep_record(record, [(out_path, "labels")]):
        labels, note = label_into(out_path, mine, progress, jobs, teacher, replace=force)
    mention(note)
    printer = ResultPrinter()
    printer.print(out_path)
    if review is not None:
        from symface_cli.training.data.review import as_html

        mention(write_file(review, as_html(labels, dataset.folder, out_path.name).encode(), force))
        printer.print(review)
    for fault in name_faults(labels):
        print_error(fault)
    for found in labels:
        print_traceback(found.traceback)
    print_line(describe_labels(labels))
    return printer.status or (PhotoError.status if dataset.problems else ExitStatus.OK)
