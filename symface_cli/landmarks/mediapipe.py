"""MediaPipe's face mesh: 468 points of a face, by its own detector and network (Kartynnik et al. 2019), through OpenCV.

Used to label training photos beside dlib and as a baseline, never to symmetrize with the network. The steps and numbers
are those of MediaPipe's graphs for single pictures: a detector of faces at a short range (BlazeFace, Bazarevsky et al.
2019), and the mesh in a square around what it finds. A second look in a square around the mesh, as MediaPipe takes from
one picture of a video to the next, makes midlines worse: deviations of 1.28 instead of 1.10 % on the London Set.
"""

from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy as np

from symface_cli.data.published import locate
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import Box, apply, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Floats, Landmarks, Photo
from symface_cli.landmarks.mesh import MESH_468
from symface_cli.landmarks.scheme import LandmarkScheme

DETECTOR = "face_detection_short_range.tflite"
NETWORK = "face_landmark.tflite"
POINTS_OUTPUT = "conv2d_21"  # the network's layer with the points
DETECTOR_SIZE = 128  # px, side of the detector's input
MESH_SIZE = 192  # px, side of the mesh's input
ANCHORS = ((16, 2), (8, 6))  # cells along each side of a map, and anchors in each cell
LEAST_SCORE = 0.5  # of a face
SAME_FACE = 0.3  # overlap (intersection over union) from which on two boxes show the same face
MARGIN = 1.5  # side of the mesh's square over the longer side of the detector's box
REGION_BOXES = 2.4  # side of the region that is searched for a labeled face, in Viola-Jones box widths
REGION_SIZE = 256  # px


class Square(NamedTuple):
    """A turned square of a photo."""

    center: Array
    """(2,) in photo pixels."""
    side: float
    """In photo pixels."""
    across: Array
    """Unit direction (2,) from the face's left eye to the right one, as the viewer sees it."""


class MediaPipeLandmarks:
    """Find the mesh's 468 points with MediaPipe's networks.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Raises:
        WeightsError: If the models are not here and cannot be downloaded, or are damaged.
    """

    files: ClassVar[tuple[str, ...]] = (DETECTOR, NETWORK)
    scheme: ClassVar[LandmarkScheme] = MESH_468

    def __init__(self, model_folder: Path | None = None) -> None:
        self._detector, self._network = (load_network(locate(file, model_folder)) for file in self.files)

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Find the points (468, 2) of every face that the detector finds in a photo (H, W, 3), the surest first."""
        return [self._predict(photo, square) for square in self._detect(photo)]

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Find the points of the face whose middle is nearest to `point` (2,) of the photo; None without a face."""
        squares = self._detect(photo)
        nearest = min(squares, key=lambda square: float(np.linalg.norm(square.center - point)), default=None)
        return None if nearest is None else self._predict(photo, nearest)

    def label(self, photo: Photo, box: Box) -> tuple[Landmarks, float] | None:
        """Find the points of the face in a Viola-Jones box, carefully, for training.

        They are the mean of two runs, on the photo and on its mirror image.

        Returns:
            Points (468, 2) in photo pixels, and the runs' disagreement: the mean distance of a point to its mean, in
            eye distances. None if the detector does not see the face in both.
        """
        region_from_photo = crop_from_box(box, REGION_SIZE, REGION_BOXES)
        region = resample(photo, region_from_photo, REGION_SIZE)
        middle = np.full(2, (REGION_SIZE - 1) / 2)
        found = self.find_nearest(region, middle)
        mirrored = self.find_nearest(np.ascontiguousarray(region[:, ::-1]), middle)
        if found is None or mirrored is None:
            return None
        back = mirrored[MESH_468.mirror] * [-1, 1] + [REGION_SIZE - 1, 0]
        points = ((found + back) / 2).astype(np.float32)
        spread = float(np.linalg.norm(found - points, axis=-1).mean()) / MESH_468.eye_distance(points)
        return apply(np.linalg.inv(region_from_photo), points).astype(np.float32), spread

    def _predict(self, photo: Photo, square: Square) -> Landmarks:
        """Predict the mesh in a square of the photo, (468, 2) in photo pixels."""
        image_from_photo = image_from_square(square, MESH_SIZE)
        image = resample(photo, image_from_photo, MESH_SIZE)
        self._network.setInput(cv2.dnn.blobFromImage(image, 1 / 255))
        points = self._network.forward(POINTS_OUTPUT).reshape(MESH_468.count, 3)[:, :2] - 0.5  # 0: the pixel's edge
        return apply(np.linalg.inv(image_from_photo), points).astype(np.float32)

    def _detect(self, photo: Photo) -> list[Square]:
        """Find the squares in which the mesh is looked for, the surest face first."""
        height, width = photo.shape[:2]
        whole = Square(np.array([width - 1, height - 1]) / 2, float(max(width, height)), np.array([1.0, 0.0]))
        image_from_photo = image_from_square(whole, DETECTOR_SIZE)
        image = resample(photo, image_from_photo, DETECTOR_SIZE)
        ticks = np.arange(DETECTOR_SIZE, dtype=np.float64)
        places = apply(np.linalg.inv(image_from_photo), np.stack(np.meshgrid(ticks, ticks), -1))
        inside = ((places > -1) & (places < [width, height])).all(-1, keepdims=True)
        image = np.where(inside, image, np.uint8(0))  # black where the photo is no square
        self._detector.setInput(cv2.dnn.blobFromImage(image, 2 / 255, mean=(127.5, 127.5, 127.5)))
        scores, boxes = self._detector.forward(["classificators", "regressors"])
        faces = _merge(_sigmoid(scores[0, :, 0]), _decode(boxes[0]))
        photo_from_image = np.linalg.inv(image_from_photo)
        return [square_around(apply(photo_from_image, DETECTOR_SIZE * face - 0.5)) for face in faces]


def load_network(path: Path) -> cv2.dnn.Net:
    """Load a network.

    Raises:
        WeightsError: If the file is damaged.
    """
    try:
        return cv2.dnn.readNetFromTFLite(str(path))
    except cv2.error as error:
        raise WeightsError(f"{path}: not a network of MediaPipe ({error.err})") from error


def square_around(points: Array) -> Square:
    """Return where the mesh is looked for.

    Args:
        points: What the detector finds, (8, 2) in photo pixels: corners of a box, both eyes and four more points.
    """
    across = points[3] - points[2]
    side = MARGIN * np.abs(points[1] - points[0]).max()
    return Square(points[:2].mean(0), float(side), across / np.linalg.norm(across))


def image_from_square(square: Square, size: int) -> Array:
    """Return the matrix from photo pixels to those of a size x size image of the square."""
    (c, s), scale = square.across, size / square.side
    matrix = np.array([[scale * c, scale * s, 0], [-scale * s, scale * c, 0], [0, 0, 1.0]])
    matrix[:2, 2] = (size - 1) / 2 - matrix[:2, :2] @ square.center
    return matrix


def _sigmoid(values: Floats) -> Array:
    scores: Array = 1 / (1 + np.exp(-values.astype(np.float64).clip(-100, 100)))
    return scores


@cache
def _anchors() -> Array:
    """Return what the detector's boxes are counted from, (896, 2): the middles of its maps' cells, in 0..1."""
    maps = []
    for cells, count in ANCHORS:
        ticks = (np.arange(cells) + 0.5) / cells
        maps.append(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2).repeat(count, 0))
    return np.concatenate(maps)


def _decode(raw: Floats) -> Array:
    """Turn numbers (896, 16) into corners of a box and six points of a face for each anchor, (896, 8, 2) in 0..1."""
    pairs = raw.astype(np.float64).reshape(-1, 8, 2) / DETECTOR_SIZE
    center, size, points = pairs[:, :1], pairs[:, 1:2], pairs[:, 2:]
    return np.concatenate([center - size / 2, center + size / 2, points], 1) + _anchors()[:, None]


def _merge(scores: Array, faces: Array) -> list[Array]:
    """Merge the faces (8, 2) whose boxes show the same into their mean, weighted by the scores; the surest first."""
    order = np.argsort(-scores, kind="stable")
    left = order[scores[order] >= LEAST_SCORE]
    merged = []
    while len(left):
        same = _overlap(faces[left[0]], faces[left]) >= SAME_FACE
        chosen, left = left[same], left[~same]
        merged.append(np.average(faces[chosen], 0, scores[chosen]))
    return merged


def _overlap(face: Array, faces: Array) -> Array:
    """Return the intersection over union of a face's box and others', (N,)."""
    low, high = np.maximum(face[0], faces[:, 0]), np.minimum(face[1], faces[:, 1])
    shared = (high - low).clip(min=0).prod(1)
    overlap: Array = shared / ((face[1] - face[0]).prod() + (faces[:, 1] - faces[:, 0]).prod(1) - shared)
    return overlap
