"""The depth of a face by a model of 3D heads, ICT-FaceKit: `identity` and `expression` are fitted to its points.

A face that smiles has lips and mouth corners farther back than one at rest: the depth of a face at rest would turn it
as no head turns.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from named_measures import by_ibug
from numpy.typing import NDArray

from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import control_points
from symface_cli.measurement.points.scheme import index_of

FIELD = 33  # points along each side of the face frame at which depth is given
REACH = 0.02  # normalized, around a point, of the vertices that give its depth
SMOOTH = 0.7  # of the distance between points, deviation
OUTLINE = 0.45  # normalized: the depth there is that of a head's axis, as far as the picture goes
UNSURE = 0.02  # normalized, deviation of points from those of a head
EXPRESSED = 0.3  # deviation of an expression, of which 1 is the strongest; that of an identity is 1
ROUNDS = 4  # in which size and shape are fitted
PUPILS = [index_of("pupil", 0), index_of("pupil", 1)]


class HeadShapes:
    """ICT-FaceKit: heads as sums of a mean (N, 3), identities and expressions, x to the right, y up, z to the camera.

    Args:
        path: ict_facekit.npz: `mean`, `identity`, `expression`, `expression_names`, and `indices` with the landmarks.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._mean = file["mean"].astype(np.float64)
            self._landmarks = np.array(json.loads(str(file["indices"]))["idx_to_landmark_verts"])
            expressions = _of_both_sides(file["expression"], [str(name) for name in file["expression_names"]])
            self._modes = np.concatenate([file["identity"].astype(np.float64), expressions])
        self._identities = len(self._modes) - len(expressions)

    def depth_of(self, places: Array) -> Array:
        """Return how far points of the face frame lie towards the camera, (33, 33) in its units, 0 at the cheeks.

        What lies behind the ears is taken to be as far as they are: a picture that is moved cannot show it.

        Args:
            places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        """
        head = self._place(self._fit(places), places)
        points = control_points(FIELD).reshape(-1, 2)
        depth = np.full(len(points), head[self._landmarks[0], 2])
        for i, point in enumerate(points):
            near = head[np.abs(head[:, :2] - point).max(-1) < REACH, 2]
            depth[i] = max(near.max(initial=-np.inf), depth[i])
        smooth = cv2.GaussianBlur(depth.reshape(FIELD, FIELD), (0, 0), SMOOTH)
        symmetric = (smooth + smooth[:, ::-1]) / 2
        level: Array = symmetric - symmetric[FIELD // 2, round((OUTLINE + 1) / 2 * (FIELD - 1))]
        return level

    def _fit(self, places: Array) -> Array:
        """Return how much there is of each mode: the most probable one by normal distributions."""
        mean, modes = self._points_of(self._mean), np.stack([self._points_of(mode) for mode in self._modes])
        wanted, rows = _centered(places), np.stack([_centered(mode) for mode in modes]).reshape(len(modes), -1)
        deviation = np.where(np.arange(len(modes)) < self._identities, 1.0, EXPRESSED)
        amounts = np.zeros(len(modes))
        for _ in range(ROUNDS):
            now = _centered(mean) + (amounts @ rows).reshape(-1, 2)
            size = (now * wanted).sum() / (now**2).sum()
            left = (wanted / size - _centered(mean)).ravel()
            noise = UNSURE / size
            amounts = np.linalg.solve(rows @ rows.T / noise**2 + np.diag(1 / deviation**2), rows @ left / noise**2)
            amounts[self._identities :] = amounts[self._identities :].clip(0, 1)
        return np.asarray(amounts)

    def _points_of(self, vertices: Array) -> Array:
        """Return the points (45, 2) of vertices (N, 3), y downward."""
        return by_ibug(vertices[self._landmarks, :2] * [1, -1])

    def _place(self, amounts: Array, places: Array) -> Array:
        """Return a head's vertices (N, 3) in the face frame, y downward, its pupils where those of the points are."""
        head = self._mean + np.tensordot(amounts, self._modes, 1)
        pupils = self._points_of(head)[PUPILS]
        size = np.linalg.norm(places[PUPILS[1]] - places[PUPILS[0]]) / np.linalg.norm(pupils[1] - pupils[0])
        moved = size * (head[:, :2] * [1, -1] - pupils.mean(0)) + places[PUPILS].mean(0)
        return np.concatenate([moved, size * head[:, 2:]], -1)


def _of_both_sides(expressions: NDArray[np.floating], names: list[str]) -> Array:
    """Return expressions (M, N, 3), of which those of either side are added up."""
    both: dict[str, Array] = {}
    for name, expression in zip(names, expressions.astype(np.float64), strict=True):
        whole = name.removesuffix("_L").removesuffix("_R").removesuffix("Left").removesuffix("Right")
        both[whole] = both.get(whole, 0) + expression
    return np.stack(list(both.values()))


def _centered(points: Array) -> Array:
    return points - points.mean(0)
