"""`symface measure`: how asymmetric faces are."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symface_cli.cli.command import find_cluster, is_on_cluster
from symface_cli.cli.commands.measuring.batch import measure_batch, spread_measuring, with_corrections
from symface_cli.cli.commands.measuring.options import (
    ChartOption,
    EveryOption,
    MaxYawOption,
    RateOption,
    RestOption,
    SmoothOption,
    VideoOption,
)
from symface_cli.cli.commands.measuring.session import SessionFiles, measure_session
from symface_cli.cli.commands.measuring.video import VideoFiles, VideoTexts, measure_video, options_of
from symface_cli.cli.console import ResultPrinter, print_text, show_tracebacks
from symface_cli.cli.options import (
    MADE,
    MANY,
    DebugOption,
    DeviceOption,
    EndOption,
    EngineOption,
    FacesOption,
    ForceOption,
    JobsOption,
    ModelDirOption,
    PersonOption,
    ShardOption,
    StartOption,
    WeightsOption,
)
from symface_cli.errors import UsageError
from symface_cli.storage.address import parse_path

HOW, OVER_TIME = "How it is measured", "Over time"

if TYPE_CHECKING:
    from symface_cli.batch.measuring import MeasuredPhoto, MeasuringOptions
    from symface_cli.batch.targets import Targets
    from symface_cli.engines.loading import EngineChoice
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.measurement.photo import Convention, FaceMeter


def measure(
    context: typer.Context,
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PHOTO...", parser=parse_path, help="Photos, folders, patterns, addresses, or - for standard input."
        ),
    ] = None,
    json_path: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            parser=parse_path,
            help="Write all numbers as JSON; - for standard output.",
            rich_help_panel=MADE,
        ),
    ] = None,
    csv_path: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            parser=parse_path,
            help="Write one line per face; - for standard output.",
            rich_help_panel=MADE,
        ),
    ] = None,
    heatmap: Annotated[
        bool,
        typer.Option(
            "--heatmap", help="Write NAME.asymmetry.png: where the shape and the colors differ.", rich_help_panel=MADE
        ),
    ] = False,
    overlay: Annotated[
        bool,
        typer.Option(
            "--overlay", help="Write NAME.points.png: what is measured, drawn on the photo.", rich_help_panel=MADE
        ),
    ] = False,
    points_path: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="FILE",
            parser=parse_path,
            help="Write the points: .csv, .tps, .tem or .pts.",
            rich_help_panel=MADE,
        ),
    ] = None,
    out_path: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="A file or a folder for these pictures. [default: beside each photo]",
            rich_help_panel=MADE,
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Leave the turn of the head in; else it is taken out.", rich_help_panel=HOW),
    ] = False,
    sides: Annotated[
        str,
        typer.Option(
            "--sides", metavar="person|viewer", help="Whose left and right: the person's or yours.", rich_help_panel=HOW
        ),
    ] = "person",
    scale: Annotated[
        str,
        typer.Option(
            "--scale",
            metavar="none|iris|ipd=MM|mm_per_px=MM",
            help="Lengths in mm, by the irises, by the distance between the pupils, or by what a pixel is; none: in % "
            "of the distance between the pupils.",
            rich_help_panel=HOW,
        ),
    ] = "none",
    iris_mm: Annotated[
        float | None,
        typer.Option(
            "--iris-mm",
            metavar="MM",
            help="Diameter of an iris, with --scale iris. [default: 11.7]",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    given_path: Annotated[
        Path | None,
        typer.Option(
            "--points-from",
            metavar="FILE",
            help="Take points from a file that --points wrote, with those that you corrected.",
            rich_help_panel=HOW,
        ),
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Compare photos of people over time and in poses: CSV with subject, date, pose, photo.",
            rich_help_panel=OVER_TIME,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page with the pictures, curves and numbers of --session or --video, as HTML; of several "
            "films, a folder.",
            rich_help_panel=OVER_TIME,
        ),
    ] = None,
    video: VideoOption = False,
    person: PersonOption = "largest",
    start: StartOption = None,
    end: EndOption = None,
    every: EveryOption = None,
    max_yaw: MaxYawOption = None,
    rest: RestOption = None,
    smooth: SmoothOption = "0",
    chart: ChartOption = None,
    rate: RateOption = None,
    faces: FacesOption = "all",
    force: ForceOption = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Skip photos that a table has, and that are as they were.", rich_help_panel=MANY),
    ] = False,
    jobs: JobsOption = 0,
    shard: ShardOption = None,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
    model_dir: ModelDirOption = None,
    debug: DebugOption = False,
) -> int:
    """Measure how asymmetric faces are: shape and color by area, and named measures. Not a medical device.

    Displacements between the left and the mirrored right side are in per cent of the eye distance: outward and lower
    say how much farther out and lower the left side is. Left is the person's. What follows the plus-minus sign is how
    much a value changes with small changes of the crop, and by the turn of the head; not how near it is to the truth. A
    head that is turned looks asymmetric: the turn is taken out, and with it an asymmetry that is just like one.
    """
    show_tracebacks(debug)
    photos = photos or []
    if video:
        if is_on_cluster(context):
            raise UsageError("--video does not go with a cluster")
        texts = VideoTexts(person, start, end, every, max_yaw, rest, smooth, rate)
        return measure_video(
            photos,
            VideoFiles(csv_path, json_path, report, chart),
            options_of(texts, _parse_convention(raw, sides, scale, iris_mm), model_dir),
            force,
            partial(_load, weights, device, engine),
        )
    pictures = heatmap or overlay
    _check_photos(photos, session)
    _check(photos, json_path, csv_path, pictures, out_path)
    _check_points(points_path)
    from symface_cli.batch.measuring import MeasuringBatch, MeasuringOptions
    from symface_cli.batch.targets import choose_targets
    from symface_cli.cli.values import parse_shard
    from symface_cli.detection.selection import Selection
    from symface_cli.engines.loading import engine_for
    from symface_cli.rendering.parsing import parse_faces

    convention = replace(_parse_convention(raw, sides, scale, iris_mm), heatmaps=heatmap, overlays=overlay)
    options = MeasuringOptions(
        selection=Selection(number=parse_faces(faces, "--faces")),
        convention=convention,
        model_folder=model_dir,
        force=force,
        resume=resume,
        csv=csv_path,
        json=json_path,
        points=points_path,
        jobs=jobs,
        also_read=() if weights is None else (weights,),
    )
    if session is not None:
        if is_on_cluster(context):
            raise UsageError("--session does not go with a cluster; measure the photos there, then compare them here")
        return measure_session(
            SessionFiles(session, report, given_path), options, partial(_load, weights, device, engine)
        )
    targets = choose_targets(photos, out_path).take(parse_shard(shard))
    _check_pictures(targets, out_path, heatmap, overlay)
    if given_path is not None:
        options = with_corrections(options, given_path, targets)
    if is_on_cluster(context) and (points_path or given_path):
        raise UsageError("--points and --points-from do not go with a cluster")
    table = next((path for path in (csv_path, json_path) if path not in (None, Path("-"))), None)
    with find_cluster(context, targets, None if table is None else table.parent, resume) as cluster:
        if cluster is not None:
            chosen = engine_for(engine, device, targets.count)
            load = partial(_load_meter, None if weights is None else weights.absolute(), device, chosen, options)
            batch = MeasuringBatch(
                _load(weights, "cpu", chosen, targets.count), targets, options, spread_measuring(cluster, load, options)
            )
            return measure_batch(batch, targets, lambda result: None)
    batch = MeasuringBatch(_load(weights, device, engine, targets.count), targets, options)
    if Path("-") in (json_path, csv_path):
        return measure_batch(batch, targets, lambda result: None)
    printer = ResultPrinter()
    if pictures or any(path is not None for path in (json_path, csv_path, points_path)):
        return measure_batch(batch, targets, _Faces(printer.print_text).show) or printer.status
    return measure_batch(batch, targets, _Faces(print_text).show)


def _load(weights: Path | None, device: str, engine: "EngineChoice", photos: int) -> "Symmetrizer":
    from symface_cli.engines.loading import engine_for
    from symface_cli.inference.symmetrizer import Symmetrizer

    return Symmetrizer(weights, device, engine_for(engine, device, photos), forked=photos > 1)


def _load_meter(weights: Path | None, device: str, engine: "EngineChoice", options: "MeasuringOptions") -> "FaceMeter":
    """Load what measures, for a worker of a cluster."""
    from symface_cli.measurement.photo import FaceMeter
    from symface_cli.measurement.scale import Scaler

    scaler = Scaler(options.convention.scaling, options.model_folder)
    return FaceMeter(_load(weights, device, engine, 0), options.convention, scaler)


def _check_pictures(targets: "Targets", out_path: str | None, heatmap: bool, overlay: bool) -> None:
    if not (heatmap or overlay) or targets.file is None:
        return
    if targets.file.suffix.lower() != ".png":
        raise UsageError(f"-o {out_path}: pictures are PNG; end its name with .png, or with a slash if it is a folder")
    if heatmap and overlay:
        raise UsageError(f"-o {out_path}: --heatmap and --overlay make two pictures; name a folder")


def _check_photos(photos: list[Path], session: Path | None) -> None:
    from symface_cli.files import is_film

    if not photos and session is None:
        raise UsageError("nothing to measure; name photos, or a session of them with --session FILE")
    films = [photo for photo in photos if is_film(photo)]
    if films:
        raise UsageError(f"{films[0]}: a film; add --video to measure films")


def _check_points(points_path: Path | None) -> None:
    from symface_cli.measurement.points.files import check_form

    if points_path is not None:
        check_form(points_path)


def _parse_convention(raw: bool, sides: str, scale: str, iris_mm: float | None) -> "Convention":
    from symface_cli.measurement.photo import Convention
    from symface_cli.measurement.scale import IRIS_MM, parse_scaling

    if sides not in ("person", "viewer"):
        raise UsageError(f"--sides {sides}: use person or viewer")
    if iris_mm is not None and scale != "iris":
        raise UsageError("--iris-mm goes with --scale iris")
    scaling = parse_scaling(scale, IRIS_MM if iris_mm is None else iris_mm)
    return Convention(raw=raw, sides="person" if sides == "person" else "viewer", scaling=scaling)


def _check(
    photos: list[Path], json_path: Path | None, csv_path: Path | None, pictures: bool, out_path: str | None
) -> None:
    if json_path == csv_path == Path("-"):
        raise UsageError("--json - and --csv - do not both go to standard output; give one of them a file")
    if pictures and (out_path == "-" or (out_path is None and Path("-") in photos)):
        raise UsageError("pictures go to files: name one with -o FILE")


class _Faces:
    """Shows a table for each face, apart from those that are shown already."""

    def __init__(self, print_text: Callable[[str], None]) -> None:
        self._print = print_text
        self._shown = 0

    def show(self, result: "MeasuredPhoto") -> None:
        """Show the faces of a photo."""
        from symface_cli.measurement.text_table import as_text

        for face in result.faces:
            self._print("\n" * bool(self._shown) + as_text(str(result.photo), face))
            self._shown += 1
