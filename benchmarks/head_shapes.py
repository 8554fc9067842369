"""The depth of a face by a model of 3D heads, ICT-FaceKit: `identity`, `expression` and nod are fitted to its points.

A face that smiles has lips and mouth corners farther back than one at rest: the depth of a face at rest would turn it
as no head turns. So would that of an upright head turn one that is bowed or raised, whose chin lies farther or nearer.
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
REACH = 0.02  # normalized, around a point, of the vertices that give its depth
SMOOTH = 0.7  # of the distance between points, deviation
OUTLINE = 0.45  # normalized: the depth there is that of a head's axis, as far as the picture goes
UNSURE = 0.02  # normalized, deviation of points from those of a head
NODDING = 0.2  # radians, deviation: with 0.12, depths explain less of LFW's turned training photos
BOWED = 0.125  # radians, mean of the nods found of LFW's training people, whose chins do not turn as if bowed
EXPRESSED = 0.3  # deviation of an expression, of which 1 is the strongest; that of an identity is 1
ROUNDS = 8  # in which size, shape and nod are fitted
PUPILS = [index_of("pupil", 0), index_of("pupil", 1)]


class HeadShapes:
    """ICT-FaceKit: heads as sums of a mean (N, 3), identities and expressions, x to the right, y down, z to the camera.

    Args:
        path: ict_facekit.npz: `mean`, `identity`, `expression`, `expression_names`, and `indices` with the landmarks.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._mean = _downward(file["mean"])
            self._landmarks = np.array(json.loads(str(file["indices"]))["idx_to_landmark_verts"])
            expressions = _of_both_sides(file["expression"], [str(name) for name in file["expression_names"]])
            self._modes = _downward(np.concatenate([file["identity"].astype(np.float64), expressions]))
        self._points = by_ibug(self._mean[self._landmarks])
        self._point_modes = np.stack([by_ibug(mode[self._landmarks]) for mode in self._modes])
        self._deviation = np.where(np.arange(len(self._modes)) < len(self._modes) - len(expressions), 1.0, EXPRESSED)

    def depth_of(self, places: Array) -> Array:
        """Return how far points of the face frame lie towards the camera, (33, 33) in its units, 0 at the cheeks.

        What lies behind the ears is taken to be as far as they are: a picture that is moved cannot show it.

        Args:
            places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        """
        head = self._place(*self._fit(places), places)
        at = (head[:, :2] + 1) / 2 * (FIELD - 1)
        point = np.rint(at).astype(int)
        near = (np.abs(at - point).max(-1) < REACH / 2 * (FIELD - 1)) & ((point >= 0) & (point < FIELD)).all(-1)
        depth = np.full((FIELD, FIELD), head[self._landmarks[0], 2])
        np.maximum.at(depth, (point[near, 1], point[near, 0]), head[near, 2])
        smooth = cv2.GaussianBlur(depth, (0, 0), SMOOTH)
        symmetric = (smooth + smooth[:, ::-1]) / 2
        level: Array = symmetric - symmetric[FIELD // 2, round((OUTLINE + 1) / 2 * (FIELD - 1))]
        return level

    def _fit(self, places: Array) -> tuple[Array, float]:
        """Return how much there is of each mode, and the nod: the most probable ones by normal distributions."""
        wanted, known = _centered(places), np.append(1 / self._deviation**2, 1 / NODDING**2)
        amounts, nod = np.zeros(len(self._modes)), 0.0
        for _ in range(ROUNDS):
            mean, modes = (_centered(nodded(points, nod)) for points in (self._points, self._point_modes))
            now = mean + np.tensordot(amounts, modes, 1)
            size = (now[:, :2] * wanted).sum() / (now[:, :2] ** 2).sum()
            lower = now[:, 2:] * [0, 1]  # by a further nod: what is nearer
            rows = np.stack([*modes[..., :2], lower]).reshape(len(modes) + 1, -1)
            left = (wanted / size - mean[:, :2] + nod * lower).ravel()
            noise = UNSURE / size
            found = np.linalg.solve(rows @ rows.T / noise**2 + np.diag(known), rows @ left / noise**2)
            amounts, nod = found[:-1], float(found[-1])
            amounts = np.where(self._deviation < 1, amounts.clip(0, 1), amounts)
        return amounts, nod - BOWED

    def _place(self, amounts: Array, nod: float, places: Array) -> Array:
        """Return a head's vertices (N, 3) in the face frame, its pupils where those of the points are."""
        head = nodded(self._mean + np.tensordot(amounts, self._modes, 1), nod)
        pupils = by_ibug(head[self._landmarks])[PUPILS, :2]
        size = np.linalg.norm(places[PUPILS[1]] - places[PUPILS[0]]) / np.linalg.norm(pupils[1] - pupils[0])
        moved = size * (head[:, :2] - pupils.mean(0)) + places[PUPILS].mean(0)
        return np.concatenate([moved, size * head[:, 2:]], -1)


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
