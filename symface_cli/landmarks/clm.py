"""CLM and CLNF: move a point distribution model to where patch experts see its landmarks.

Both fit by regularized landmark mean shift (Saragih et al. 2011, with uniform weights) and share the point model of
CLM-framework (T. Baltrusaitis), whose models these are and whose program is followed in all numbers. They differ in
the experts: support vector regression (CLM) or continuous conditional neural fields (CLNF, Baltrusaitis et al. 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.published import locate
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Floats, Gray, Landmarks
from symface_cli.geometry.warping import remap
from symface_cli.landmarks.patches import SIDE, PatchExperts, load_ccnf, load_svr
from symface_cli.landmarks.pdm import RIGID, PointModel, Pose, load_points
from symface_cli.landmarks.viola_jones import BoxLandmarks, Detector

DETECTOR = Detector("haarcascade_frontalface_alt", step=1.2, neighbors=2)
FACE_IN_BOX = Box(0.0578, 0.2166, 0.8924, 0.8676)  # in box widths: where the landmarks lie in a Viola-Jones box
POINTS = "Multi-PIE_aligned_PDM_68.txt"
SCALES = ("0.25", "0.35", "0.5")  # px per mm, for which there are patch experts
WINDOWS = (11, 9, 7)  # px at the experts' scale, one after the other
ITERATIONS = 5  # at most, rigid and then of all parameters
KERNEL = 1.5  # px, standard deviation of the density estimate in a window
KERNEL_STEP = 0.1  # px; the authors tabulate the kernel at these steps
REGULARIZATION = 25.0  # of the components' weights
STILL = 0.01  # px: the length of the change of all coordinates below which an iteration ends
ENLARGEMENT = 0.9  # experts of the next scale are used if they need the photo enlarged by at most 1 / 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Responses:
    """What the patch experts say of a photo.

    Attributes:
        maps: (N, w, w), of the visible landmarks.
        visible: (68,) bool, N of them true.
        base: (68, 2) landmarks in photo pixels, the middles of the windows.
        window_from_photo: (2, 2), rotation and scale from photo pixels to pixels of the windows.
    """

    maps: Floats
    visible: NDArray[np.bool_]
    base: Array
    window_from_photo: Array


class ConstrainedModel(BoxLandmarks):
    """The fitter of both methods.

    Args:
        points: The point model.
        experts: From the smallest training scale to the largest.
    """

    def __init__(self, points: PointModel, experts: Sequence[PatchExperts]) -> None:
        super().__init__(DETECTOR)
        self._points = points
        self._experts = experts

    def fit(self, gray: Gray, box: Box) -> Landmarks:
        """Find the landmarks (68, 2) in a gray photo (H, W), of the face in a box of this method's own detector."""
        pose, weights = self._points.start(face_box(box)), np.zeros(self._points.modes)
        scales = [experts.views.scale for experts in self._experts]
        nearest = int(np.argmin([abs(scale - pose.scale) for scale in scales]))
        level = max(nearest + 1 - len(WINDOWS), 0)  # so that the last window may use the nearest scale
        for window in WINDOWS:
            responses = self._respond(gray, level, window, pose, weights)
            for parameters in (RIGID, RIGID + self._points.modes):
                pose, weights = self._approach(responses, pose, weights, parameters)
            if level + 1 < len(scales) and ENLARGEMENT * scales[level] < pose.scale:
                level += 1
        return self._points.project(pose, weights).astype(np.float32)

    def _respond(self, gray: Gray, level: int, window: int, pose: Pose, weights: Array) -> Responses:
        """Ask the experts of a scale, in windows around the landmarks of a pose and weights."""
        experts = self._experts[level]
        view = experts.views.nearest(pose.turn)
        visible = experts.views.visible[view]
        base = self._points.project(pose, weights)
        reference = self._points.project(Pose(experts.views.scale, np.zeros(3), np.zeros(2)), weights)
        window_from_photo = similarity(base, reference)
        photo_from_window = np.asarray(np.linalg.inv(window_from_photo), np.float64)
        areas = sample_areas(gray, base[visible], photo_from_window, window + SIDE - 1)
        return Responses(
            maps=experts.respond(view, areas), visible=visible, base=base, window_from_photo=window_from_photo
        )

    def _approach(self, responses: Responses, pose: Pose, weights: Array, parameters: int) -> tuple[Pose, Array]:
        """Move the first 6 or all `parameters` until the landmarks stand still, by regularized least squares."""
        penalty = np.zeros(parameters)
        penalty[RIGID:] = (REGULARIZATION / self._points.variances)[: parameters - RIGID]
        shape = self._points.project(pose, weights)
        for _ in range(ITERATIONS):
            jacobian = self._points.jacobian(pose, weights)[:, responses.visible, :parameters].reshape(-1, parameters)
            wanted = jacobian.T @ mean_shifts(responses, shape).T.ravel()
            wanted[RIGID:] -= penalty[RIGID:] * weights[: parameters - RIGID]
            step = np.linalg.solve(jacobian.T @ jacobian + np.diag(penalty), wanted)
            pose, weights = self._points.move(pose, weights, step)
            before, shape = shape, self._points.project(pose, weights)
            if np.linalg.norm(shape - before) < STILL:
                break
        return pose, weights


class ClmLandmarks(ConstrainedModel):
    """Find 68 landmarks with the constrained local model of CLM-framework.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Raises:
        WeightsError: If the model is not here and cannot be downloaded, or is damaged.
    """

    files: ClassVar[tuple[str, ...]] = (POINTS, *(f"svr_patches_{scale}_general.txt" for scale in SCALES))

    def __init__(self, model_folder: Path | None = None) -> None:
        points, *patches = (locate(file, model_folder) for file in self.files)
        super().__init__(load_points(points), [load_svr(file) for file in patches])


class ClnfLandmarks(ConstrainedModel):
    """Find 68 landmarks with the constrained local neural field of CLM-framework.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Raises:
        WeightsError: If the model is not here and cannot be downloaded, or is damaged.
    """

    files: ClassVar[tuple[str, ...]] = (POINTS, *(f"ccnf_patches_{scale}_general.txt" for scale in SCALES))

    def __init__(self, model_folder: Path | None = None) -> None:
        points, *patches = (locate(file, model_folder) for file in self.files)
        super().__init__(load_points(points), [load_ccnf(file) for file in patches])


def face_box(box: Box) -> Box:
    """Return the box from brows to chin and from cheek to cheek, of a Viola-Jones box."""
    return Box(
        box.x + FACE_IN_BOX.x * box.width,
        box.y + FACE_IN_BOX.y * box.width,
        FACE_IN_BOX.width * box.width,
        FACE_IN_BOX.height * box.width,
    )


def similarity(source: Array, target: Array) -> Array:
    """Fit the rotation and scale (2, 2) that takes points (N, 2) to others best, both from their means (Umeyama 1991).

    The scale is the ratio of the extents, as in CLM-framework, not that of least squares as in `fit_similarity`.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    left, _, right = np.linalg.svd(a.T @ b)
    flip = np.diag([1, np.linalg.det(left @ right)])
    scale = np.linalg.norm(b) / np.linalg.norm(a)
    return np.asarray(scale * (right.T @ flip @ left.T), np.float64)


def sample_areas(gray: Gray, centers: Array, photo_from_area: Array, side: int) -> Floats:
    """Cut pieces (N, side, side) of a gray photo (H, W) around points (N, 2), rotated and scaled by a (2, 2) matrix.

    Sampled bilinearly; beyond its edges, the photo goes on with its outermost pixels.
    """
    ticks = np.arange(side) - (side - 1) / 2
    offsets = np.stack(np.meshgrid(ticks, ticks), -1) @ photo_from_area.T  # (side, side, 2)
    where = centers[:, None, None] + offsets
    # Only the face's surroundings become float32: a photo may have 200 million pixels.
    limits = np.array(gray.shape[::-1]) - 1
    low = np.clip(np.floor(where.min((0, 1, 2))), 0, limits).astype(int)
    high = np.clip(np.ceil(where.max((0, 1, 2))), 0, limits).astype(int)
    part = gray[low[1] : high[1] + 1, low[0] : high[0] + 1].astype(np.float32)
    maps = (where - low).reshape(-1, side, 2).astype(np.float32)
    areas = remap(part, maps, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    return areas.reshape(-1, side, side)


def mean_shifts(responses: Responses, shape: Array) -> Array:
    """Return the shift of each visible landmark to the mean of its response under a Gaussian around it, (N, 2) in px.

    Args:
        responses: Of the landmarks, in their windows.
        shape: (68, 2) landmarks in photo pixels; one that has left its window is put on its edge.
    """
    window = responses.maps.shape[-1]
    moved = (shape - responses.base)[responses.visible] @ responses.window_from_photo.T
    at = np.clip(moved + (window - 1) / 2, 0, window - KERNEL_STEP)  # (N, 2) in window pixels
    ticks = np.arange(window)
    tabulated = KERNEL_STEP * np.floor(at / KERNEL_STEP + 0.5)
    kernel = np.exp(-0.5 * ((tabulated[..., None] - ticks) / KERNEL) ** 2)  # (N, 2, w)
    across, down = kernel[:, 0], kernel[:, 1]
    columns = np.stack([across, across * ticks], -1)
    rows = np.stack([down, down * ticks], 1)
    moments = rows @ responses.maps @ columns  # (N, 2, 2): [[sum, sum of x], [sum of y, ...]]
    total = moments[:, 0, 0]
    means = np.stack([moments[:, 0, 1], moments[:, 1, 0]], 1) / np.maximum(total, np.finfo(np.float64).tiny)[:, None]
    shifts = np.where(total[:, None] > 0, means - at, 0)
    return np.asarray(shifts @ np.linalg.inv(responses.window_from_photo).T, np.float64)
