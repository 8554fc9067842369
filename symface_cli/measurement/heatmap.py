"""Draw where a face is asymmetric: shape on the left, color on the right, over the leveled face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge, resample
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import control_points
from symface_cli.measurement.asymmetry import HIGHEST, Asymmetry, face_weights

PANEL = 512  # px, side of a panel
LEGEND = 64  # px, height of what is below it
LARGEST_SHAPE = 15.0  # per cent of the eye distance, the end of the color scale: the same for all photos
LARGEST_COLOR = 15.0  # Delta E
COVER = 0.6  # how far the colors cover the face
ARROWS = 2.0  # how much longer than the displacements the arrows are drawn
COLORS = cv2.COLORMAP_VIRIDIS  # even steps, and told apart without seeing red or green
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_heatmap(photo: Photo, measured: Asymmetry) -> Photo:
    """Draw two panels with their scales, (576, 1024, 3), of a face measured in a photo (H, W, 3)."""
    gray, mask = _gray_face(photo, measured.photo_from_level), _large_mask(measured.mask)
    color = cv2.resize(np.linalg.norm(measured.color, axis=-1), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    left = draw_shape(photo, measured.displacement, measured.mask, measured.photo_from_level)
    right = _cover(gray, color / LARGEST_COLOR, mask)
    legends = (
        _draw_legend("shape: % of the eye distance (arrows: twice as long)", LARGEST_SHAPE),
        _draw_legend("color: CIE Delta E*ab", LARGEST_COLOR),
    )
    return np.vstack([np.hstack([left, right]), np.hstack(legends)])


def draw_shape(photo: Photo, displacement: Array, mask: NDArray[np.floating], photo_from_level: Array) -> Photo:
    """Draw how far each point lies from the mirror image of its partner, (512, 512, 3).

    Args:
        photo: (H, W, 3).
        displacement: Of each control point, (17, 17, 2) in per cent of the eye distance.
        mask: How much each belongs to the face, (17, 17).
        photo_from_level: Where the level frame lies in the photo.
    """
    shape = np.linalg.norm(enlarge(displacement, PANEL), axis=-1)
    covered = _cover(_gray_face(photo, photo_from_level), shape / LARGEST_SHAPE, _large_mask(mask))
    return _draw_arrows(covered, displacement, mask)


def _gray_face(photo: Photo, photo_from_level: Array) -> Photo:
    """Return the leveled face without its colors, (512, 512, 3)."""
    face = resample(photo, pixel_from_normalized(PANEL) @ np.linalg.inv(photo_from_level), PANEL)
    gray: Photo = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    return gray


def _large_mask(mask: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how much each point of a panel is of the face, (512, 512)."""
    large: NDArray[np.floating] = cv2.resize(face_weights(mask), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    return large


def _paint(share: NDArray[np.floating]) -> Photo:
    """Color shares (H, W) of the scale, (H, W, 3)."""
    levels = (255 * share.clip(0, 1)).round().astype(np.uint8)
    colors: Photo = cv2.applyColorMap(levels, COLORS)[..., ::-1]
    return colors


def _cover(gray: Photo, share: NDArray[np.floating], mask: NDArray[np.floating]) -> Photo:
    """Cover a gray face (H, W, 3) with the colors of shares of the scale, where the mask is."""
    cover = COVER * mask[..., None]
    covered: Photo = (gray + cover * (_paint(share).astype(np.float64) - gray)).round().astype(np.uint8)
    return covered


def _draw_arrows(panel: Photo, displacement: Array, mask: NDArray[np.floating]) -> Photo:
    """Draw arrows to this side from where the mirror image of the other side lies, at every other control point."""
    every = slice(None, None, 2)
    pixels_per_percent = EYE_DISTANCE_FACE / 100 * (PANEL - 1) / 2
    ends = apply(pixel_from_normalized(PANEL), control_points()[every, every])
    starts = ends - ARROWS * pixels_per_percent * displacement[every, every]
    drawn = np.ascontiguousarray(panel)
    inside = (mask[every, every] > 0.5) & (control_points()[every, every, 1] > HIGHEST)
    for row, column in np.argwhere(inside):
        start, end = (points[row, column].round().astype(int).tolist() for points in (starts, ends))
        for color, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
            cv2.arrowedLine(drawn, start, end, color, width, cv2.LINE_AA, tipLength=0.3)
    return drawn


def _draw_legend(text: str, largest: float) -> Photo:
    """Draw a bar of the scale with three numbers, and a line of ASCII text."""
    legend = np.full((LEGEND, PANEL, 3), 255, np.uint8)
    left, right, bottom = 40, PANEL - 40, 16
    legend[4:bottom, left:right] = _paint(np.linspace(0, 1, right - left)[None])
    marks = ((left, "0"), ((left + right) // 2, f"{largest / 2:g}"), (right, f"{largest:g} and more"))
    for x, mark in marks:
        (width, _), _ = cv2.getTextSize(mark, FONT, 0.45, 1)
        where = (min(x - width // 2, PANEL - width - 4), bottom + 18)
        cv2.putText(legend, mark, where, FONT, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(legend, text, (left, LEGEND - 8), FONT, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return legend
