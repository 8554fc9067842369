"""What a user would script: MediaPipe's face mesh, the photo leveled, one half mirrored; without symface."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import mediapipe
import numpy as np
from crew import Pair, run

MIDDLE = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 17, 152)  # points of the mesh on the midline
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


@cache
def finder() -> Any:
    """Return MediaPipe's own, loaded once."""
    return mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=False)


def mirror(pairs: Sequence[Pair]) -> None:
    """Mirror the left half of the face in each photo about its midline, the photo leveled on it."""
    for source, result in pairs:
        photo = cv2.imread(str(source))
        height, width = photo.shape[:2]
        found = finder().process(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        if not found:
            continue
        points = np.array([(point.x * width, point.y * height) for point in found[0].landmark])[list(MIDDLE)]
        center = points.mean(0)
        across, down = np.linalg.svd(points - center)[2][0]
        angle = float(np.degrees(np.arctan2(down, across))) % 180 - 90
        leveling = cv2.getRotationMatrix2D(tuple(center), angle, 1)
        leveled = cv2.warpAffine(photo, leveling, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        middle = min(max(round(float(center[0])), 1), width - 1)
        half = leveled[:, max(2 * middle - width, 0) : middle]
        leveled[:, middle : middle + half.shape[1]] = half[:, ::-1]
        cv2.imwrite(str(result), leveled, QUALITY)


cv2.setNumThreads(1)
run(mirror)
