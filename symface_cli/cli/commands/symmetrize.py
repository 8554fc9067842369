"""`symface symmetrize`: photos in, symmetric faces out."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from symface_cli.cli.command import find_cluster
from symface_cli.cli.commands.symmetrize_batch import Loading, load_planner, process_batch, spread_symmetrizing
from symface_cli.cli.commands.symmetrize_films import (
    CodecOption,
    CrfOption,
    FilmTexts,
    are_films,
    options_of,
    symmetrize_films,
)
from symface_cli.cli.console import ResultPrinter, print_error, show_tracebacks
from symface_cli.cli.options import (
    AMOUNT,
    EXPERT,
    FACE,
    FILMS,
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
    Print0Option,
    ShardOption,
    StartOption,
    WeightsOption,
    complete_methods,
)
from symface_cli.cli.rules import leave_out
from symface_cli.storage.address import parse_path


def symmetrize(
    context: typer.Context,
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO",
            parser=parse_path,
            help="Photos, folders, patterns, addresses, - for standard input; or films.",
        ),
    ],
    out_path: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="A file, a folder, or -. [default: NAME.symmetric.* beside each photo]",
            rich_help_panel=MADE,
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="photo|face|crop",
            help="photo: the whole photo with the symmetric face in place; face: the aligned face, exactly equal to "
            "its mirror image, as PNG; crop: the square around the head. May be repeated. [default: photo]",
            rich_help_panel=MADE,
        ),
    ] = None,
    continuum: Annotated[
        str | None,
        typer.Option(
            metavar="FROM:TO:STEP",
            help="Numbered frames for shares of the amounts, such as 0:1:0.1.",
            rich_help_panel=MADE,
        ),
    ] = None,
    gif: Annotated[
        bool,
        typer.Option("--gif", help="An animation from the photo to the result and back.", rich_help_panel=MADE),
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Also a sheet: photo, left-left, right-right, symmetric, heat map.",
            rich_help_panel=MADE,
        ),
    ] = False,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Only the photo with numbered boxes and midlines.", rich_help_panel=MADE),
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(
            min=16,
            max=4096,
            metavar="PX",
            help="Side of --output face. [default: as in the photo]",
            rich_help_panel=MADE,
        ),
    ] = None,
    background: Annotated[
        str,
        typer.Option(
            metavar="keep|transparent|COLOR",
            help="What surrounds the face in --output face.",
            rich_help_panel=MADE,
        ),
    ] = "keep",
    shape: Annotated[
        float,
        typer.Option(
            metavar="A",
            help="How symmetric the shape: 0 as it is, 1 fully; -1 and 2 exaggerate.",
            rich_help_panel=AMOUNT,
        ),
    ] = 1.0,
    color: Annotated[
        float, typer.Option(metavar="A", help="The same for light and colors.", rich_help_panel=AMOUNT)
    ] = 1.0,
    side: Annotated[
        Literal["both", "left", "right"],
        typer.Option(help="Made of both sides, or of the viewer's left or right.", rich_help_panel=AMOUNT),
    ] = "both",
    detail: Annotated[
        bool,
        typer.Option(
            "--detail/--no-detail",
            help="The photo's own pixels, or the face as the VAE draws it.",
            rich_help_panel=AMOUNT,
        ),
    ] = True,
    pose: Annotated[
        Literal["keep", "front"] | None,
        typer.Option(
            metavar="keep|front",
            help="Heads stay turned as they are, or look to the front. Kept, --output face is not equal to its mirror "
            "image. [default: keep; front in --output face]",
            rich_help_panel=AMOUNT,
        ),
    ] = None,
    faces: FacesOption = "all",
    min_face: Annotated[
        float | None,
        typer.Option(
            min=16,
            metavar="PX",
            help="Smallest face to detect (box width in pixels). [default: 1/16 of the photo]",
            rich_help_panel=FACE,
        ),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H", help="Where the face is, brows to chin, if it is not found.", rich_help_panel=FACE
        ),
    ] = None,
    eyes: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,X,Y",
            help="Where the viewer's left and right eye are, if the face is not found.",
            rich_help_panel=FACE,
        ),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="all|largest|N",
            help="Who is followed through a film: everybody, the largest, or number N by size. [default: all; largest "
            "in --output face]",
            show_default=False,
            rich_help_panel=FILMS,
        ),
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    codec: CodecOption = None,
    crf: CrfOption = None,
    force: ForceOption = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip photos the manifest lists as done.", rich_help_panel=MANY)
    ] = False,
    checksum: Annotated[
        bool,
        typer.Option(
            "--checksum", help="With --resume: read files to see whether they have changed.", rich_help_panel=MANY
        ),
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=parse_path,
            help="Record of each face. [default: manifest.jsonl in the folder of -o]",
            rich_help_panel=MANY,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", parser=parse_path, help="A page to look through the results, as HTML.", rich_help_panel=MANY
        ),
    ] = None,
    check_identity: Annotated[
        bool,
        typer.Option(
            "--check-identity",
            help="Warn where dlib's recognizer sees another person in the result.",
            rich_help_panel=MANY,
        ),
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Add to manifest and report how asymmetric each face is; 0.3 s each.",
            rich_help_panel=MANY,
        ),
    ] = False,
    jobs: JobsOption = 0,
    shard: ShardOption = None,
    print0: Print0Option = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_methods,
            help="vae; vae-left, vae-right and vae-decode are --side left, --side right and --no-detail; "
            "PROVIDER-left, -right, -average and -warp, for PROVIDER dlib, sdm, clm, clnf or mediapipe, are what can "
            "be done with landmarks.",
            rich_help_panel=EXPERT,
        ),
    ] = "vae",
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
    model_dir: ModelDirOption = None,
    debug: DebugOption = False,
) -> int:
    """Make the faces in photos, or in films, symmetric, and print the paths of the results.

    Several faces are numbered by size. A batch goes on after a failure and ends with the first failure's status.
    """
    from symface_cli.batch.runner import Batch, BatchOptions
    from symface_cli.batch.targets import choose_targets
    from symface_cli.cli import values
    from symface_cli.detection.selection import Selection
    from symface_cli.engines.loading import engine_for
    from symface_cli.rendering import parsing
    from symface_cli.rendering.morphing import Amounts
    from symface_cli.rendering.options import OutputOptions

    show_tracebacks(debug)
    amounts = parsing.check_amount(shape, "--shape"), parsing.check_amount(color, "--color")
    style = values.parse_method(method, detail, side)
    options = OutputOptions(
        outputs=values.choose_outputs(output, style, compare, preview),
        amounts=Amounts(*amounts, style.side),
        detail=style.detail,
        pose=pose,
        steps=parsing.parse_steps(continuum, "--continuum"),
        animated=gif,
        size=size,
        background=parsing.parse_background(background, "--background"),
    )
    printer = ResultPrinter(print0)
    if are_films(context, photos):
        loading = Loading(weights, device, engine, model_dir, check_identity, measure, forked=False)
        film = options_of(FilmTexts(person, start, end, codec, crf), options)
        return symmetrize_films(choose_targets(photos, out_path), film, loading, manifest, force, printer)
    selection = Selection(
        number=parsing.parse_faces(faces, "--faces"),
        smallest=min_face,
        box=parsing.parse_box(box, "--box"),
        eyes=parsing.parse_eyes(eyes, "--eyes"),
    )
    if selection.is_upside_down:
        print_error(values.UPSIDE_DOWN)
    targets = choose_targets(photos, out_path).take(values.parse_shard(shard))
    values.check_file(targets.file, options)
    if targets.folder is None and manifest is None:
        resume, measure = _check_records(context, report)
    chosen = engine_for(engine, device, targets.count)
    loading = Loading(weights, device, chosen, model_dir, check_identity, measure, forked=targets.count > 1)
    how = BatchOptions(
        force=force,
        resume=resume,
        checksum=checksum,
        manifest=manifest,
        report=report,
        jobs=jobs,
        also_read=() if weights is None else (weights,),
    )
    with find_cluster(context, targets, targets.folder, resume) as cluster:
        load, spread = partial(load_planner, style, options, selection), None
        if cluster is not None:
            spread = spread_symmetrizing(cluster, partial(load, loading.everywhere()))
            loading = loading._replace(device="cpu")  # here is nothing to do but to share out
        return process_batch(Batch(load(loading), targets, how, spread), targets, printer)


def _check_records(context: typer.Context, report: Path | None) -> tuple[bool, bool]:
    """Check --resume and --measure where there is no manifest, and return what is left of them."""
    leave_out(context, "resume", "{option} needs a manifest: a folder for the results with -o, or --manifest FILE")
    if report is None:
        leave_out(context, "measure", "{option} needs a place for the values: a folder with -o, --manifest or --report")
    return context.params["resume"], context.params["measure"]
