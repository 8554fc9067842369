"""Find dlib's 68 landmarks: the HOG face detector and the shape predictor of Kazemi & Sullivan 2014.

Part of the `landmarks` extra: used to label training photos and as a baseline, never to symmetrize with the network.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from symface_cli.errors import MissingExtraError
from symface_cli.geometry.frames import Box, apply, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.scheme import IBUG_68, LandmarkScheme

PREDICTOR = "shape_predictor_68_face_landmarks.dat"
REGION_BOXES = 2.4  # side of the region that is searched for the face, in Viola-Jones box widths
REGION_SIZE = 300  # px; a face is then about 125 px wide, well above the 80 px that the HOG detector needs
START_JITTERS = ((0.0, 0.0, 1.0), (0.03, 0.03, 1.04), (-0.03, 0.03, 0.96), (0.03, -0.03, 0.96), (-0.03, -0.03, 1.04))
"""Shifts (in box widths) and scales of the rectangles from which the predictor is started."""


def model_file(name: str) -> Path:
    """Return the path of a file of face_recognition_models, which is not imported: it needs an old setuptools.

    Raises:
        MissingExtraError: If the `landmarks` extra is not installed.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None or find_spec("dlib") is None:
        raise MissingExtraError("dlib and its models are not installed", "landmarks")
    return Path(spec.origin).parent / "models" / name


class DlibLandmarks:
    """Find 68 landmarks with dlib."""

    files: ClassVar[tuple[str, ...]] = ()  # its models come with the `landmarks` extra
    scheme: ClassVar[LandmarkScheme] = IBUG_68

    def __init__(self) -> None:
        predictor = model_file(PREDICTOR)
        import dlib

        self._dlib = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(predictor))

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Find the landmarks (68, 2) of every face that the HOG detector finds in the photo, up-sampled once."""
        return [self._predict(photo, rectangle) for rectangle in self._detector(photo, 1)]

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Find the landmarks of the face nearest to `point` (2,) of the photo; None if the detector finds no face."""
        faces = self.find_faces(photo)
        return min(faces, key=lambda found: float(np.linalg.norm(found.mean(0) - point)), default=None)

    def label(self, photo: Photo, box: Box) -> tuple[Landmarks, float] | None:
        """Find the landmarks of the face in a Viola-Jones box, carefully, for training.

        They are the mean of ten runs: five jittered starts on the photo and on its mirror image.

        Returns:
            Landmarks (68, 2) in photo pixels, and the runs' disagreement: the mean distance of a landmark to its mean,
            in eye distances. None if the detector does not see the face.
        """
        region_from_photo = crop_from_box(box, REGION_SIZE, REGION_BOXES)
        region = resample(photo, region_from_photo, REGION_SIZE)
        rectangles = self._detector(region, 0)
        if not rectangles:
            return None
        middle = (REGION_SIZE - 1) / 2
        rectangle = min(rectangles, key=lambda r: abs(r.center().x - middle) + abs(r.center().y - middle))
        runs = np.stack(
            [
                self._predict(image, self._jitter(rectangle, jitter, flip), flip)
                for flip, image in ((False, region), (True, region[:, ::-1].copy()))
                for jitter in START_JITTERS
            ]
        )
        landmarks = runs.mean(0)
        spread = float(np.linalg.norm(runs - landmarks, axis=-1).mean()) / IBUG_68.eye_distance(landmarks)
        return apply(np.linalg.inv(region_from_photo), landmarks).astype(np.float32), spread

    def _predict(self, image: Photo, rectangle: Any, flip: bool = False) -> Landmarks:
        points = self._predictor(np.ascontiguousarray(image), rectangle).parts()
        landmarks = np.array([(point.x, point.y) for point in points], np.float32)
        if flip:
            landmarks = landmarks[IBUG_68.mirror]
            landmarks[:, 0] = image.shape[1] - 1 - landmarks[:, 0]
        return landmarks

    def _jitter(self, rectangle: Any, jitter: tuple[float, float, float], flip: bool) -> Any:
        shift_x, shift_y, scale = jitter
        width = rectangle.width()
        x = rectangle.center().x + shift_x * width
        y = rectangle.center().y + shift_y * width
        if flip:
            x = REGION_SIZE - 1 - x
        half = scale * width / 2
        return self._dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
