"""The point distribution model of CLM and CLNF: 68 points in space that move along learnt directions.

A face has a pose (scale, rotation, place in the photo) and weights of the model's principal components. Its points are
projected by weak perspective: rotated, scaled, their depth dropped. Model space is in mm, x right, y down.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array
from symface_cli.landmarks import scheme

RIGID = 6  # columns of the Jacobian that belong to the pose: scale, three rotations, two shifts
TURN_LIMIT = np.pi / 2  # radians, for each Euler angle
SPREAD_LIMIT = 3.0  # standard deviations that a component may be away from the mean


@dataclass(frozen=True)
class Pose:
    """Where a face is.

    Attributes:
        scale: px per mm.
        turn: (3,) Euler angles in radians, about x, y and z (see `rotation_matrix`).
        shift: (2,) place of the model's origin, in photo pixels.
    """

    scale: float
    turn: Array
    shift: Array


@dataclass(frozen=True)
class PointModel:
    """A point distribution model.

    Attributes:
        mean: (3, 68) mm.
        components: (3, 68, M), the directions in which the points move together; unit length each.
        variances: (M,) mm^2, of the components' weights.
    """

    mean: Array
    components: Array
    variances: Array

    @property
    def modes(self) -> int:
        """Number M of components."""
        return len(self.variances)

    def solid(self, weights: Array) -> Array:
        """Return the points (3, 68) in mm, of components' weights (M,) in mm."""
        return np.asarray(self.mean + self.components @ weights, np.float64)

    def project(self, pose: Pose, weights: Array) -> Array:
        """Return the landmarks (68, 2) in photo pixels."""
        flat = rotation_matrix(pose.turn)[:2] @ self.solid(weights)
        return np.asarray(pose.scale * flat.T + pose.shift, np.float64)

    def start(self, box: Box) -> Pose:
        """Return the frontal pose in which the mean shape fills a box from brows to chin and cheek to cheek."""
        low, high = self.mean[:2].min(1), self.mean[:2].max(1)
        scale = float(np.mean(np.array([box.width, box.height]) / (high - low)))
        center = np.array([box.x + box.width / 2, box.y + box.height / 2])
        return Pose(scale, np.zeros(3), center - scale * (low + high) / 2)

    def jacobian(self, pose: Pose, weights: Array) -> Array:
        """Return how the landmarks move, (2, 68, 6 + M): x and y, per unit of what `move` adds."""
        rotation = rotation_matrix(pose.turn)[:2]
        x, y, z = solid = self.solid(weights)
        zero = np.zeros_like(x)
        # The cross products of the three axes with each point: what small turns of the unrotated face do.
        turned = np.stack([[zero, -z, y], [z, zero, -x], [-y, x, zero]], -1)  # (3, 68, 3)
        jacobian = np.zeros((2, scheme.COUNT, RIGID + self.modes))
        jacobian[..., 0] = rotation @ solid
        jacobian[..., 1:4] = pose.scale * np.tensordot(rotation, turned, 1)
        jacobian[0, :, 4] = jacobian[1, :, 5] = 1
        jacobian[..., RIGID:] = pose.scale * np.tensordot(rotation, self.components, 1)
        return jacobian

    def move(self, pose: Pose, weights: Array, step: Array) -> tuple[Pose, Array]:
        """Move a pose and weights a step further, within the model's limits.

        Args:
            pose: The pose.
            weights: (M,) mm.
            step: (6 + M,) changes of the scale, small rotations about the face's own axes in radians, shift in pixels,
                weights in mm; without the last M the weights stay.
        """
        turn = euler_angles(rotation_matrix(pose.turn) @ _small_rotation(step[1:4]))
        moved = Pose(pose.scale + float(step[0]), np.clip(turn, -TURN_LIMIT, TURN_LIMIT), pose.shift + step[4:RIGID])
        if len(step) == RIGID:
            return moved, weights
        limit = SPREAD_LIMIT * np.sqrt(self.variances)
        return moved, np.clip(weights + step[RIGID:], -limit, limit)


def rotation_matrix(turn: Array) -> Array:
    """Return the rotation (3, 3) of Euler angles (3,) in radians: first about z, then y, then x."""
    s1, s2, s3 = np.sin(turn)
    c1, c2, c3 = np.cos(turn)
    return np.array(
        [
            [c2 * c3, -c2 * s3, s2],
            [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
            [s1 * s3 - c1 * c3 * s2, c3 * s1 + c1 * s2 * s3, c1 * c2],
        ]
    )


def euler_angles(rotation: Array) -> Array:
    """Return the Euler angles (3,) of a rotation (3, 3): the inverse of `rotation_matrix` for |turn[1]| < pi / 2."""
    return np.array(
        [
            np.arctan2(-rotation[1, 2], rotation[2, 2]),
            np.arcsin(np.clip(rotation[0, 2], -1, 1)),
            np.arctan2(-rotation[0, 1], rotation[0, 0]),
        ]
    )


def load_points(path: Path) -> PointModel:
    """Load a model of CLM-framework: text with the mean, the components and the variances.

    Raises:
        WeightsError: If the file is damaged or of another number of points.
    """
    try:
        text = Text(path.read_text("ascii"))
        mean, components, variances = text.matrix(), text.matrix(), text.matrix()
        modes = variances.size
        return PointModel(
            mean.reshape(3, scheme.COUNT), components.reshape(3, scheme.COUNT, modes), variances.reshape(modes)
        )
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a point distribution model of 68 points ({error})") from error


class Text:
    """Reader of the numbers of CLM-framework's text files one after the other; lines that begin with # are comments.

    All methods raise a ValueError where the file ends too early or has something else.
    """

    def __init__(self, text: str) -> None:
        lines = (line for line in text.splitlines() if not line.startswith("#"))
        self._words: Iterator[str] = (word for line in lines for word in line.split())

    def integer(self) -> int:
        """Read the next number, an integer."""
        return int(self._next())

    def real(self) -> float:
        """Read the next number."""
        return float(self._next())

    def matrix(self) -> NDArray[np.float64]:
        """Read the next matrix: rows, columns, OpenCV's number of the type, then row after row."""
        rows, columns, _ = self.integer(), self.integer(), self.integer()
        return np.array([self.real() for _ in range(rows * columns)]).reshape(rows, columns)

    def _next(self) -> str:
        try:
            return next(self._words)
        except StopIteration:
            raise ValueError("it ends too early") from None


def _small_rotation(turn: Array) -> Array:
    """Return the rotation (3, 3) nearest to 1 + [turn]x."""
    x, y, z = turn
    left, _, right = np.linalg.svd(np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]]))
    return np.asarray(left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right, np.float64)
