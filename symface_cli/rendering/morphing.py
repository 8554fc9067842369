"""A face part or all of the way from the photo to its symmetric version, in the photo or in the face frame.

With W the warp from the face frame to the photo, S its similarity part (where the symmetric face lies in the photo),
d = W - S, and u' the mirror image of u: a morphed picture shows at S(u) the photo's S(u) + shape d(u), and its colors
go from there towards those of u' by color q(u'). In a photo, both fade out towards the face's outline.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge, warp_photo
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import FaceWarp, Side, one_side

FIELD_SIZE = 129  # px, side at which fields are sampled: fine enough for linear interpolation between 17 points
SAMPLES = 64  # points across the face frame at which a morph is planned; four to each interval of the warp
LIGHT_SIZE = 64  # px, side at which the difference in light between the sides is taken
LIGHT_BLUR = 4  # px of LIGHT_SIZE, deviation: what is smoother counts as light
STRIP = 1 << 20  # pixels worked on at a time, so that memory does not grow with the face
SHAPE_FADE = (0.05, 0.8)  # mask over which displacements set in; on the face's outline it is 0.5
COLOR_FADE = (0.6, 0.95)  # mask over which the other side's detail sets in: inside, where no background is near
FRAME_FADE = 0.15  # of the face frame's half side, over which everything fades out towards the frame's edge
LIGHT_FADE = (0.3, 0.8)  # mask over which the other side's light sets in

Pixels = NDArray[Any]
"""(H, W, C) uint8 or uint16, C from 1 to 4, in whatever color space."""


@dataclass(frozen=True)
class Amounts:
    """How far a face is morphed: 0 is as in the photo, 1 symmetric; more and less exaggerate either way.

    Attributes:
        shape: Of the displacement.
        color: Of the colors.
        side: Which side the symmetric face is made of.
    """

    shape: float = 1.0
    color: float = 1.0
    side: Side = "both"


class Fades(NamedTuple):
    """How far shape, color and light are changed at each point, each (H, W, 1) in 0..1."""

    shape: NDArray[np.float32]
    color: NDArray[np.float32]
    light: NDArray[np.float32]


class MorphPlan(NamedTuple):
    """Where the pixels of a morphed face come from, and how they are mixed.

    Attributes:
        base: Where in the photo each comes from, (H, W, 2).
        mirrored: Where its mirror image comes from, (H, W, 2).
        share: How much of the mirror image it takes, (H, W, 1).
        amount: How much of all changes in color, (H, W, 1).
        light: What is added to it, (H, W, C); None for nothing.
        hidden: How much of the decoded face it takes, (H, W, 1); None for nothing.
        seen: The point of the face frame that it shows, (H, W, 2).
    """

    base: Array
    mirrored: Array
    share: NDArray[np.float32]
    amount: NDArray[np.float32]
    light: NDArray[np.float32] | None
    hidden: NDArray[np.float32] | None
    seen: Array


class Morph:
    """A face of a photo, ready to be morphed.

    Args:
        pixels: The photo as it is stored.
        warped: What the network saw in it.
        decode: Makes the face as the VAE decodes it, (128, 128, C), in the photo's color space and depth.
        detail: False takes all of the face from there.
    """

    def __init__(self, pixels: Pixels, warped: FaceWarp, decode: Callable[[], Pixels], detail: bool = True) -> None:
        self._pixels = pixels
        self._warped = warped
        self.photo_from_face = warped.photo_from_level
        self._displacement = enlarge(warped.photo_from_face - apply(self.photo_from_face, control_points()), FIELD_SIZE)
        self._mask = enlarge(warped.mask, FIELD_SIZE).clip(0, 1) * _window()
        self._decoded: NDArray[np.float32] | None = None
        if not detail or warped.hidden.any():
            self._hidden = enlarge(warped.hidden if detail else np.ones_like(warped.hidden), FIELD_SIZE).clip(0, 1)
            large = cv2.resize(decode(), (FIELD_SIZE, FIELD_SIZE), interpolation=cv2.INTER_CUBIC)
            self._decoded = large.reshape(FIELD_SIZE, FIELD_SIZE, -1).astype(np.float32)

    def in_photo(self, amounts: Amounts) -> Pixels:
        """The photo with the morphed face in its place; every pixel outside of the face's mask is as it was."""
        result: Pixels = self._pixels.copy()
        weights = self._weights(amounts.side, self._warped.weights)
        light = self._light(weights)
        face_from_photo = np.linalg.inv(self.photo_from_face)
        step = max(round(2 * float(np.linalg.norm(self.photo_from_face[:2, 0])) / SAMPLES), 1)
        for rows, columns in self._strips():
            x, y = np.meshgrid(_coarse(columns, step), _coarse(rows, step))
            u = apply(face_from_photo, np.stack([x, y], -1))
            mask = _sample(self._mask, u)
            fades = Fades(*(fade(mask, *limits)[..., None] for limits in (SHAPE_FADE, COLOR_FADE, LIGHT_FADE)))
            size = rows.stop - rows.start, columns.stop - columns.start
            morphed = self._draw(self._plan(u, amounts, weights, fades, light), step, size)
            inside = (self._mask_of(rows, columns) > SHAPE_FADE[0]).astype(np.uint8)
            cv2.copyTo(_as_pixels(morphed, self._pixels.dtype), inside, result[rows, columns])
        return result

    def in_frame(self, amounts: Amounts, size: int) -> Pixels:
        """The morphed face in the face frame, (size, size, C), with what lies around it."""
        weights = self._weights(amounts.side, self._warped.framed_weights)
        ticks = _coarse(slice(0, size), 1) / ((size - 1) / 2) - 1
        u = np.stack(np.meshgrid(ticks, ticks), -1)
        everywhere = Fades(*[np.ones((*u.shape[:2], 1), np.float32)] * 3)
        plan = self._plan(u, amounts, weights, everywhere, None)
        return _as_pixels(self._draw(plan, 1, (size, size)), self._pixels.dtype)

    def _plan(
        self,
        u: Array,
        amounts: Amounts,
        weights: NDArray[np.float32],
        fades: Fades,
        light: NDArray[np.float32] | None,
    ) -> MorphPlan:
        """Where the face's points u (H, W, 2) come from and how they are mixed; smooth, so that few points do."""
        moved = amounts.shape * fades.shape
        displacement = _sample(self._displacement, u)
        linear = np.linalg.inv(self.photo_from_face)[:2, :2]
        v = u + (moved - 1) * (displacement @ linear.T)  # the point of the symmetric face that is seen here
        mirrored = v * [-1, 1]
        plain = min(max(amounts.color, 0.0), 1.0)  # beyond this only the face is exaggerated, not what is around it
        exaggerated = fade(_sample(self._mask, u), *COLOR_FADE)[..., None] * (amounts.color - plain)
        lit = None if light is None else (fades.light - fades.color).clip(0) * _sample(light, v)
        return MorphPlan(
            apply(self.photo_from_face, u) + moved * displacement,
            apply(self.photo_from_face, mirrored) + _sample(self._displacement, mirrored),
            fades.color * _sample(weights, mirrored)[..., None],
            plain + exaggerated,
            lit,
            None if self._decoded is None else fades.color * _sample(self._hidden, v)[..., None],
            v,
        )

    def _draw(self, plan: MorphPlan, step: int, size: tuple[int, int]) -> NDArray[np.float32]:
        """The morphed pixels (H, W, C) of a plan for every `step`th of them."""
        base = self._take(_fine(plan.base, step, size))
        mirrored = self._take(_fine(plan.mirrored, step, size))
        change: NDArray[np.float32] = _fine(plan.share, step, size) * (mirrored - base)
        if plan.light is not None:
            change += _fine(plan.light, step, size)
        if self._decoded is not None and plan.hidden is not None:
            decoded = _sample(self._decoded, _fine(plan.seen, step, size))
            change += _fine(plan.hidden, step, size) * (decoded - base - change)
        morphed: NDArray[np.float32] = base + _fine(plan.amount, step, size) * change
        return morphed

    def _mask_of(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """The mask of some rows and columns of the photo, (H, W)."""
        corner = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])
        field_from_part = pixel_from_normalized(FIELD_SIZE) @ np.linalg.inv(self.photo_from_face) @ corner
        mask: NDArray[np.float32] = cv2.warpAffine(
            self._mask,
            field_from_part[:2],
            (columns.stop - columns.start, rows.stop - rows.start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return mask

    def _weights(self, side: Side, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weights q of the sides, adding up to 1, (FIELD_SIZE, FIELD_SIZE)."""
        q = enlarge(weights if side == "both" else one_side(side), FIELD_SIZE).clip(0, 1)
        shares: NDArray[np.float32] = q / np.maximum(q + q[:, ::-1], 1e-6)
        return shares

    def _light(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """What symmetry changes in the light, continued beyond the face, (LIGHT_SIZE, LIGHT_SIZE, C)."""
        face = warp_photo(self._pixels, self._warped.photo_from_face, LIGHT_SIZE).astype(np.float32)
        face = face.reshape(LIGHT_SIZE, LIGHT_SIZE, -1)
        q = cv2.resize(weights, (LIGHT_SIZE, LIGHT_SIZE), interpolation=cv2.INTER_LINEAR)
        inside = fade(cv2.resize(self._mask, (LIGHT_SIZE, LIGHT_SIZE), interpolation=cv2.INTER_LINEAR), *COLOR_FADE)
        change = (inside * q[:, ::-1])[..., None] * (face[:, ::-1] - face)
        smooth = cv2.GaussianBlur(change, (0, 0), LIGHT_BLUR).reshape(face.shape)
        counted: NDArray[np.float32] = smooth / cv2.GaussianBlur(inside, (0, 0), LIGHT_BLUR).clip(1e-3)[..., None]
        return counted

    def _take(self, where: NDArray[np.float32]) -> NDArray[np.float32]:
        """The photo at `where` (H, W, 2), reflected beyond its edges, (H, W, C)."""
        height, width = self._pixels.shape[:2]
        x, y = cv2.split(where)
        left, right = _reach(x, width)
        top, bottom = _reach(y, height)
        region = self._pixels[top:bottom, left:right].astype(np.float32)  # remap has at most 32,767 columns and rows
        taken = cv2.remap(region, x - left, y - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        photo: NDArray[np.float32] = taken.reshape(*where.shape[:2], -1)
        return photo

    def _strips(self) -> Iterator[tuple[slice, slice]]:
        """The part of the photo that the mask covers, as rows and columns of at most STRIP pixels each."""
        inside = self._mask > SHAPE_FADE[0]
        if not inside.any():
            return
        columns, rows = (np.flatnonzero(inside.any(axis)) for axis in (0, 1))
        low, high = (np.array([columns[end], rows[end]]) / (FIELD_SIZE - 1) * 2 - 1 for end in (0, -1))
        margin = 2 / (FIELD_SIZE - 1)
        left, top, right, bottom = *(low - margin), *(high + margin)
        corners = apply(self.photo_from_face, np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
        limit = np.array(self._pixels.shape[1::-1])
        left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, limit)
        right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, limit)
        if right <= left:
            return
        height = max(STRIP // int(right - left), 1)
        for start in range(top, bottom, height):
            yield slice(start, min(start + height, bottom)), slice(left, right)


def _reach(places: NDArray[np.float32], length: int) -> tuple[int, int]:
    """First and last-plus-one of the pixels, of so many, that cubic interpolation at places (H, W) needs."""
    lowest, highest, _, _ = cv2.minMaxLoc(places)
    first = min(max(floor(lowest) - 4, 0), length - 1)
    return first, min(max(ceil(highest) + 5, first + 1), length)


def _coarse(pixels: slice, step: int) -> Array:
    """Middles of groups of `step` pixels that cover a range, with a group more at either end."""
    groups = -(-(pixels.stop - pixels.start) // step)
    middles: Array = pixels.start + (step - 1) / 2 + step * np.arange(-1.0, groups + 1)
    return middles


def _fine(field: NDArray[np.floating], step: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """A field over groups of pixels (`_coarse`) for each of `size` pixels, (H, W, C), linearly between."""
    field = field.astype(np.float32)
    if step > 1:
        field = cv2.resize(field, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    inside = field[step : step + size[0], step : step + size[1]]
    return inside.reshape(*inside.shape[:2], -1)


def _window() -> NDArray[np.float32]:
    """1 inside the face frame, falling to 0 at its edge, where a mask that reaches further would end in a step."""
    inside = 1 - np.abs(np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32))
    ramp = fade(inside, 0, FRAME_FADE)
    return np.minimum(ramp[:, None], ramp)


def _sample(field: NDArray[np.float32], u: NDArray[np.floating]) -> NDArray[np.float32]:
    """A field (S, S) or (S, S, C) over the face frame at points u (H, W, 2); 0 outside of the frame."""
    at = apply(pixel_from_normalized(len(field)), u).astype(np.float32)
    sampled = cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    values: NDArray[np.float32] = sampled.reshape(*u.shape[:2], *field.shape[2:])
    return values


def fade(mask: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """0 up to `low`, 1 from `high` on, smooth between."""
    t = ((mask - low) / (high - low)).clip(0, 1)
    smooth: NDArray[np.float32] = t * t * (3 - 2 * t)
    return smooth


def _as_pixels(values: NDArray[np.float32], dtype: np.dtype[Any]) -> Pixels:
    pixels: Pixels = values.round().clip(0, np.iinfo(dtype).max).astype(dtype)
    return pixels
