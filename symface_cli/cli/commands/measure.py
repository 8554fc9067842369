"""`symface measure`: how asymmetric faces are."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.progress import track

from symface_cli.cli.console import err, out, print_error
from symface_cli.cli.options import DeviceOption, FacesOption, WeightsOption
from symface_cli.errors import ExitStatus, NoFaceError, PhotoError, UsageError

if TYPE_CHECKING:
    from symface_cli.batch.targets import Target
    from symface_cli.detection.selection import Selection
    from symface_cli.geometry.types import Photo
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.measurement.asymmetry import Asymmetry
    from symface_cli.measurement.tables import Record

Result: TypeAlias = "list[Record] | PhotoError | NoFaceError"


def measure(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photos, folders, patterns, or - for standard input.")
    ],
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers as JSON; - for standard output.")
    ] = None,
    csv_path: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write one line per face; - for standard output.")
    ] = None,
    heatmap: Annotated[
        bool, typer.Option("--heatmap", help="Write NAME.asymmetry.png: where the shape and the colors differ.")
    ] = False,
    out_path: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="PATH", help="A file or a folder for that. [default: beside each photo]"),
    ] = None,
    faces: FacesOption = "all",
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    jobs: Annotated[
        int, typer.Option(min=0, metavar="N", help="Photos worked on at a time. [default: one per core]")
    ] = 0,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
) -> int:
    """Measure how asymmetric faces are, in shape and color, as a whole and by area. Not a medical device.

    Displacements between the left (the viewer's) and the mirrored right side are in per cent of the eye distance:
    outward and lower say how much farther out and lower the left side is. What follows the plus-minus sign is how much
    a value changes with small changes of the crop, not how near it is to the truth. A head that is turned looks
    asymmetric, by 2 % at the nose per degree: only photos from the front can be compared.
    """
    _check(photos, json_path, csv_path, heatmap, out_path)
    from symface_cli.batch.results import refuse_existing
    from symface_cli.batch.targets import choose_targets
    from symface_cli.cli.commands.symmetrize_options import parse_faces
    from symface_cli.detection.selection import Selection

    selection = Selection(parse_faces(faces))
    targets = choose_targets(photos, out_path)
    if heatmap and targets[0].exact is not None and targets[0].exact.suffix.lower() != ".png":
        raise UsageError(f"-o {out_path}: heat maps are PNG; end its name with .png, or with a slash if it is a folder")
    if not force:
        refuse_existing([path for path in (json_path, csv_path) if path is not None])
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.parallel import work_on_cores

    symmetrizer = Symmetrizer(weights, device)
    task, fork = partial(_measure_photo, symmetrizer, selection, heatmap, force), symmetrizer.device.type == "cpu"
    records: list[Record] = []
    failures: list[PhotoError | NoFaceError] = []
    for result in _with_progress(work_on_cores(task, targets, jobs or os.cpu_count() or 1, fork), len(targets)):
        if isinstance(result, list):
            records += result
            _warn_of_turns(result)
        else:
            failures.append(result)
            print_error(str(result))
    if records:
        _report(records, json_path, csv_path)
    if len(targets) > 1:
        err.print(f"{len(targets) - len(failures)} of {len(targets)} photos done, {len(failures)} failed")
    return failures[0].status if failures else ExitStatus.OK


def _check(
    photos: list[Path], json_path: Path | None, csv_path: Path | None, heatmap: bool, out_path: str | None
) -> None:
    if json_path == csv_path == Path("-"):
        raise UsageError("--json - and --csv - do not both go to standard output; give one of them a file")
    if out_path is not None and not heatmap:
        raise UsageError("-o is where heat maps go: add --heatmap, or use --json FILE or --csv FILE")
    if heatmap and (out_path == "-" or (out_path is None and Path("-") in photos)):
        raise UsageError("heat maps go to files: name one with -o FILE")


def _with_progress(results: "Iterable[Result]", total: int) -> "Iterable[Result]":
    shown = total > 1 and err.is_terminal
    return track(results, description="measuring", total=total, console=err, transient=True, disable=not shown)


def _measure_photo(
    symmetrizer: "Symmetrizer", selection: "Selection", heatmap: bool, force: bool, target: "Target"
) -> "Result":
    """Measures the faces of a photo and writes their heat maps; what can be expected to go wrong is returned."""
    from symface_cli.batch.results import read_source, refuse_existing
    from symface_cli.measurement.asymmetry import measure as measure_faces
    from symface_cli.measurement.tables import keep

    try:
        photo = read_source(target.photo).photo
        found = selection.choose(photo, target.photo)
        paths = [_heatmap_path(target, number if len(found) > 1 else None) for number in range(1, len(found) + 1)]
        if heatmap and not force:
            refuse_existing(paths)
        measured = measure_faces(symmetrizer, photo, found)
        if heatmap:
            _write_heatmaps(photo, measured, paths)
    except (PhotoError, NoFaceError) as error:
        return error
    return [keep(str(target.photo), number, face) for number, face in enumerate(measured, selection.number or 1)]


def _write_heatmaps(photo: "Photo", measured: "Sequence[Asymmetry]", paths: "Sequence[Path]") -> None:
    from symface_cli.batch.results import write_result
    from symface_cli.imaging.photo import encode_png
    from symface_cli.measurement.heatmap import draw_heatmap

    for path, face in zip(paths, measured, strict=True):
        write_result(path, encode_png(draw_heatmap(photo, face)))


def _heatmap_path(target: "Target", number: int | None) -> Path:
    """The file of a heat map; numbered where there are several faces."""
    label = "" if number is None else f"-{number}"
    if target.exact is not None:
        return target.exact.with_name(f"{target.exact.stem}{label}{target.exact.suffix}")
    return target.folder / f"{target.stem}.asymmetry{label}.png"


def _warn_of_turns(records: "Sequence[Record]") -> None:
    for record in records:
        if record.turned:
            print_error(
                f"{record.photo}: face {record.number}: the head is turned by about "
                f"{abs(record.values['yaw_deg'].value):.0f} degrees; its shape asymmetry is not to be trusted"
            )


def _report(records: "Sequence[Record]", json_path: Path | None, csv_path: Path | None) -> None:
    """Writes what is asked for; the text goes to standard output unless something else does."""
    from symface_cli.batch.results import write_result
    from symface_cli.measurement.tables import as_csv, as_json, as_text

    if Path("-") not in (json_path, csv_path):
        out.print("\n\n".join(map(as_text, records)))
    for path, write in ((json_path, as_json), (csv_path, as_csv)):
        if path == Path("-"):
            out.print(write(records), end="")
        elif path is not None:
            write_result(path, write(records).encode())
