"""Morph a face part or all of the way from the photo to its symmetric version, in the photo or in the face frame.

With W the warp from the face frame to the photo, T where the symmetric face is to lie in the photo, d = W - T, and u'
the mirror image of u: a morphed picture shows at T(u) the photo's T(u) + shape d(u), and its colors go from there
towards those of u' by color q(u'). T is W's similarity S, and the face then looks to the front, or S and the head's
pose. In a photo, all this fades out towards the face's outline, and where something else than the face is seen.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import UsageError
from symface_cli.geometry.frames import apply
from symface_cli.geometry.pose import INVERSE_SIZE, face_from_level
from symface_cli.geometry.sampling import enlarge, enlarge_planes, fade, warp_photo
from symface_cli.geometry.types import Floats, Pixels, Sample
from symface_cli.geometry.warping import Value
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import FaceWarp, Side, one_side
from symface_cli.inference.sides import relative_area
from symface_cli.parallel.work import work_on_own_cores
from symface_cli.rendering.eyes import own_eyes, straight_eyes
from symface_cli.rendering.fields import (
    FIELD_SIZE,
    as_pixels,
    cut_strips,
    fade_to_edge,
    group_pixels,
    group_places,
    move,
    refine_groups,
    sample_field,
    sample_pixels,
    scale,
    warp_field,
)
from symface_cli.rendering.transparency import FULL

GROUPS = 64  # groups of pixels across the face frame at which a morph is planned; four to each interval of the warp
LIGHT_SIZE = 64  # px, side at which the difference in light between the sides is taken
LIGHT_BLUR = 4  # px of LIGHT_SIZE, deviation: what is smoother counts as light
SHAPE_FADE = (0.05, 0.8)  # mask over which displacements set in; on the face's outline it is 0.5
SHOWN_BLUR = 0.7  # px of the map that says where the face is seen, deviation
HERE_FADE = (0.3, 0.75)  # share of the surroundings that is face over which changes set in
TAKEN_FADE = (0.75, 0.98)  # the same of the other side, from which detail is taken: none of its outline
FACING_FADE = (0.2, 0.5)  # area of the posed face, as a share of the frontal one's, over which changes set in
COLOR_FADE = (0.6, 0.95)  # mask over which the other side's detail sets in: inside, where no background is near
MIRROR = np.diag([-1.0, 1])  # takes a point of the face frame to its partner
LIGHT_FADE = (0.3, 0.8)  # mask over which the other side's light sets in

PoseMode = Literal["keep", "front"]
"""Whether a face keeps the pose of its head, or looks to the front."""


@dataclass(frozen=True)
class Amounts:
    """How far a face is morphed: 0 is as in the photo, 1 symmetric; more and less exaggerate either way.

    Attributes:
        shape: Of the displacement.
        color: Of the colors.
        side: Which side the symmetric face is made of.

    Raises:
        UsageError: If an amount is not finite, or there is no such side.
    """

    shape: float = 1.0
    color: float = 1.0
    side: Side = "both"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.shape) and math.isfinite(self.color)):
            raise UsageError(f"amounts of {self.shape:g} and {self.color:g}: use numbers; 0 is as in the photo")
        if self.side not in get_args(Side):
            raise UsageError(f"side {self.side}: use {', '.join(get_args(Side))}")


class Places(NamedTuple):
    """Points of the level frame, and what is known of them."""

    points: Floats
    """The points, (H, W, 2)."""
    face: Floats
    """The points of the face frame that a posed head shows there, u, (H, W, 2)."""
    mask: Floats
    """How much they belong to the face, (H, W) in 0..1."""
    here: Floats
    """How surely the face is seen there, (H, W) in 0..1."""
    displacement: Floats
    """d(u), (H, W, 2) in photo pixels."""
    facing: Floats
    """How far the face there looks to the camera, (H, W) in 0..1."""
    face_mask: Floats
    """The mask at u, (H, W) in 0..1."""


class Fades(NamedTuple):
    """How far a face is changed."""

    shape: Floats
    """At each point, (H, W) in 0..1."""
    color: Floats
    """The same."""
    light: Floats
    """The same."""
    taken: Floats
    """How much detail of the other side is taken from each point of the level frame, (S, S) in 0..1."""


class MorphPlan(NamedTuple):
    """Where the pixels of a morphed face come from, and how they are mixed."""

    base: Floats
    """Where in the photo each comes from, (H, W, 2), from the morph's origin."""
    mirrored: Floats
    """Where its mirror image comes from, (H, W, 2)."""
    share: Floats
    """How much of the mirror image it takes, (H, W)."""
    amount: Floats | float
    """How much of all changes in color, (H, W); or as much everywhere."""
    light: Floats | None
    """What is added to it, (C, H, W); None for nothing."""
    hidden: Floats | None
    """How much of the decoded face it takes, (H, W); None for nothing."""
    seen: Floats
    """The point of the face frame that it shows, (H, W, 2)."""


class Morph(Generic[Sample]):
    """A face of a photo, ready to be morphed.

    Args:
        pixels: The photo as it is stored.
        warped: What the network predicted for the face.
        decode: Decode the face, (128, 128, C), in the photo's color space and depth.
        detail: False takes all of the face from there.
        pose: Whether the face keeps the head's pose.
    """

    def __init__(
        self,
        pixels: NDArray[Sample],
        warped: FaceWarp,
        decode: Callable[[], Pixels],
        detail: bool = True,
        pose: PoseMode = "keep",
    ) -> None:
        self._pixels = pixels
        self._warped = warped
        self._pose = pose
        self._level = warped.photo_from_level
        self._level_from_photo = np.linalg.inv(self._level)
        x, y = self._level[:2, 2].astype(int).tolist()
        self._origin = x, y  # photo pixel from which places are counted
        self._near = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1.0]]) @ self._level
        self._level_from_near = np.linalg.inv(self._near)
        self._strength, self._likeness = (warped.strength, warped.likeness) if pose == "keep" else (1.0, 1.0)
        level = apply(self._level, control_points())
        posed = warped.pose.displacement if pose == "keep" else np.zeros_like(level)
        area = relative_area(level + posed, self._level)
        moved = [*cv2.split(warped.photo_from_face - level), *cv2.split(posed)]
        x, y, posed_x, posed_y, mask, facing = enlarge_planes(np.stack([*moved, warped.mask, area]), FIELD_SIZE)
        self._mask, self._facing = mask.clip(0, 1) * fade_to_edge(), fade(facing, *FACING_FADE)
        self._moves = cv2.merge([x, y])
        self._on_face = cv2.merge([x - posed_x, y - posed_y, self._facing, self._mask])
        turned = enlarge(face_from_level(posed, self._level) - control_points(INVERSE_SIZE), FIELD_SIZE)
        level_mask = sample_field(self._mask, control_points(FIELD_SIZE).astype(np.float32) + turned)
        shown = enlarge(cv2.GaussianBlur(warped.shown, (0, 0), SHOWN_BLUR), FIELD_SIZE)
        self._taken = fade(shown, *TAKEN_FADE)
        # Turned, a face covers what it meets.
        self._here = fade(shown, *HERE_FADE) if pose == "keep" else np.ones_like(shown)
        self._on_level = cv2.merge([*cv2.split(turned), level_mask, self._here])
        self._changed = np.minimum(level_mask - SHAPE_FADE[0], self._here)  # beyond 0
        self._own = own_eyes(warped.irises)
        self._decoded: Floats | None = None
        if not detail or warped.hidden.any():
            self._hidden = enlarge(warped.hidden if detail else np.ones_like(warped.hidden), FIELD_SIZE).clip(0, 1)
            large = cv2.resize(decode(), (FIELD_SIZE, FIELD_SIZE), interpolation=cv2.INTER_CUBIC)
            self._decoded = large.reshape(FIELD_SIZE, FIELD_SIZE, -1).astype(np.float32)

    def in_photo(self, amounts: Amounts) -> NDArray[Sample]:
        """Return the photo with the morphed face; every pixel that shows something else is as it was."""
        result: NDArray[Sample] = self._pixels.copy()
        weights = self._weights(amounts.side, self._warped.weights)
        light = self._light(weights)
        step = max(round(2 * float(np.linalg.norm(self._level[:2, 0])) / GROUPS), 1)
        strips = list(cut_strips(self._changed > 0, self._level, result.shape, step))

        def change(strip: tuple[slice, slice]) -> None:
            rows, columns = strip
            places = self._look_up(group_places(self._level_from_photo, rows, columns, step))
            size = rows.stop - rows.start, columns.stop - columns.start
            morphed = self._draw(self._plan(places, amounts, weights, self._fades(places), light), step, size)
            inside = warp_field(self._changed, self._level, rows, columns) > 0
            cv2.copyTo(as_pixels(morphed, result.dtype), inside.astype(np.uint8), result[strip])

        work_on_own_cores(change, strips)
        return result

    def in_frame(self, amounts: Amounts, size: int) -> NDArray[Sample]:
        """Return the morphed face in the level frame, (size, size, C), with what lies around it.

        If it keeps its pose, it is what it is in the photo; else its surroundings become symmetric, too.
        """
        ticks = group_pixels(slice(0, size), 1) / ((size - 1) / 2) - 1
        places = self._look_up(np.stack(np.meshgrid(ticks, ticks), -1).astype(np.float32))
        if self._pose == "keep":
            weights = self._weights(amounts.side, self._warped.weights)
            plan = self._plan(places, amounts, weights, self._fades(places), self._light(weights))
        else:
            weights = self._weights(amounts.side, self._warped.framed_weights)
            full = np.ones_like(places.mask)
            fades = Fades(full, full, full, np.ones_like(self._taken))
            plan = self._look_straight(self._plan(places, amounts, weights, fades, None), amounts)
        return as_pixels(self._draw(plan, 1, (size, size)), self._pixels.dtype)

    def _look_straight(self, plan: MorphPlan, amounts: Amounts) -> MorphPlan:
        """Plan eyes that look as far ahead as the shape is symmetric."""
        moves, frame = straight_eyes(self._warped.irises), control_points(FIELD_SIZE)
        moved = move(self._level[:2, :2], moves) + sample_field(self._moves, frame + moves) - self._moves
        return plan._replace(
            base=plan.base + min(max(amounts.shape, 0.0), 1.0) * sample_field(moved, plan.seen),
            mirrored=plan.mirrored + sample_field(moved, move(MIRROR, plan.seen)),
        )

    def _look_up(self, points: Floats) -> Places:
        """Return what is known of points (H, W, 2) of the level frame."""
        x, y, mask, here = cv2.split(sample_field(self._on_level, points))
        u = points + cv2.merge([x, y])
        x, y, facing, face_mask = cv2.split(sample_field(self._on_face, u))
        return Places(points, u, mask, here, cv2.merge([x, y]), facing, face_mask)

    def _fades(self, places: Places) -> Fades:
        """Return how far places change in a photo."""
        face = places.here * places.facing
        shape, color, light = (face * fade(places.mask, *ends) for ends in (SHAPE_FADE, COLOR_FADE, LIGHT_FADE))
        return Fades(shape, color, light, self._taken)

    def _plan(self, places: Places, amounts: Amounts, weights: Floats, fades: Fades, light: Floats | None) -> MorphPlan:
        """Plan where places come from and how they are mixed; smooth, so few points do."""
        displacement = places.displacement
        moved = self._strength * amounts.shape * fades.shape
        here = move(self._near, places.points)
        reached = sample_field(self._here, self._inside(here + scale(displacement, moved)))
        moved = moved * reached  # nothing else is moved into the face
        shift = move(self._level_from_photo[:2, :2], displacement)
        v = places.face + scale(shift, moved - 1)  # the point of the symmetric face seen here
        mirrored = move(MIRROR, v)
        x, y, facing, share = cv2.split(sample_field(cv2.merge([self._moves, self._facing, weights]), mirrored))
        source = move(self._near, mirrored) + cv2.merge([x, y])
        seen = facing * sample_field(fades.taken, self._inside(source))
        own = np.float32(amounts.side == "both") * sample_field(self._own, v)  # eyes, neither mixed nor lit
        alike = self._likeness if amounts.side == "both" else 1.0
        taken = alike * (1 - own) * fades.color * seen
        lit = None if light is None else (1 - own) * (fades.light - taken).clip(0) * _planes(sample_field(light, v))
        hidden = None if self._decoded is None else fades.color * sample_field(self._hidden, v)
        return MorphPlan(
            base=here + scale(displacement, moved),
            mirrored=source,
            share=taken * share,
            amount=_color_amount(self._strength * amounts.color, places.face_mask),
            light=lit,
            hidden=hidden if hidden is not None and hidden.any() else None,
            seen=v,
        )

    def _inside(self, places: Floats) -> Floats:
        """Return which points of the level frame show places (H, W, 2); its edge shows those beyond it."""
        return move(self._level_from_near, places).clip(-1, 1)

    def _draw(self, plan: MorphPlan, step: int, size: tuple[int, int]) -> Floats:
        """Draw the planes (C, H, W) of the morphed pixels of a plan for every `step`th of them."""
        base = sample_pixels(self._pixels, plan.base, step, size, self._origin)
        change = sample_pixels(self._pixels, plan.mirrored, step, size, self._origin)
        change -= base
        change *= refine_groups(plan.share, step, size)
        if plan.light is not None:
            self._shine(change, [refine_groups(plane, step, size) for plane in plan.light], base)
        if self._decoded is not None and plan.hidden is not None:
            decoded = _planes(sample_field(self._decoded, refine_groups(plan.seen, step, size)))
            change += refine_groups(plan.hidden, step, size) * (decoded - base - change)
        change *= plan.amount if isinstance(plan.amount, float) else refine_groups(plan.amount, step, size)
        base += change
        return base

    def _weights(self, side: Side, weights: Floats) -> Floats:
        """Return the weights q of the sides, adding up to 1, (FIELD_SIZE, FIELD_SIZE)."""
        q = enlarge(weights if side == "both" else one_side(side), FIELD_SIZE).clip(0, 1)
        shares: Floats = q / np.maximum(q + q[:, ::-1], 1e-6)
        return shares

    def _light(self, weights: Floats) -> Floats:
        """Return what symmetry changes in the light, continued beyond the face, (LIGHT_SIZE, LIGHT_SIZE, C)."""
        where = enlarge(self._warped.photo_from_face, LIGHT_SIZE)
        face, shown = self._seen_in_light()
        q = cv2.resize(weights, (LIGHT_SIZE, LIGHT_SIZE), interpolation=cv2.INTER_LINEAR)
        inside = fade(cv2.resize(self._mask, (LIGHT_SIZE, LIGHT_SIZE), interpolation=cv2.INTER_LINEAR), *COLOR_FADE)
        taken = sample_field(self._taken, move(self._level_from_photo, where))
        inside = inside * shown * taken * taken[:, ::-1]  # where both sides show the face
        change = inside * q[:, ::-1] * (face[..., ::-1] - face)
        *smooth, counted = cv2.split(cv2.GaussianBlur(cv2.merge([*change, inside]), (0, 0), LIGHT_BLUR))
        light: Floats = cv2.merge(list(np.stack(smooth) / counted.clip(1e-3)))
        return light.reshape(LIGHT_SIZE, LIGHT_SIZE, -1)

    def _seen_in_light(self) -> tuple[Floats, Floats | float]:
        """Return the colors of the face (C, LIGHT_SIZE, LIGHT_SIZE), and how much each counts."""
        face = warp_photo(self._pixels, self._warped.photo_from_face, LIGHT_SIZE, cv2.INTER_LINEAR)  # light is smooth
        return _planes(face).astype(np.float32), 1.0

    def _shine(self, change: Floats, light: Sequence[Floats], base: Floats) -> None:
        """Add the planes (H, W) of light to the change of pixels (C, H, W)."""
        for plane, lit in zip(change, light, strict=True):
            plane += lit


def _planes(image: NDArray[Value]) -> NDArray[Value]:
    """Return the planes (C, H, W) of an image (H, W) or (H, W, C)."""
    planes: NDArray[Value] = np.atleast_3d(image).transpose(2, 0, 1)
    return planes


def _color_amount(amount: float, mask: Floats) -> Floats | float:
    """Return how much of all changes in color pixels take; beyond 1, the face alone is exaggerated.

    `mask` is how much they belong to the face, (H, W) in 0..1.
    """
    plain = min(max(amount, 0.0), 1.0)
    return plain if amount == plain else plain + fade(mask, *COLOR_FADE) * (amount - plain)


class CutOutMorph(Morph[np.uint16]):
    """A face of a photo with transparency, `premultiply`d: alpha moves and is mixed with the colors, but is not lit."""

    def _seen_in_light(self) -> tuple[Floats, Floats | float]:
        face, _ = super()._seen_in_light()
        alpha = face[-1] / np.float32(FULL)
        return face[:-1] / alpha.clip(np.float32(1e-3)), alpha * alpha[:, ::-1]  # where both sides show something

    def _shine(self, change: Floats, light: Sequence[Floats], base: Floats) -> None:
        alpha: Floats = base[-1] / np.float32(FULL)
        super()._shine(change[:-1], [plane * alpha for plane in light], base)
