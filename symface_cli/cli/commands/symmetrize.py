"""`symface symmetrize`: photos in, symmetric faces out."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from symface_cli.cli.console import err, out, print_error
from symface_cli.cli.options import DeviceOption, FacesOption, ModelDirOption, WeightsOption, complete_methods
from symface_cli.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from symface_cli.batch.manifest import Manifest
    from symface_cli.batch.runner import Outcome
    from symface_cli.batch.targets import Target
    from symface_cli.cli.commands.symmetrize_options import Style
    from symface_cli.detection.selection import Selection
    from symface_cli.rendering.options import OutputOptions
    from symface_cli.rendering.plan import Planner
    from symface_cli.rendering.records import FaceRecord


def symmetrize(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO", help="Photos, folders, patterns, or - for standard input.")
    ],
    out_path: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="PATH", help="A file, a folder, or -. [default: NAME.symmetric.* beside each photo]"
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="photo|face|crop",
            help="photo: the whole photo with the symmetric face in place; face: the aligned face, exactly equal to "
            "its mirror image, as PNG; crop: the square around the head. May be repeated. [default: photo]",
        ),
    ] = None,
    shape: Annotated[
        float, typer.Option(metavar="A", help="How symmetric the shape: 0 as it is, 1 fully; -1 and 2 exaggerate.")
    ] = 1.0,
    color: Annotated[float, typer.Option(metavar="A", help="The same for light and colors.")] = 1.0,
    side: Annotated[
        Literal["both", "left", "right"],
        typer.Option(help="PhotoPlan of both sides, or of the viewer's left or right."),
    ] = "both",
    continuum: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO:STEP", help="Numbered frames for shares of the amounts, such as 0:1:0.1."),
    ] = None,
    gif: Annotated[bool, typer.Option("--gif", help="An animation from the photo to there and back.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also a sheet: photo, left-left, right-right, symmetric, heat map.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only the photo with numbered boxes and midlines.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(min=16, max=4096, metavar="PX", help="Side of --output face. [default: as in the photo]"),
    ] = None,
    background: Annotated[
        str, typer.Option(metavar="keep|transparent|COLOR", help="What surrounds the face in --output face.")
    ] = "keep",
    detail: Annotated[
        bool, typer.Option("--detail/--no-detail", help="The photo's own pixels, or the face as the VAE draws it.")
    ] = True,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_methods,
            help="vae; vae-left, vae-right and vae-decode are --side left, --side right and --no-detail; "
            "PROVIDER-left, -right, -average and -warp, for PROVIDER dlib, sdm, clm or clnf, are what can be done with "
            "landmarks.",
        ),
    ] = "vae",
    faces: FacesOption = "all",
    min_face: Annotated[
        float | None, typer.Option(min=16, metavar="PX", help="Least width of a face. [default: 1/16 of the photo]")
    ] = None,
    box: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Where the face is, brows to chin, if it is not found.")
    ] = None,
    eyes: Annotated[
        str | None, typer.Option(metavar="X,Y,X,Y", help="Where the viewer's left and right eye are, likewise.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Only what the manifest lacks, or says has failed.")] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What became of each face. [default: manifest.jsonl in the folder of -o]"),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page to look through the results, as HTML.")
    ] = None,
    check_identity: Annotated[
        bool, typer.Option("--check-identity", help="Warn where dlib's recognizer sees another person in the result.")
    ] = False,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Add to manifest and report how asymmetric each face is; 0.3 s each."),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", show_default=False, help="Photos worked on at a time. [default: one per core]"
        ),
    ] = 0,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    model_dir: ModelDirOption = None,
) -> int:
    """Make the faces in photos symmetric, and print the paths of the results.

    Several faces are numbered by size. A batch goes on after a failure and ends with the first failure's status.
    """
    from symface_cli.batch.runner import run
    from symface_cli.batch.targets import choose_targets
    from symface_cli.cli.commands import symmetrize_options as parsing
    from symface_cli.detection.selection import Selection
    from symface_cli.rendering.morphing import Amounts
    from symface_cli.rendering.options import Output, OutputOptions

    parsing.check_amounts(shape, color)
    parsing.check_preview(preview, faces)
    style = parsing.parse_method(method, detail, side)
    kinds = parsing.choose_outputs(output, style, compare, preview)
    options = OutputOptions(
        tuple(map(Output, kinds)),
        Amounts(shape, color, style.side),
        style.detail,
        parsing.parse_steps(continuum),
        gif,
        size,
        parsing.parse_background(background),
    )
    parsing.check_options(options, style, out_path)
    selection = Selection(parsing.parse_faces(faces), min_face, parsing.parse_box(box), parsing.parse_eyes(eyes))
    targets = choose_targets(photos, out_path)
    planner = _load(style, options, selection, Loading(weights, device, model_dir, check_identity, measure))
    book = _open_manifest(manifest or _default_manifest(out_path, targets), planner, resume)
    todo = [target for target in targets if book is None or not (resume and book.is_done(target))]
    outcomes = list(_watch(run(planner, todo, force or resume, jobs or os.cpu_count() or 1), book, len(todo)))
    if report is not None:
        made = {outcome.target: outcome for outcome in outcomes}
        shown = [made[target] if book is None or target in made else book.outcome(target) for target in targets]
        _write_report(report, shown)
    return _conclude(outcomes, len(targets) - len(todo))


class Loading(NamedTuple):
    """What is loaded, and from where."""

    weights: Path | None
    device: str
    model_dir: Path | None
    check_identity: bool
    measure: bool


def _load(style: "Style", options: "OutputOptions", selection: "Selection", loading: Loading) -> "Planner":
    from symface_cli.cli.model_fetching import fetch_models
    from symface_cli.rendering.plan import LandmarkPlanner, NetworkPlanner

    if style.landmark_method is not None:
        from symface_cli.methods.registry import PROVIDERS, files_of, provider_of

        method = style.landmark_method
        fetch_models(files_of([method]), loading.model_dir)
        return LandmarkPlanner(PROVIDERS[provider_of(method)].load(), method, selection.number)
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.rendering.identity import IdentityCheck

    check = IdentityCheck() if loading.check_identity else None
    return NetworkPlanner(Symmetrizer(loading.weights, loading.device), options, selection, check, loading.measure)


def _default_manifest(out_path: str | None, targets: "Sequence[Target]") -> Path | None:
    """In the folder of results, if there is one."""
    from symface_cli.batch.manifest import NAME

    return Path(out_path, NAME) if out_path is not None and targets[0].exact is None else None


def _open_manifest(path: Path | None, planner: "Planner", resume: bool) -> "Manifest | None":
    from symface_cli.batch.manifest import Manifest

    if path is None:
        if resume:
            raise UsageError("--resume needs a manifest: give the folder of the results with -o, or --manifest FILE")
        return None
    return Manifest(path, planner.parameters, resume)


def _watch(outcomes: "Iterator[Outcome]", book: "Manifest | None", total: int) -> "Iterator[Outcome]":
    """Prints paths and failures as they come, writes the manifest, and shows how far it is."""
    columns = (TextColumn("symmetrizing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    shown = total > 1 and err.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=not shown) as bar:
        task = bar.add_task("", total=total, rate="")
        for outcome in outcomes:
            if book is not None:
                book.add(outcome)
            _tell(outcome)
            bar.advance(task)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f} photos/s" if speed else "")
            yield outcome


def _tell(outcome: "Outcome") -> None:
    from symface_cli.batch.targets import STREAM

    if outcome.error is not None:
        print_error(str(outcome.error))
    for path in outcome.written:
        if path != STREAM:
            out.print(str(path))
    for number, face in enumerate(outcome.faces, 1):
        for warning in _warnings(face):
            print_error(f"{outcome.target.photo}: face {number} {warning}")


def _warnings(face: "FaceRecord") -> "Iterator[str]":
    from symface_cli.rendering.records import MAX_YAW_PHOTO

    if face.yaw_degrees is not None and abs(face.yaw_degrees) >= MAX_YAW_PHOTO:
        yield f"is turned by about {abs(face.yaw_degrees):.0f} degrees: a symmetric face does not fit it well"
    if face.identity is not None:
        from symface_cli.rendering.identity import SAME_PERSON

        if face.identity >= SAME_PERSON:
            yield (
                f"may not be recognized: dlib's distance to the photo is {face.identity:.2f}, the same person is below "
                f"{SAME_PERSON}"
            )


def _conclude(outcomes: "Sequence[Outcome]", skipped: int) -> int:
    """One line that sums up, and the first failure's status."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if len(outcomes) + skipped > 1:
        before = f", {skipped} done before" if skipped else ""
        err.print(f"{len(outcomes) - len(failed)} of {len(outcomes)} photos done, {len(failed)} failed{before}")
    return failed[0].status if failed else ExitStatus.OK


def _write_report(path: Path, outcomes: "Sequence[Outcome]") -> None:
    from symface_cli.batch.gallery import as_html
    from symface_cli.files import write_atomically

    write_atomically(path, as_html(outcomes, path.parent).encode())
