"""A batch of photos to measurements of their faces: several at a time, in tables that grow, resumable."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from symface_cli.batch.outcomes import until_store_fails
from symface_cli.batch.permission import Permission
from symface_cli.batch.results import HEATMAP, OVERLAY, picture_paths, read_source, write_pictures
from symface_cli.batch.states import find_state
from symface_cli.batch.tables import CSV, JSON, Format, Table, open_table, read_table
from symface_cli.batch.targets import STREAM, Target, Targets, place_of
from symface_cli.detection.selection import Selection
from symface_cli.errors import ExitStatus, Hint, SymfaceError, WeightsError, WorkerError, failure_of
from symface_cli.files import is_file
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.photo import USUAL, Convention, FaceMeasurement, FaceMeter
from symface_cli.measurement.points.corrections import Corrections
from symface_cli.measurement.points.files import FacePoints, write_points
from symface_cli.measurement.rows import PhotoRows, row_of
from symface_cli.measurement.scale import Scaler
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import work_on_cores
from symface_cli.shards.record import keep_record
from symface_cli.shards.shard import find_others
from symface_cli.storage.address import parse_path
from symface_cli.version import __version__
from symface_cli.writing import Destination, Inputs, prepare_files, write_file

NO_IRISES = "face {}: no irises were found for the scale; its lengths are in per cent"


@dataclass(frozen=True, kw_only=True)
class MeasuringOptions:
    """How a batch is measured.

    Attributes:
        selection: Which faces of each photo.
        convention: How faces are measured; its heat maps and overlays are written as PNG files.
        model_folder: The user's own folder of published models.
        force: Whether existing files may be overwritten.
        resume: Whether to skip photos that are done in a table, and to add to the tables what is not.
        csv: Table to write; STREAM for standard output, None for none.
        json: The same in another form.
        points: File for the points of the named measures; None for none.
        given: Points that are known better than those found.
        given_sha256: Of the file that they come from.
        jobs: Number of parallel workers; 0 for one per core.
        also_read: Files that are read besides the photos, and never overwritten: weights.
    """

    selection: Selection
    convention: Convention = USUAL
    model_folder: Path | None = None
    force: bool = False
    resume: bool = False
    csv: Path | None = None
    json: Path | None = None
    points: Path | None = None
    given: Corrections | None = None
    given_sha256: str = ""
    jobs: int = 0
    also_read: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeasuredPhoto:
    """Result of measuring one photo.

    Attributes:
        target: The photo.
        faces: Its faces, the largest first, without heat maps and overlays: those are written.
        error: Why it failed.
        notes: What a user should know though nothing failed, a sentence each.
        sha256: Of the photo's file; empty if it cannot be read, and for standard input.
        heatmaps: SHA-256 of each heat map's file, or empty.
        rows: What a table says of it, where it was measured elsewhere and nothing else is known; else None.
    """

    target: Target
    faces: tuple[FaceMeasurement, ...] = ()
    error: SymfaceError | None = None
    notes: tuple[str, ...] = ()
    sha256: str = ""
    heatmaps: tuple[str, ...] = ()
    rows: PhotoRows | None = None

    @property
    def photo(self) -> Path:
        """The photo's path, or STREAM."""
        return self.target.photo


Spread = Callable[[Permission, Sequence[Target], str], Iterator[MeasuredPhoto]]
"""Has photos measured elsewhere, given what the rows say of how, and returns what became of them, in any order."""


class MeasuringBatch:
    """Photos to be measured, less those that are done already. Its length is the number of those to be measured.

    Args:
        symmetrizer: The loaded network.
        targets: The photos.
        options: How to measure them.
        spread: Has the work done elsewhere, instead of by workers of this machine.

    Attributes:
        skipped: Number of photos that are done already.

    Raises:
        OutputError: If what is to be written cannot be, or may not; if it is to be resumed with what is no table.
        WeightsError: If the scale needs a model that is not here and cannot be downloaded.
    """

    def __init__(
        self, symmetrizer: Symmetrizer, targets: Targets, options: MeasuringOptions, spread: Spread | None = None
    ) -> None:
        self._symmetrizer = symmetrizer
        self._spread = spread
        self._targets = targets
        self._options = options
        self._inputs = Inputs([*targets.photos, *options.also_read])
        self._prepare_files()
        scaler = Scaler(options.convention.scaling, options.model_folder)
        self._meter = FaceMeter(symmetrizer, options.convention, scaler)
        self._measured_by = _describe_run(symmetrizer, options)
        self._others, self._rows = self._read_tables()
        self._points: dict[Target, list[FacePoints]] = {}
        self._notes: list[str] = []
        self._tables = self._open_tables()
        self._todo = [target for target in targets.items if not self._is_done(target)]
        self.skipped = len(targets.items) - len(self._todo)

    def __len__(self) -> int:
        return len(self._todo)

    @property
    def notes(self) -> list[str]:
        """What a user should know of how the tables were written."""
        return sorted([*self._notes, *(note for table in self._tables for note in table.notes)])

    def run(self) -> Iterator[MeasuredPhoto]:
        """Start the workers, and return the measured photos as they come, in the order of the photos.

        Each is in the tables before it is yielded; in one that is written whole, it may be a second later.
        """
        todo = set(self._todo)
        done = [rows for target, rows in self._rows.items() if target not in todo]
        for table in self._tables:
            table.begin(self._in_order(), done)
        if self._spread is not None:
            return self._record(self._spread(self._permission(), self._todo, self._measured_by))
        task = partial(measure_target, self._meter, self._options, self._permission())
        jobs = self._options.jobs or available_cores()
        fork = self._symmetrizer.engine.can_fork and not self._targets.is_in_memory
        return self._record(work_on_cores(task, self._todo, jobs, _lose, fork=fork))

    def _read_tables(self) -> tuple[list[PhotoRows], dict[Target, PhotoRows]]:
        """Return what is known of other photos, and of those of this batch, under whatever name."""
        if not self._options.resume:
            return [], {}
        known = {rows.photo: rows for path, form in self._files() for rows in read_table(path, form)}
        foreign = {rows.photo: rows for path, form in self._other_files() for rows in read_table(path, form)} | known
        places = {place_of(parse_path(name)): rows for name, rows in foreign.items()}
        found = ((target, str(target.photo), place_of(target.photo)) for target in self._targets.items)
        mine = {target: foreign.get(name) or places[place] for target, name, place in found if place in places}
        names = {rows.photo for rows in mine.values()}
        return [rows for rows in known.values() if rows.photo not in names], mine

    def _other_files(self) -> list[tuple[Path, Format]]:
        """Return the tables of other parts, and of the whole, that may have photos of this batch."""
        named = ((self._options.csv, CSV), (self._options.json, JSON))
        shard = self._targets.shard
        return [(other, form) for path, form in named if path is not None for other in find_others(path, shard)]

    def _files(self) -> list[tuple[Path, Format]]:
        named = ((self._options.csv, CSV), (self._options.json, JSON))
        return [(self._targets.own(path), form) for path, form in named if path is not None]

    def _open_tables(self) -> list[Table]:
        return [open_table(path, form, self._options.force or self._options.resume) for path, form in self._files()]

    def _prepare_files(self) -> None:
        """Check before the work that all files with a name of their own can be written."""
        replace = self._options.force or self._options.resume
        files = [path for path, _ in self._files()]
        points = [] if self._options.points is None else [self._targets.own(self._options.points)]
        named = [Destination(path, replace) for path in (*files, *points) if path != STREAM]
        self._targets.refuse_names(named)
        heatmap = self._targets.file
        if heatmap is not None and heatmap != STREAM:  # whether it may be replaced is checked with the photo
            named.append(Destination(heatmap, replace=True, is_picture=True))
        prepare_files(named, self._inputs)
        if not self._options.force:  # a file that is there can be written in place where the folder takes no other
            self._targets.prepare_folder()

    def _is_done(self, target: Target) -> bool:
        rows = self._rows.get(target)
        if rows is None or not self._is_measured(rows, _checksum(target.photo)):
            return False
        convention = self._options.convention
        if convention.overlays and not all(map(is_file, picture_paths(target, len(rows.faces), OVERLAY))):
            return False
        if not convention.heatmaps:
            return True
        return all(_checksum(path) == known for path, known in _heatmaps(target, rows))

    def _is_measured(self, rows: PhotoRows, sha256: str) -> bool:
        """Tell whether rows are what this run would measure in a photo."""
        return (
            rows.status == ExitStatus.OK
            and rows.measured_by == self._measured_by
            and bool(sha256)
            and rows.sha256 == sha256
        )

    def _permission(self) -> Permission:
        """Permit to replace what may be, of the heat maps that are there."""
        options = self._options
        made = {heatmap for target, rows in self._rows.items() for heatmap in _heatmaps(target, rows)}
        return Permission(inputs=self._inputs, force=options.force, resumed=options.resume, made=made)

    def _record(self, results: Iterable[MeasuredPhoto]) -> Iterator[MeasuredPhoto]:
        files = [(path, "csv" if form is CSV else "json") for path, form in self._files() if path != STREAM]
        with keep_record(self._targets.describe_shard({"measured_by": self._measured_by}), files):
            try:
                for measured in until_store_fails(results):
                    self._add(measured)
                    yield measured
            finally:  # also when the run is interrupted
                rows = self._in_order()
                for table in self._tables:
                    table.end(rows)
                self._write_points()

    def _add(self, measured: MeasuredPhoto) -> None:
        """Add a photo to the tables; a refusal to replace its heat map leaves the numbers that are there."""
        known, error = self._rows.get(measured.target), measured.error
        is_refused = error is not None and error.hint is Hint.OVERWRITE
        if is_refused and known is not None and self._is_measured(known, measured.sha256):
            return
        self._rows[measured.target] = rows = rows_of(measured, self._measured_by)
        self._points[measured.target] = [_points_of(measured, face) for face in measured.faces]
        for table in self._tables:
            table.add(rows, self._in_order)

    def _write_points(self) -> None:
        """Write the points of all faces that were measured, in the order of the photos."""
        path, sides = self._options.points, self._options.convention.sides
        faces = [face for target in self._targets.items for face in self._points.get(target, [])]
        if path is None or not (faces or path.suffix.lower() == ".csv"):
            return
        note = write_file(self._targets.own(path), write_points(faces, path.suffix, sides), self._options.force)
        self._notes.extend([] if note is None else [note])

    def _in_order(self) -> list[PhotoRows]:
        """Return all rows: those of other photos first, then this batch's, in its order."""
        return self._others + [self._rows[target] for target in self._targets.items if target in self._rows]


def _lose(target: Target, error: WorkerError) -> MeasuredPhoto:
    """Say of a photo that its process was killed."""
    return MeasuredPhoto(target=target, error=error.about(str(target.photo)))


def measure_target(
    meter: FaceMeter, options: MeasuringOptions, permission: Permission, target: Target
) -> MeasuredPhoto:
    """Measure one photo and write its pictures; whatever goes wrong with it is in the result.

    Raises:
        WeightsError: If the network cannot measure.
    """
    selection, convention = options.selection, options.convention
    sha256 = _checksum(target.photo)
    try:
        photo = read_source(target.photo).photo
        found, first = selection.choose(photo), selection.number or 1
        heatmaps = picture_paths(target, len(found), HEATMAP) if convention.heatmaps else []
        overlays = picture_paths(target, len(found), OVERLAY) if convention.overlays else []
        permission.check([*heatmaps, *overlays])
        known = options.given or Corrections([])
        given = [known.find(target.photo, number) for number, _ in enumerate(found, first)]
        faces = meter.measure_faces(photo, found, first, given)
        notes = (
            *write_pictures([face.heatmap for face in faces], heatmaps, permission),
            *write_pictures([face.overlay for face in faces], overlays, permission),
            *(NO_IRISES.format(face.number) for face in faces if face.scale is None and convention.scaling.is_wanted),
        )
    except WeightsError:  # of the paper's network, which cannot measure any photo
        raise
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        return MeasuredPhoto(target=target, error=failure_of(error, str(target.photo)), sha256=sha256)
    return MeasuredPhoto(
        target=target,
        faces=tuple(replace(face, heatmap=None, overlay=None) for face in faces),
        notes=notes,
        sha256=sha256,
        heatmaps=tuple(map(_checksum, heatmaps)),
    )


def _points_of(measured: MeasuredPhoto, face: FaceMeasurement) -> FacePoints:
    return FacePoints(str(measured.photo), face.number, np.array(list(face.points.values()), np.float64))


def rows_of(measured: MeasuredPhoto, measured_by: str) -> PhotoRows:
    """Return what a table says of a photo."""
    if measured.rows is not None:
        return replace(measured.rows, photo=str(measured.photo))
    heatmaps = measured.heatmaps or ("",) * len(measured.faces)
    return PhotoRows(
        photo=str(measured.photo),
        faces=tuple(map(row_of, measured.faces, heatmaps)),
        status=0 if measured.error is None else measured.error.status,
        reason="" if measured.error is None else str(measured.error),
        sha256=measured.sha256,
        measured_by=measured_by,
    )


def _describe_run(symmetrizer: Symmetrizer, options: MeasuringOptions) -> str:
    faces = "all" if options.selection.number is None else options.selection.number
    convention = options.convention
    given = f", points {options.given_sha256[:16]}" if options.given_sha256 else ""
    how = f"{'raw, ' if convention.raw else ''}left is the {convention.sides}'s, scale {convention.scaling}"
    engine = symmetrizer.engine
    return f"symface {__version__}, weights {engine.sha256[:16]}, engine {engine.name}, faces {faces}, {how}{given}"


def _checksum(path: Path) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read, and for standard input."""
    state = None if path == STREAM else find_state(path)
    return "" if state is None else state.sha256


def _heatmaps(target: Target, rows: PhotoRows) -> list[tuple[Path, str]]:
    """Return where the heat maps of known faces lie, and the SHA-256 of each as it was made; empty if it was not."""
    count = len(rows.faces)
    paths = picture_paths(target, count, HEATMAP)[:count]
    return list(zip(paths, (face.heatmap_sha256 for face in rows.faces), strict=True))
