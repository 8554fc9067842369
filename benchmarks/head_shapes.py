"""The depth of a face by a model of 3D heads, ICT-FaceKit: `identity`, `expression` and nod are fitted to its points.

A face that smiles has lips and mouth corners farther back than one at rest: the depth of a face at rest would turn it
as no head turns. So would that of an upright head turn one that is bowed or raised, whose chin lies farther or nearer;
and that of what lies beside a part: points of the head are moved to those of the face, and its neck is left out.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from named_measures import by_ibug
from numpy.typing import NDArray

from symface_cli.geometry.types import Array
from symface_cli.measurement.points.scheme import index_of

FIELD = 33  # points along each side of the face frame at which depth is given
FINER = 8  # pixels between these points, in which a head is painted
SHIFT = 4  # binary places behind the point of pixel coordinates
SMOOTH = 0.35  # of the distance between points, deviation
SKIN, EYES = range(9409), range(21451, 24591)  # vertices of the face and of the eyeballs
OUTLINE = 0.45  # normalized: the depth there is that of a head's axis, as far as the picture goes
SPREAD, LONE = 0.1, 0.1  # normalized, how far around a point a head moves with it; what a point alone counts against
UNSURE = 0.02  # normalized, deviation of points from those of a head
NODDING = 0.2  # radians, deviation: with 0.12, depths explain less of LFW's turned training photos
EXPRESSED = 0.3  # deviation of an expression, of which 1 is the strongest; that of an identity is 1
ROUNDS = 8  # in which size, shape and nod are fitted
OUTERMOST, CHIN, NOSE_TIP = 0, 8, 30  # of 68 landmarks
TIP = 4777  # vertex of the nose's tip as our points have it: between those of landmarks 30 and 33
PUPILS = [index_of("pupil", 0), index_of("pupil", 1)]


class HeadShapes:
    """ICT-FaceKit: heads as sums of a mean (N, 3), identities and expressions, x to the right, y down, z to the camera.

    Args:
        path: ict_facekit.npz: `mean`, `identity`, `expression`, `expression_names`, and `indices` with the landmarks.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._mean = _downward(file["mean"])
            landmarks = np.array(json.loads(str(file["indices"]))["idx_to_landmark_verts"])
            landmarks[NOSE_TIP] = TIP
            expressions = _of_both_sides(file["expression"], [str(name) for name in file["expression_names"]])
            self._modes = _downward(np.concatenate([file["identity"].astype(np.float64), expressions]))
            quads = file["quads"]
        self._points = by_ibug(self._mean[landmarks])
        self._point_modes = np.stack([by_ibug(mode[landmarks]) for mode in self._modes])
        above_neck = self._mean[:, 1] <= self._mean[landmarks[CHIN], 1]
        shown = (np.isin(quads, SKIN) & above_neck[quads]).all(1) | np.isin(quads, EYES).all(1)
        kept, corners = np.unique(quads[shown], return_inverse=True)
        self._quads = corners.reshape(-1, 4)
        self._mean, self._modes = self._mean[kept], self._modes[:, kept]
        self._outline = int(np.flatnonzero(kept == landmarks[OUTERMOST])[0])
        self._deviation = np.where(np.arange(len(self._modes)) < len(self._modes) - len(expressions), 1.0, EXPRESSED)

    def depth_of(self, places: Array) -> Array:
        """Return how far points of the face frame lie towards the camera, (33, 33) in its units, 0 at the cheeks.

        What lies behind the ears is taken to be as far as they are: a picture that is moved cannot show it.

        Args:
            places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        """
        head = self._place(*self._fit(places), places)
        depth = cv2.GaussianBlur(self._paint(head), (0, 0), SMOOTH * FINER).astype(np.float64)
        symmetric = ((depth + depth[:, ::-1]) / 2)[::FINER, ::FINER]
        level: Array = symmetric - symmetric[FIELD // 2, round((OUTLINE + 1) / 2 * (FIELD - 1))]
        return level

    def _paint(self, head: Array) -> NDArray[np.float32]:
        """Paint the depth of what a camera sees of a head, (257, 257): what lies nearer over what lies farther."""
        side = FINER * (FIELD - 1) + 1
        corners = head[self._quads]
        at = np.rint((corners[..., :2] + 1) / 2 * (side - 1) * 2**SHIFT).astype(np.int32)
        depths = corners[..., 2].mean(1)
        painted = np.full((side, side), np.nan, np.float32)
        for index in np.argsort(depths):
            cv2.fillConvexPoly(painted, at[index], float(depths[index]), shift=SHIFT)
        return np.maximum(_fill(painted), np.float32(head[self._outline, 2]))

    def _fit(self, places: Array) -> tuple[Array, float]:
        """Return how much there is of each mode, and the nod: the most probable ones by normal distributions."""
        wanted, known = _centered(places), np.append(1 / self._deviation**2, 1 / NODDING**2)
        amounts, nod = np.zeros(len(self._modes)), 0.0
        for _ in range(ROUNDS):
            mean, modes = (_centered(nodded(each, nod)) for each in (self._points, self._point_modes))
            now = mean + np.tensordot(amounts, modes, 1)
            size = (now[:, :2] * wanted).sum() / (now[:, :2] ** 2).sum()
            lower = now[:, 2:] * [0, 1]  # by a further nod: what is nearer
            rows = np.stack([*modes[..., :2], lower]).reshape(len(modes) + 1, -1)
            left = (wanted / size - mean[:, :2] + nod * lower).ravel()
            noise = UNSURE / size
            found = np.linalg.solve(rows @ rows.T / noise**2 + np.diag(known), rows @ left / noise**2)
            amounts, nod = found[:-1], float(found[-1])
            amounts = np.where(self._deviation < 1, amounts.clip(0, 1), amounts)
        return amounts, nod

    def _place(self, amounts: Array, nod: float, places: Array) -> Array:
        """Return a head's vertices (N, 3) in the face frame, where its points are nearly those of the face."""
        head, points = (
            nodded(mean + np.tensordot(amounts, modes, 1), nod)
            for mean, modes in ((self._mean, self._modes), (self._points, self._point_modes))
        )
        pupils = points[PUPILS, :2]
        size = np.linalg.norm(places[PUPILS[1]] - places[PUPILS[0]]) / np.linalg.norm(pupils[1] - pupils[0])
        at, own = (size * (each[:, :2] - pupils.mean(0)) + places[PUPILS].mean(0) for each in (head, points))
        return np.concatenate([at + _moved(at, own, places), size * head[:, 2:]], -1)


def _moved(at: Array, points: Array, places: Array) -> Array:
    """Return how far what lies at (N, 2) moves with the nearest points (M, 2), which move to their places."""
    weights = np.exp(-((at[:, None] - points) ** 2).sum(-1) / (2 * SPREAD**2))
    return np.asarray(weights @ (places - points) / (weights.sum(1, keepdims=True) + LONE))


def _fill(painted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what is NaN by what is nearest."""
    unknown = np.isnan(painted)
    _, labels = cv2.distanceTransformWithLabels(
        unknown.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(labels.max() + 1, np.float32)
    nearest[labels[~unknown]] = painted[~unknown]
    return nearest[labels]


def nodded(points: Array, radians: float) -> Array:
    """Return points (..., 3) of a head that is bowed: what is nearer lies lower then, and what is lower farther."""
    c, s = np.cos(radians), np.sin(radians)
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, c * y + s * z, c * z - s * y], -1)


def _downward(vertices: NDArray[np.floating]) -> Array:
    return np.asarray(vertices * np.array([1.0, -1.0, 1.0]), np.float64)


def _of_both_sides(expressions: NDArray[np.floating], names: list[str]) -> Array:
    """Return expressions (M, N, 3), of which those of either side are added up."""
    both: dict[str, Array] = {}
    for name, expression in zip(names, expressions.astype(np.float64), strict=True):
        whole = name.removesuffix("_L").removesuffix("_R").removesuffix("Left").removesuffix("Right")
        both[whole] = both.get(whole, 0) + expression
    return np.stack(list(both.values()))


def _centered(points: Array) -> Array:
    return np.asarray(points - points.mean(-2, keepdims=True))
