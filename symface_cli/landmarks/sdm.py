"""Supervised descent (Xiong & De la Torre 2013): five linear regressions from HOG features to a better shape.

The model is Lin Wang's (GitHub wanglin193/SupervisedDescentMethod), trained on HELEN.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.published import locate
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Floats, Gray, Landmarks
from symface_cli.geometry.warping import warp_affine
from symface_cli.landmarks import scheme
from symface_cli.landmarks.viola_jones import BoxLandmarks, Detector

DETECTOR = Detector("haarcascade_frontalface_alt2", step=1.2, neighbors=4)
FACE = 128  # px, side of the box in the window
BORDER = 64  # px around it
FILL = 128  # gray level of the window beyond the photo
CELL = 19  # px: round(0.1 * 192)
GLOBAL_HOG = ((192, 192), (128, 128), (32, 32), (32, 32), 9)  # window, block, stride, cell in px; orientations
LOCAL_HOGS = ((4, 6), (4, 4), (3, 4), (3, 4))  # cells along each side of a patch, orientations; for rounds 1 to 4
ONE_GLOBAL_PATCH, ALL_LANDMARKS = -1, 0  # special values of LMKS_EACH_ROUND
FLOAT32 = 5  # OpenCV's type number


@dataclass(frozen=True)
class Round:
    """One step of the descent.

    Attributes:
        hog: The features of a patch.
        index: Landmarks around which patches are taken, None for one patch in the window's middle.
        regressor: (136, D + 1) float32, from the features and a 1 to the shape's change: x and y in turn, in px.
    """

    hog: cv2.HOGDescriptor
    index: NDArray[np.intp] | None
    regressor: Floats

    def corners(self, shape: Floats) -> list[tuple[int, int]]:
        """Return the patches' upper left pixels in the window, truncated as in training."""
        half = self.hog.winSize[0] // 2
        if self.index is None:
            middle = FACE // 2 + BORDER - half
            return [(middle, middle)]
        return [(int(x), int(y)) for x, y in shape[self.index] - half + np.float32(0.5)]


class SdmLandmarks(BoxLandmarks):
    """Find 68 landmarks by supervised descent.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Raises:
        WeightsError: If the model is not here and cannot be downloaded, or is damaged.
    """

    files: ClassVar[tuple[str, ...]] = ("face_sdm.yml", "face_sdm.bin")

    def __init__(self, model_folder: Path | None = None) -> None:
        super().__init__(DETECTOR)
        self._mean, self._rounds = load(*(locate(file, model_folder) for file in self.files))

    def fit(self, gray: Gray, box: Box) -> Landmarks:
        """Find the landmarks (68, 2) in a gray photo (H, W), of the face in a box of this method's own detector."""
        scale = FACE / box.width
        window_from_photo = np.array(
            [[scale, 0, BORDER - scale * box.x], [0, scale, BORDER - scale * box.y], [0, 0, 1]]
        )
        side = FACE + 2 * BORDER
        window = warp_affine(gray, window_from_photo, (side, side), cv2.BORDER_CONSTANT, FILL)
        shape = self._mean
        for step in self._rounds:
            features = step.hog.compute(window, locations=step.corners(shape)).ravel()
            shape = shape + (step.regressor @ np.append(features, np.float32(1))).reshape(scheme.COUNT, 2)
        photo: Array = (shape - window_from_photo[:2, 2]) / scale
        return photo.astype(np.float32)


def load(settings: Path, weights: Path) -> tuple[Floats, list[Round]]:
    """Load a model: the mean shape (68, 2) in window pixels, and the rounds.

    Raises:
        WeightsError: If the files are damaged or do not fit.
    """
    try:
        regressors = read_matrices(weights.read_bytes())
        storage = cv2.FileStorage(str(settings), cv2.FILE_STORAGE_READ)
        mean = np.array(_numbers(storage, "Mean_Shape"), np.float32).reshape(scheme.COUNT, 2)
        counts = [int(count) for count in _numbers(storage, "LMKS_EACH_ROUND")]
        hogs = [cv2.HOGDescriptor(*GLOBAL_HOG), *(_local_hog(*numbers) for numbers in LOCAL_HOGS)]
        rounds = [
            Round(hog, _index(storage, number, count), regressor)
            for number, (hog, count, regressor) in enumerate(zip(hogs, counts, regressors, strict=True))
        ]
        _check(rounds)
    except (OSError, ValueError, cv2.error) as error:
        raise WeightsError(f"{weights}: not the SDM model that {settings.name} describes ({error})") from error
    return mean, rounds


def read_matrices(data: bytes) -> list[Floats]:
    """Read the matrices of a binary file: their number, then for each columns, rows, 5 (float32) and its rows.

    Raises:
        ValueError: If it is something else.
    """
    matrices = []
    at = 4
    for _ in range(int(np.frombuffer(data, "<i4", 1)[0])):
        columns, rows, kind = (int(number) for number in np.frombuffer(data, "<i4", 3, at))
        if kind != FLOAT32:
            raise ValueError(f"a matrix of type {kind}")
        matrices.append(np.frombuffer(data, "<f4", rows * columns, at + 12).reshape(rows, columns))
        at += 12 + 4 * rows * columns
    if at != len(data):
        raise ValueError("too long")
    return matrices


def _local_hog(cells: int, orientations: int) -> cv2.HOGDescriptor:
    side = (CELL * cells, CELL * cells)
    return cv2.HOGDescriptor(side, side, side, (CELL, CELL), orientations)  # one block fills the window


def _index(storage: cv2.FileStorage, number: int, count: int) -> NDArray[np.intp] | None:
    if count == ONE_GLOBAL_PATCH:
        return None
    if count == ALL_LANDMARKS:
        return np.arange(scheme.COUNT)
    return np.array(_numbers(storage, f"ID_IN_ROUND_{number}"), np.intp)


def _check(rounds: list[Round]) -> None:
    """Check that features and regressors fit, or raise a ValueError."""
    for number, step in enumerate(rounds):
        patches = 1 if step.index is None else len(step.index)
        expected = (2 * scheme.COUNT, patches * step.hog.getDescriptorSize() + 1)
        if step.regressor.shape != expected:
            raise ValueError(f"the matrix of round {number} is {step.regressor.shape}, expected {expected}")


def _numbers(storage: cv2.FileStorage, name: str) -> list[float]:
    node = storage.getNode(name)
    return [node.at(i).real() for i in range(node.size())]
