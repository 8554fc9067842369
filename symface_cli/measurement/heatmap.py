"""Draw where a face is asymmetric: shape on the left, color on the right, over the leveled face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge, resample
from symface_cli.geometry.types import Photo
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
    panel_from_photo = pixel_from_normalized(PANEL) @ np.linalg.inv(measured.photo_from_level)
    face = resample(photo, panel_from_photo, PANEL)
    gray = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    mask = cv2.resize(face_weights(measured.mask), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    shape = np.linalg.norm(enlarge(measured.displacement, PANEL), axis=-1)
    color = cv2.resize(np.linalg.norm(measured.color, axis=-1), (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    left = _draw_arrows(_cover(gray, shape / LARGEST_SHAPE, mask), measured)
    right = _cover(gray, color / LARGEST_COLOR, mask)
    legends = (
        _draw_legend("shape: % of the eye distance (arrows: twice as long)", LARGEST_SHAPE),
        _draw_legend("color: CIE Delta E*ab", LARGEST_COLOR),
    )
    return np.vstack([np.hstack([left, right]), np.hstack(legends)])


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


def _draw_arrows(panel: Photo, measured: Asymmetry) -> Photo:
    """Draw arrows to this side from where the mirror image of the other side lies, at every other control point."""
    every = slice(None, None, 2)
    pixels_per_percent = EYE_DISTANCE_FACE / 100 * (PANEL - 1) / 2
    ends = apply(pixel_from_normalized(PANEL), control_points()[every, every])
    starts = ends - ARROWS * pixels_per_percent * measured.displacement[every, every]
    drawn = np.ascontiguousarray(panel)
    inside = (measured.mask[every, every] > 0.5) & (control_points()[every, every, 1] > HIGHEST)
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
