"""Labels of training photos: where the face and its landmarks lie, as a CSV that a person can correct.

A line per photo, under COLUMNS. All coordinates are in pixels of the upright photo. A photo without a face has a line,
too, with empty cells for a person to fill in, and so has one that cannot be read, with the reason.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from math import inf, isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, DatasetPhoto, name_first, split_of
from symface_cli.detection.detector import detect
from symface_cli.errors import DataError, Hint, WorkerError, failure_of
from symface_cli.files import as_csv, on_one_line
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks import scheme
from symface_cli.landmarks.dlib import PREDICTOR, DlibLandmarks, model_file
from symface_cli.parallel.work import work_through
from symface_cli.writing import write_file

MOST_DISAGREEMENT = 0.06  # eye distances; landmarks whose runs differ more than this are not used
FARTHEST_LANDMARK = (
    1.0  # box widths from the box's center, sideways or up and down; what lies farther is not this face's
)

BOX_COLUMNS = ("box_x", "box_y", "box_width", "box_height")
LANDMARK_COLUMNS = tuple(f"{axis}{number}" for number in range(scheme.COUNT) for axis in "xy")
COLUMNS = ("photo", "use", "provider", "disagreement", "fault", *BOX_COLUMNS, *LANDMARK_COLUMNS)
OPTIONAL_COLUMNS = ("fault",)

PROVIDER = "dlib"
NOT_READ, NO_FACE, NO_LANDMARKS, DISAGREEMENT = DOUBTS = (
    "that cannot be read",
    "without a face",
    "without landmarks",
    "whose landmarks disagree",
)
"""Why photos are not used."""

Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Label:
    """What is known of a photo.

    Attributes:
        photo: Its path in the data set's folder, with slashes.
        box: Its face, as a Viola-Jones detector would give it; None if there is none.
        landmarks: (68, 2) in pixels of the upright photo; None if there are none.
        provider: Who placed them, such as "dlib".
        disagreement: Mean distance of a landmark from its mean over the provider's runs, in eye distances: 0 is perfect
            agreement. None where nobody measured it.
        fault: Why the photo cannot be read, or whatever else went wrong with it; empty for nothing.
        traceback: Where a fault comes from that nobody foresaw; the CSV does not have it.
        use: Whether it is trained on.
    """

    photo: str
    _: KW_ONLY
    box: Box | None = None
    landmarks: Array | None = None
    provider: str = ""
    disagreement: float | None = None
    fault: str = ""
    traceback: str = ""
    use: bool = False


def photos_to_label(data: Dataset) -> dict[str, DatasetPhoto]:
    """Choose the photos of a data set that may be trained on, which those of test people are not, by their paths in it.

    Raises:
        DataError: If there are none.
    """
    photos = {data.name_of(photo): photo for photo in data.photos if split_of(photo.identity) != "test"}
    if not photos:
        raise DataError(
            f"{data.folder}: all of its photos show test people; the split goes by name, so add more people"
        )
    return photos


def label_photos(
    photos: Mapping[str, DatasetPhoto], progress: Progress, workers: int = 0, landmarks: bool = True
) -> list[Label]:
    """Find the face nearest to the center of each photo, and dlib's landmarks of it.

    Args:
        photos: By their paths in the data set, as `photos_to_label` gives them.
        progress: Told of every photo.
        workers: Processes to use; 0 for one per core.
        landmarks: Whether landmarks are wanted; without, every photo with a face is used.

    Raises:
        MissingExtraError: If landmarks are wanted and dlib is not installed.
    """
    if landmarks:
        model_file(PREDICTOR)  # says at once, not in a worker, what is not installed
    tasks = [(name, photo.path) for name, photo in photos.items()]
    labels = []
    for label in work_through(_make_labeler, landmarks, tasks, workers, _lose):
        labels.append(label)
        progress(len(labels), len(photos))
    return labels


def _lose(photo: tuple[str, Path], error: WorkerError) -> Label:
    name, path = photo
    return Label(name, fault=str(error.about(on_one_line(str(path)))))


def _make_labeler(landmarks: bool) -> Callable[[tuple[str, Path]], Label]:
    return partial(_label_photo, DlibLandmarks() if landmarks else None)


def _label_photo(provider: DlibLandmarks | None, photo: tuple[str, Path]) -> Label:
    """Find face and landmarks in a photo, given by its name and where it lies; without a provider, the face alone."""
    name, path = photo
    try:
        return _find_label(provider, name, read_photo(path))
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        failure = failure_of(error, on_one_line(str(path)))
        return Label(name, fault=str(failure), traceback=failure.traceback)


def _find_label(provider: DlibLandmarks | None, name: str, pixels: NDArray[np.uint8]) -> Label:
    box = _find_box(pixels)
    if box is None or provider is None:
        return Label(name, box=box, use=box is not None)
    found = provider.label(pixels, box)
    if found is None:
        return Label(name, box=box)
    landmarks, disagreement = found[0].astype(np.float64).round(2), round(found[1], 4)
    if find_fault(box, landmarks):
        return Label(name, box=box)
    return Label(
        name,
        box=box,
        landmarks=landmarks,
        provider=PROVIDER,
        disagreement=disagreement,
        use=disagreement <= MOST_DISAGREEMENT,
    )


def _find_box(pixels: NDArray[np.uint8]) -> Box | None:
    """Find the box nearest to the photo's center, rounded as the CSV has it."""
    upright = [face for face in detect(pixels) if face.roll_degrees == 0]
    center = (np.array([pixels.shape[1], pixels.shape[0]]) - 1) / 2
    nearest = min(upright, key=lambda face: float(np.linalg.norm(face.center - center)), default=None)
    return None if nearest is None else Box(*(round(value, 2) for value in nearest.box))


def find_fault(box: Box, landmarks: NDArray[np.floating]) -> str | None:
    """Return what is wrong with landmarks (68, 2) of the face in a box: they are another face's, or mistyped."""
    away = np.abs(landmarks - box.center).max(-1)
    if away.max() > FARTHEST_LANDMARK * box.width:
        return f"landmark {away.argmax()} is more than a box width from the box's center"
    left, right = scheme.eye_centers(landmarks.astype(np.float32))
    if left[0] >= right[0]:
        return "the left eye (landmarks 36 to 41) does not lie left of the right one (42 to 47), as the viewer sees it"
    return None


def is_doubtful(label: Label) -> bool:
    """Return whether dlib alone did not know where the face's landmarks are: a person did not turn the photo down."""
    if label.landmarks is None:
        return label.box is not None
    return label.disagreement is not None and label.disagreement > MOST_DISAGREEMENT


def find_doubt(label: Label) -> str | None:
    """Return which of DOUBTS keeps a photo from being used; None if it is used."""
    if label.use:
        return None
    if label.box is None:
        return NOT_READ if label.fault else NO_FACE
    return NO_LANDMARKS if label.landmarks is None else DISAGREEMENT


def describe_labels(labels: Sequence[Label]) -> str:
    """Say in one line how many photos are used, and why the others are not."""
    counts = Counter(map(find_doubt, labels))
    usable = f"{counts[None]:,} of {len(labels):,} photos usable"
    doubts = ", ".join(f"{counts[doubt]:,} {doubt}" for doubt in DOUBTS if counts[doubt])
    return f"{usable}; {doubts}" if doubts else usable


def name_faults(labels: Sequence[Label]) -> list[str]:
    """Name the photos that cannot be read, with their reasons: the first of them."""
    return name_first([label.fault for label in labels if find_doubt(label) == NOT_READ])


def write_labels(path: Path, labels: Sequence[Label], replace: bool = False) -> str | None:
    """Write labels as CSV: pixels to 2 decimals, the disagreement to 4.

    Args:
        path: The file.
        labels: The labels.
        replace: Whether a file that is there may be replaced.

    Returns:
        What a user should know, as `write_file` does.

    Raises:
        OutputError: If it cannot be written.
    """
    return write_file(path, as_csv([COLUMNS, *map(_cells_of, labels)]), replace)


def _cells_of(label: Label) -> list[str]:
    box = [""] * 4 if label.box is None else [f"{value:.2f}" for value in label.box]
    places = [""] * (2 * scheme.COUNT)
    if label.landmarks is not None:
        places = [f"{value:.2f}" for value in label.landmarks.ravel()]
    disagreement = "" if label.disagreement is None else f"{label.disagreement:.4f}"
    return [label.photo, "yes" if label.use else "no", label.provider, disagreement, label.fault, *box, *places]


def read_labels(path: Path, photos: Collection[str], landmarks: bool = True) -> list[Label]:
    """Read labels, in the file's order, also as spreadsheet programs save them.

    These may add a byte order mark, separate by semicolons or tabs, and write decimal commas. The columns may have any
    order, and lines without any content are passed over.

    Args:
        path: The CSV.
        photos: Which photos may be in it, by their paths in the data set.
        landmarks: Whether every photo that is used needs them.

    Raises:
        DataError: If it cannot be read, or something in it cannot be right.
    """
    labels: dict[str, Label] = {}
    for row in _read_rows(path):
        label = _parse(row, landmarks)
        if label.photo not in photos:
            raise row.fault(
                f"{on_one_line(label.photo)} is no photo of the data set that may be trained on, which those of test "
                "people are not; correct its path, save the file as UTF-8, or delete the line"
            )
        if label.photo in labels:
            raise row.fault(f"{on_one_line(label.photo)} has a line before; delete one of them")
        labels[label.photo] = label
    return list(labels.values())


class _Row(NamedTuple):
    """A line of the file: where it is, for messages, and its cells by their columns."""

    where: str
    cells: Mapping[str, str]

    def fault(self, message: str) -> DataError:
        return DataError(f"{self.where}: {message}")

    def numbers(self, columns: Sequence[str]) -> list[float] | None:
        """Return the numbers in some columns, None if all of these are empty."""
        texts = [self.cells[column].strip() for column in columns]
        if not any(texts):
            return None
        return [self._number(column, text) for column, text in zip(columns, texts, strict=True)]

    def _number(self, column: str, text: str) -> float:
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = inf
        if not text:
            raise self.fault(f"{column} is empty; fill in all numbers of the box or the landmarks, or none")
        if not isfinite(value):
            raise self.fault(f"{column} is {on_one_line(text)!r}; write a number of pixels such as 104.25")
        return value


def _read_rows(path: Path) -> Iterator[_Row]:
    """Yield the lines of a CSV that have any content."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", Hint.MAKE_LABELS) from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if any(map(str.strip, cells)):
                row = _Row(f"{path}: line {reader.line_num}", dict(zip(header, cells, strict=False)))
                if len(cells) != len(header):
                    raise row.fault(f"it has {len(cells)} cells, not the {len(header)} of the first line; correct it")
                yield row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: no CSV ({error}); save it as CSV, UTF-8") from error


def _check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a first line that is not COLUMNS, in any order; those that older versions do not write may be missing."""
    advice = "keep the first line as symface label writes it"
    for column in Counter(COLUMNS) - Counter([*header, *OPTIONAL_COLUMNS]):
        raise DataError(f"{path}: line 1: the column {column} is missing; {advice}")
    for column in Counter(header) - Counter(COLUMNS):
        raise DataError(f"{path}: line 1: the column {on_one_line(column)!r} is one too many; {advice}")


def _parse(row: _Row, needs_landmarks: bool) -> Label:
    """Read a line's label; refuse what cannot be right."""
    word = row.cells["use"].strip().lower()
    if word not in ("yes", "no"):
        raise row.fault(f"use is {on_one_line(word)!r}; write yes or no")
    use, box, places = word == "yes", row.numbers(BOX_COLUMNS), row.numbers(LANDMARK_COLUMNS)
    if box is None and (use or places is not None):
        raise row.fault("the box is missing; fill in box_x, box_y, box_width and box_height, brows to chin")
    if box is not None and min(box[2:]) <= 0:
        raise row.fault("the box has no size; correct box_width and box_height, or set use to no and empty the box")
    if use and needs_landmarks and places is None:
        raise row.fault("it is to be used, but has no landmarks; fill them in, or set use to no")
    landmarks = None if places is None else np.array(places).reshape(-1, 2)
    if box is not None and landmarks is not None:
        fault = find_fault(Box(*box), landmarks)
        if fault:
            raise row.fault(f"{fault}; correct it, or empty the landmarks and set use to no")
    disagreement = row.numbers(("disagreement",))
    return Label(
        row.cells["photo"],
        box=None if box is None else Box(*box),
        landmarks=landmarks,
        provider=row.cells["provider"],
        disagreement=None if disagreement is None else disagreement[0],
        fault=row.cells.get("fault", ""),
        use=use,
    )
