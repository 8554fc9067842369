"""Irises: where they are in the face frame, seen in the photo's own pixels.

Through the warp, both eyes lie where they always lie, and are mirror images of each other but for where they look. An
iris is a disc there of a known size, darker than what is left, right and below of it, whatever its color: in red light
skin and the white of an eye are bright. Lids and lashes, which hide its upper edge, do not count.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import GRID, enlarging_weights

EYE = (0.2604, -0.1354)  # where the middle of a right iris lies in the mean of LFW, in the face frame
RADIUS = 0.043  # of an iris there
GRID_SIZE = 193  # points across the face frame at which is looked: an iris has a radius of four
STEP = 2 / (GRID_SIZE - 1)
REACH = (7, 3)  # points to either side and up or down of EYE, within which middles are looked for
RADII = np.array([0.8, 0.9, 1.0, 1.1, 1.2]) * RADIUS
RING = 1.45  # outer radius of the ring that is compared with the iris, in its radii; it begins at the iris
PUPIL = 0.5  # radius within which the iris is not looked at, in its radii: highlights lie there
KERNEL = 7  # points, half of the side of what a place is judged by: RING times the largest radius
HEIGHT, WIDTH = (2 * (reach + KERNEL) + 1 for reach in REACH[::-1])  # 21 and 29 points around an eye
LIDS = 40.0  # degrees above the horizontal up to which iris and ring are looked at
USUAL = (0.052, 0.022)  # distances from EYE across and down at which a place has to be BELIEVED more than at EYE
BELIEVED = 0.1  # share of the contrast in an eye
BRIGHT, DARK = 0.9, 0.02  # ranks of the gray levels that count as white and black in an eye
LEAST_CONTRAST = 12.0  # gray levels from black to white: below it is noise
ROUGH = 0.5  # weight of the network's map, in contrasts of an eye
CLEAR = 0.12  # share of the contrast from which on an iris counts as seen


@dataclass(frozen=True)
class Irises:
    """The irises of a face, the left one first, in normalized coordinates of the face frame (under the warp).

    Attributes:
        places: x, y and radius, (2, 3).
        clearness: How much darker each is than what is beside it, as a share of the contrast in its eye, (2,); as
            far as the network sees an iris there.
    """

    places: Array
    clearness: Array

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which of them can be seen, (2,)."""
        return self.clearness > CLEAR


def find_irises(photo: Photo, photo_from_face: Array, photo_from_level: Array, rough: Floats | None = None) -> Irises:
    """Find both irises of a face in a photo.

    Args:
        photo: The photo, (H, W, 3).
        photo_from_face: The warp (17, 17, 2), of which the two sides are registered.
        photo_from_level: Its similarity, as a matrix.
        rough: Where the network sees irises: a map over the level frame, (S, S) in 0..1; None if it does not say.
    """
    points = _eye_points(photo_from_face, 1)
    eyes = _eyes(photo, photo_from_face, points)
    known = np.ones_like(eyes) if rough is None else _sample_map(rough, photo_from_level, points)
    scores = _scores(eyes if rough is None else eyes - ROUGH * known)
    likely = scores - _unusual()[..., None]
    radius = int(likely.max((1, 2)).sum(0).argmax())  # that of both
    places, clearness = np.empty((2, 3)), np.empty(2)
    for eye, side in enumerate((-1, 1)):
        row, column = divmod(int(likely[eye, ..., radius].argmax()), likely.shape[2])
        right = column + _vertex(likely[eye, row, :, radius], column) - REACH[0]
        down = row + _vertex(likely[eye, :, column, radius], row) - REACH[1]
        places[eye] = side * (EYE[0] + STEP * right), EYE[1] + STEP * down, RADII[radius]
        clearness[eye] = scores[eye, row, column, radius] * known[eye, row + KERNEL, column + KERNEL]
    return Irises(places, clearness)


def _eyes(photo: Photo, photo_from_face: Array, points: Floats) -> Floats:
    """Return the surroundings of both eyes as right ones, (2, 21, 29): 0 for an eye's black, 1 for its white.

    `points` (21, 2 x 29, 2) are the places in the photo; of a large photo, the mean of the area between them is taken.
    """
    count = round(float(np.abs(points[0, 1] - points[0, 0]).max()))
    where = points if count <= 1 else _eye_points(photo_from_face, count)
    sampled = remap(photo, where, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    if count > 1:
        sampled = cv2.resize(sampled, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    eyes = sampled[..., 0].astype(np.float32).reshape(HEIGHT, 2, WIDTH).swapaxes(0, 1)
    ordered = np.sort(eyes.reshape(2, -1), axis=1)
    black, white = (ordered[:, int(rank * (HEIGHT * WIDTH - 1)), None, None] for rank in (DARK, BRIGHT))
    contrast: Floats = ((eyes - black) / np.maximum(white - black, LEAST_CONTRAST)).clip(0, 1)
    return contrast


def _sample_map(rough: Floats, photo_from_level: Array, points: Floats) -> Floats:
    """Sample a map (S, S) over the level frame at the eyes' points, (2, 21, 29)."""
    map_from_photo = pixel_from_normalized(len(rough)) @ np.linalg.inv(photo_from_level)
    at = apply(map_from_photo, points).astype(np.float32)
    known: Floats = remap(rough, at, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE).reshape(HEIGHT, 2, WIDTH).swapaxes(0, 1)
    return known


def _eye_points(photo_from_face: Array, count: int) -> Floats:
    """Return where both eyes lie in the photo, `count` points for each that is looked at, (21 count, 2 x 29 count, 2).

    The left eye comes first, and is mirrored.
    """
    down, across = _eye_weights(count)
    rows = down @ photo_from_face.reshape(GRID, -1)
    points: Floats = (across @ rows.reshape(len(down), GRID, 2)).astype(np.float32)
    return points


@cache
def _eye_weights(count: int) -> tuple[Array, Array]:
    """Return the weights of 17 control points for the rows (21 count, 17) and columns (2 x 29 count, 17) of eyes."""
    fine = 2 * count  # steps of a grid on which all points lie
    middle = fine * (GRID_SIZE - 1) // 2
    weights = enlarging_weights(GRID, 2 * middle + 1)
    down, across = (2 * np.arange(points * count) - points * count + 1 for points in (HEIGHT, WIDTH))
    row, column = (round(middle * place) for place in (EYE[1], EYE[0]))
    left, right = middle - column - across, middle + column + across
    return weights[middle + row + down], weights[np.concatenate([left, right])]


def _scores(eyes: Floats) -> Floats:
    """Return how much brighter the ring around an iris would be than the iris, (2, 7, 15, 5): rows, columns, radii."""
    side = 2 * KERNEL + 1
    pieces = np.lib.stride_tricks.sliding_window_view(eyes, (side, side), (1, 2)).reshape(-1, side * side)
    scores: Floats = (pieces @ _comparisons()).reshape(2, HEIGHT - side + 1, WIDTH - side + 1, -1)
    return scores


@cache
def _comparisons() -> Floats:
    """Return the weights of the pixels of a ring less those of the iris in it, (15 * 15, 5) for the radii."""
    ticks = np.arange(-KERNEL, KERNEL + 1)
    x, y = np.meshgrid(ticks, ticks)
    distance, angle = np.hypot(x, y), np.degrees(np.arctan2(y, np.abs(x)))
    counted = angle > -LIDS
    compared = []
    for radius in RADII / STEP:
        discs = [(0.5 + share * radius - distance).clip(0, 1) for share in (PUPIL, 1, RING)]
        iris, ring = (discs[1] - discs[0]) * counted, (discs[2] - discs[1]) * counted
        compared.append((ring / ring.sum() - iris / iris.sum()).ravel())
    return np.stack(compared, 1).astype(np.float32)


@cache
def _unusual() -> Floats:
    """Return how much clearer an iris has to be at the places that are looked at to be believed, (7, 15)."""
    across, down = (np.arange(-reach, reach + 1) * STEP for reach in REACH)
    distance = (across / USUAL[0]) ** 2 + (down[:, None] / USUAL[1]) ** 2
    return (BELIEVED * distance).astype(np.float32)


def _vertex(values: Floats, at: int) -> float:
    """Return where the parabola through the largest of some values and its neighbors is highest, from there."""
    if at in (0, len(values) - 1):
        return 0.0
    before, largest, after = (float(value) for value in values[at - 1 : at + 2])
    curvature = 2 * largest - before - after
    return float(np.clip((after - before) / (2 * max(curvature, 1e-9)), -0.5, 0.5))
