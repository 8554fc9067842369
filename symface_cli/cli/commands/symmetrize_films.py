"""`symface symmetrize` of films: films in, symmetric films out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from symface_cli.cli.command import interrupted_by_terminating, is_on_cluster
from symface_cli.cli.console import ResultPrinter, conclude, print_error, print_failure, print_note
from symface_cli.cli.options import FILMS
from symface_cli.cli.progress import count_photos
from symface_cli.errors import UsageError
from symface_cli.files import is_film

if TYPE_CHECKING:
    from symface_cli.batch.targets import Targets
    from symface_cli.cli.commands.symmetrize_batch import Loading
    from symface_cli.films.symmetrizing import FilmOptions
    from symface_cli.rendering.options import OutputOptions
    from symface_cli.writing import Inputs

CodecOption = Annotated[
    str | None,
    typer.Option(
        "--codec",
        metavar="NAME",
        help="How films are encoded: h264, hevc, vp9, av1, ffv1, or another encoder of FFmpeg's. [default: h264]",
        rich_help_panel=FILMS,
    ),
]
CrfOption = Annotated[
    float | None,
    typer.Option(
        "--crf",
        min=0,
        max=63,
        metavar="N",
        help="Quality, the less the better. [default: 18 for h264, at which nothing is seen to be lost]",
        show_default=False,
        rich_help_panel=FILMS,
    ),
]


class FilmTexts(NamedTuple):
    """Options of films as they were given."""

    person: str | None
    start: str | None
    end: str | None
    codec: str | None
    crf: float | None


def are_films(context: typer.Context, named: Sequence[Path]) -> bool:
    """Tell whether films are named, instead of photos.

    Raises:
        UsageError: If both are, or films on a cluster.
    """
    films = [path for path in named if is_film(path)]
    if films and len(films) < len(named):
        raise UsageError("films and photos do not go together; give them one after the other")
    if films and is_on_cluster(context):
        raise UsageError("films are not shared out on a cluster; use symface symmetrize")
    return bool(films)


def options_of(texts: FilmTexts, rendering: "OutputOptions") -> "FilmOptions":
    """Read what options of films say.

    Raises:
        UsageError: If one makes no sense.
    """
    from symface_cli.cli.values import parse_person, parse_time
    from symface_cli.films.symmetrizing import FilmOptions
    from symface_cli.video.writing import Encoding

    return FilmOptions(
        rendering=rendering,
        person=None if texts.person is None else parse_person(texts.person),
        start=None if texts.start is None else parse_time(texts.start, "--start"),
        end=None if texts.end is None else parse_time(texts.end, "--end"),
        encoding=Encoding(codec=texts.codec, crf=texts.crf),
    )


def symmetrize_films(
    targets: "Targets",
    options: "FilmOptions",
    loading: "Loading",
    manifest: Path | None,
    force: bool,
    printer: ResultPrinter,
) -> int:
    """Make the films one after the other, tell what comes of each, and return the exit status."""
    from symface_cli.batch.manifest import Manifest
    from symface_cli.batch.permission import Permission
    from symface_cli.films.outcomes import parameters_of, symmetrize_file
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.video.reading import import_av
    from symface_cli.writing import Inputs

    import_av()
    for remark in targets.remarks:
        print_error(remark)
    read = Inputs([*targets.photos, *(() if loading.weights is None else (loading.weights,))])
    manifest = _prepare_files(targets, manifest, read)
    symmetrizer, errors = Symmetrizer(loading.weights, loading.device, loading.engine), []
    record = None if manifest is None else Manifest(manifest, parameters_of(symmetrizer, options))
    permission = Permission(inputs=read, force=force)
    for target in targets.items:
        with interrupted_by_terminating(), count_photos(target.photo.name, unit="frames") as show:
            outcome = symmetrize_file(target, symmetrizer, options, permission, show)
        if record is not None:
            record.add(outcome)
        if outcome.error is not None:
            print_failure(outcome.photo, outcome.error)
        for path in outcome.written:
            printer.print(path)
        for note in outcome.notes:
            print_note(outcome.photo, note)
        errors.append(outcome.error)
    if record is not None:
        record.close()
    return conclude(errors, passed_over=targets.problems, what="films") or printer.status


def _prepare_files(targets: "Targets", manifest: Path | None, read: "Inputs") -> Path | None:
    """Check before the work that files can be written, and return the manifest; None for none."""
    from symface_cli.batch.manifest import NAME
    from symface_cli.writing import Destination, prepare_files

    if manifest is None and targets.folder is not None:
        manifest = targets.folder / NAME
    named = [] if manifest is None else [Destination(manifest, replace=True)]  # it is only added to
    targets.refuse_names(named)
    if targets.file is not None:
        named.append(Destination(targets.file, replace=True, is_picture=True))  # checked with the film
    prepare_files(named, read)
    targets.prepare_folder()
    return manifest
