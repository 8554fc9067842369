"""Where the irises are: MediaPipe's network for them (Ablavatski et al. 2020), through OpenCV.

Used to label training photos, and to scale measurements, never to symmetrize. It looks at each eye in a square around
the corners that the mesh gives it, as MediaPipe's graph does.
"""

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from symface_cli.data.published import locate
from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.mediapipe import Square, image_from_square, load_network

NETWORK = "iris_landmark.tflite"
IRIS_OUTPUT = "output_iris"  # the network's layer with the iris: its center and four points on its edge
EYE_OUTPUT = "output_eyes_contours_and_brows"  # and that with 71 points of the eye, of which the first 16 are the lids
LIDS = 16  # the lower lid from the outer corner to the inner one, then what is between them of the upper lid
SIZE = 64  # px, side of the network's input
SQUARE_SIDE = 2.3  # of the square around an eye, in distances between its corners
CORNERS = ((33, 133), (362, 263))  # points of the mesh: left and right corner of the left and of the right eye


class MediaPipeIrises:
    """Find both irises of a face whose mesh is known.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Raises:
        WeightsError: If the model is not here and cannot be downloaded, or is damaged.
    """

    files: ClassVar[tuple[str, ...]] = (NETWORK,)

    def __init__(self, model_folder: Path | None = None) -> None:
        self._network = load_network(locate(NETWORK, model_folder))

    def find(self, photo: Photo, points: Landmarks) -> Array:
        """Find the irises of the face with a mesh (468, 2) in a photo (H, W, 3).

        Returns:
            x, y and radius in photo pixels, (2, 3): of the left eye and of the right one, as the viewer sees them. The
            network always answers, of closed eyes as well.
        """
        found = [self._find_one(photo, points, eye, IRIS_OUTPUT) for eye in range(2)]
        edges = [np.linalg.norm(edge - center, axis=1).mean() for center, *edge in found]
        return np.stack([[*center, edge] for (center, *_), edge in zip(found, edges, strict=True)])

    def find_lids(self, photo: Photo, points: Landmarks) -> Array:
        """Find the lids of both eyes of the face with a mesh (468, 2), (2, 16, 2) in photo pixels.

        Of the viewer's left eye, then of the right one: the lower lid from the outer corner to the inner one, nine
        points, and the seven between these of the upper lid.
        """
        return np.stack([self._find_one(photo, points, eye, EYE_OUTPUT)[:LIDS] for eye in range(2)])

    def _find_one(self, photo: Photo, points: Landmarks, eye: int, output: str) -> Array:
        """Find what a layer says of one eye, (N, 2); the right eye is shown mirrored, as a left one."""
        left, right = points[list(CORNERS[eye])].astype(np.float64)
        width = float(np.linalg.norm(right - left))
        square = Square((left + right) / 2, SQUARE_SIDE * width, (right - left) / width)
        image_from_photo = image_from_square(square, SIZE)
        if eye == 1:
            image_from_photo = np.array([[-1, 0, SIZE - 1], [0, 1, 0], [0, 0, 1.0]]) @ image_from_photo
        self._network.setInput(cv2.dnn.blobFromImage(resample(photo, image_from_photo, SIZE), 1 / 255))
        found = self._network.forward(output).reshape(-1, 3)[:, :2] - 0.5  # 0: the pixel's edge
        return apply(np.linalg.inv(image_from_photo), found.astype(np.float64))
