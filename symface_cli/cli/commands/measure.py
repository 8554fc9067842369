"""`symface measure`: how asymmetric faces are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symface_cli.cli.console import (
    conclude,
    mention,
    print_error,
    print_failure,
    print_note,
    print_text,
    show_tracebacks,
    warn_of_yaw,
)
from symface_cli.cli.options import MADE, DebugOption, DeviceOption, FacesOption, ForceOption, JobsOption, WeightsOption
from symface_cli.cli.progress import follow
from symface_cli.errors import UsageError

if TYPE_CHECKING:
    from symface_cli.batch.measuring import MeasuredPhoto


def measure(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photos, folders, patterns, or - for standard input.")
    ],
    json_path: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write all numbers as JSON; - for standard output.", rich_help_panel=MADE
        ),
    ] = None,
    csv_path: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write one line per face; - for standard output.", rich_help_panel=MADE
        ),
    ] = None,
    heatmap: Annotated[
        bool,
        typer.Option(
            "--heatmap", help="Write NAME.asymmetry.png: where the shape and the colors differ.", rich_help_panel=MADE
        ),
    ] = False,
    out_path: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="A file or a folder for heat maps. [default: beside each photo]",
            rich_help_panel=MADE,
        ),
    ] = None,
    faces: FacesOption = "all",
    force: ForceOption = False,
    jobs: JobsOption = 0,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    debug: DebugOption = False,
) -> int:
    """Measure how asymmetric faces are, in shape and color, as a whole and by area. Not a medical device.

    Displacements between the left (the viewer's) and the mirrored right side are in per cent of the eye distance:
    outward and lower say how much farther out and lower the left side is. What follows the plus-minus sign is how much
    a value changes with small changes of the crop, not how near it is to the truth. A head that is turned looks
    asymmetric, by 2 % at the nose per degree: only photos from the front can be compared.
    """
    show_tracebacks(debug)
    _check(photos, json_path, csv_path, heatmap, out_path)
    from symface_cli.batch.measuring import MeasuringOptions, measure_batch
    from symface_cli.batch.targets import STREAM, choose_targets
    from symface_cli.cli.commands.symmetrize_options import parse_faces
    from symface_cli.detection.selection import Selection
    from symface_cli.writing import Destination, Inputs, prepare_files

    options = MeasuringOptions(
        selection=Selection(number=parse_faces(faces)),
        heatmaps=heatmap,
        force=force,
        jobs=jobs,
        also_read=() if weights is None else (weights,),
    )
    targets = choose_targets(photos, out_path)
    if heatmap and targets.file is not None and targets.file.suffix.lower() != ".png":
        raise UsageError(f"-o {out_path}: heat maps are PNG; end its name with .png, or with a slash if it is a folder")
    tables = [Destination(path, force) for path in (json_path, csv_path) if path is not None and path != STREAM]
    maps = [] if targets.file in (None, STREAM) else [Destination(targets.file, replace=True, is_picture=True)]
    prepare_files([*tables, *maps], Inputs([*targets.photos, *options.also_read]))
    from symface_cli.inference.symmetrizer import Symmetrizer

    results = measure_batch(Symmetrizer(weights, device), targets, options)
    for remark in targets.remarks:
        print_error(remark)
    measured = []
    for result in follow(results, "measuring", len(targets.items)):
        _tell(result)
        measured.append(result)
    _report(measured, json_path, csv_path, force)
    return conclude([result.error for result in measured], passed_over=targets.problems)


def _check(
    photos: list[Path], json_path: Path | None, csv_path: Path | None, heatmap: bool, out_path: str | None
) -> None:
    if json_path == csv_path == Path("-"):
        raise UsageError("--json - and --csv - do not both go to standard output; give one of them a file")
    if heatmap and (out_path == "-" or (out_path is None and Path("-") in photos)):
        raise UsageError("heat maps go to files: name one with -o FILE")


def _tell(result: "MeasuredPhoto") -> None:
    if result.error is not None:
        print_failure(result.photo, result.error)
    for note in result.notes:
        print_note(result.photo, note)
    for face in result.faces:
        if face.is_yaw_too_large:
            consequence = "its shape asymmetry is not to be trusted"
            warn_of_yaw(result.photo, face.number, face.values["yaw_deg"].value, consequence)


def _report(measured: "Sequence[MeasuredPhoto]", json_path: Path | None, csv_path: Path | None, force: bool) -> None:
    """Write what is asked for, if a face was measured; text goes to standard output unless something else does."""
    from symface_cli.batch.results import write_result
    from symface_cli.measurement.tables import Record, as_csv, as_json, as_text

    records = [Record(str(result.photo), face) for result in measured for face in result.faces]
    if not records:
        return
    if Path("-") not in (json_path, csv_path):
        print_text("\n\n".join(map(as_text, records)))
    for path, write, undecodable in (
        (json_path, as_json, "backslashreplace"),
        (csv_path, as_csv, "surrogateescape"),
    ):
        if path is not None:
            mention(write_result(path, write(records).encode("utf-8", undecodable), force))
