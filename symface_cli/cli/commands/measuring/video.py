"""`symface measure --video`: asymmetry over the time of films."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from symface_cli.cli.console import conclude, mention, print_failure, print_note, print_text
from symface_cli.cli.progress import count_photos
from symface_cli.errors import NoFaceError, PhotoError, SymfaceError, UsageError
from symface_cli.files import write_to_stdout
from symface_cli.writing import Destination, Inputs, prepare_files

if TYPE_CHECKING:
    from symface_cli.films.measuring.films import FilmOptions, MeasuredFilm
    from symface_cli.films.measuring.study import FilmStudy
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.measurement.photo import Convention

STREAM = Path("-")


class VideoFiles(NamedTuple):
    """What is written; None for what is not. Of several films, page and chart are folders."""

    csv: Path | None
    json: Path | None
    report: Path | None
    chart: Path | None


class VideoTexts(NamedTuple):
    """Options as they were given."""

    person: str
    start: str | None
    end: str | None
    every: str | None
    max_yaw: float | None
    rest: str | None
    smooth: str
    rate: str | None


def measure_video(
    films: Sequence[Path],
    files: VideoFiles,
    options: "FilmOptions",
    force: bool,
    load: "Callable[[int], Symmetrizer]",
) -> int:
    """Measure films one after the other, and write what is wanted; without a file, tables are printed.

    Args:
        films: Films, and folders of frames.
        files: What is written.
        options: How the films are measured.
        force: Whether existing files may be overwritten.
        load: Loads the network.
    """
    from symface_cli.films.reports.tables import as_csv, as_json

    films = list(dict.fromkeys(films))
    tables = [(file, write) for file, write in ((files.csv, as_csv), (files.json, as_json)) if file is not None]
    _check(films, files, force)
    symmetrizer = load(0)
    studies: list[FilmStudy] = []
    errors: list[SymfaceError | None] = []
    for film in films:
        measured, error = _measure(film, symmetrizer, options, len(films))
        errors.append(error)
        if measured is not None:
            studies.append(measured.study)
            _draw(measured, files, options, force, len(films))
            if not any(files):
                _print(measured, len(films))
    for file, write in tables:
        if file == STREAM:
            write_to_stdout(write(studies))
        else:
            mention(Destination(file, force).write(write(studies)))
    return conclude(errors, what="films")


def options_of(texts: VideoTexts, convention: "Convention", model_folder: Path | None) -> "FilmOptions":
    """Read what options say.

    Raises:
        UsageError: If one makes no sense.
    """
    from symface_cli.cli.values import parse_length, parse_person, parse_span, parse_time
    from symface_cli.films.measuring.films import FilmOptions
    from symface_cli.films.measuring.meter import FilmConvention, FilmPart
    from symface_cli.films.measuring.rest import Span
    from symface_cli.films.measuring.study import Analysis
    from symface_cli.video.folders import RATE

    start = None if texts.start is None else parse_time(texts.start, "--start")
    end = None if texts.end is None else parse_time(texts.end, "--end")
    if end is not None and end <= (start or 0):
        raise UsageError(f"--end {texts.end}: it is not after the start; give a later time")
    return FilmOptions(
        person=parse_person(texts.person),
        convention=FilmConvention(
            raw=convention.raw,
            sides=convention.sides,
            scaling=convention.scaling,
            max_yaw=texts.max_yaw,
            model_folder=model_folder,
        ),
        part=FilmPart(
            start=start, end=end, every=None if texts.every is None else parse_length(texts.every, "--every")
        ),
        analysis=Analysis(
            rest=None if texts.rest is None else Span(*map(float, parse_span(texts.rest, "--rest"))),
            smooth_s=float(parse_time(texts.smooth, "--smooth")),
        ),
        rate=RATE if texts.rate is None else parse_length(texts.rate, "--rate"),
    )


def _check(films: Sequence[Path], files: VideoFiles, force: bool) -> None:
    """Check before the work that all can be read and written."""
    if not films:
        raise UsageError("nothing to measure; name films, or folders of frames")
    if STREAM in films:
        raise UsageError("films do not come from standard input; name files")
    if files.csv == files.json == STREAM:
        raise UsageError("--json - and --csv - do not both go to standard output; give one of them a file")
    if STREAM in (files.report, files.chart):
        raise UsageError("pages and charts go to files, not to standard output; name them")
    if files.chart is not None and len(films) == 1 and files.chart.suffix.lower() != ".png":
        raise UsageError(f"--chart {files.chart}: charts are PNG; end its name with .png")
    named = [Destination(file, force) for file in (files.csv, files.json) if file not in (None, STREAM)]
    for film in films:
        page, chart = _pages(film, files, len(films))
        named += [Destination(page, force)] if page is not None else []
        named += [Destination(chart, force, is_picture=True)] if chart is not None else []
    prepare_files(named, Inputs(films))


def _pages(film: Path, files: VideoFiles, count: int) -> tuple[Path | None, Path | None]:
    """Return the page and the chart of a film; of several, they lie in folders under its name."""
    if count == 1:
        return files.report, files.chart
    return (
        None if files.report is None else files.report / f"{film.stem}.html",
        None if files.chart is None else files.chart / f"{film.stem}.png",
    )


def _measure(
    film: Path, symmetrizer: "Symmetrizer", options: "FilmOptions", count: int
) -> "tuple[MeasuredFilm | None, SymfaceError | None]":
    """Measure a film, and tell what goes wrong: one film never costs the others."""
    from symface_cli.films.measuring.films import measure_film

    try:
        with count_photos(film.name if count > 1 else "measuring", unit="frames") as show:
            measured = measure_film(film, symmetrizer, options, show)
    except (PhotoError, NoFaceError) as error:
        print_failure(film, error)
        return None, error
    _tell(film, measured)
    if measured.damage is None:
        return measured, None
    damage = PhotoError(f"{film}: {measured.damage}")
    print_failure(film, damage)
    return measured, damage


def _tell(film: Path, measured: "MeasuredFilm") -> None:
    for person in measured.study.persons:
        who = "" if len(measured.study.persons) == 1 else f"person {person.track.person}: "
        turned, found = int(person.track.is_turned.sum()), int(person.track.is_found.sum())
        if turned:
            print_note(film, f"{who}the head is turned too far in {turned:,} of {found:,} frames; they are marked")
        if person.rest is None and measured.study.analysis.rest is not None:
            print_note(film, f"{who}no face from the front while it is to be at rest: no changes from rest are known")


def _draw(measured: "MeasuredFilm", files: VideoFiles, options: "FilmOptions", force: bool, count: int) -> None:
    from symface_cli.films.reports.chart import chart_as_png
    from symface_cli.films.reports.page import film_as_html
    from symface_cli.films.reports.pictures import picture_faces

    page, chart = _pages(measured.path, files, count)
    if chart is not None:
        mention(Destination(chart, force, is_picture=True).write(chart_as_png(measured.study)))
    if page is not None:
        mention(Destination(page, force).write(film_as_html(measured.study, picture_faces(measured, options))))


def _print(measured: "MeasuredFilm", count: int) -> None:
    from symface_cli.films.reports.text import as_text

    if count > 1:
        print_text(str(measured.path))
    print_text(as_text(measured.study))
