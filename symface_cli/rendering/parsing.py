"""Texts to what is to be rendered, and of which face; what makes no sense is refused under the name that it came by."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import ImageColor

from symface_cli.detection.detector import face_with_eyes
from symface_cli.errors import UsageError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array
from symface_cli.rendering.options import Output

MOST_STEPS = 1000
LARGEST_AMOUNT = 3.0
SMALLEST_MARKED = 8.0  # px, width of the box of a face that is marked
FARTHEST = 1e6  # px: no photo is as large
KINDS = (Output.PHOTO.value, Output.FACE.value, Output.CROP.value)


def parse_kinds(texts: Sequence[str], name: str) -> tuple[Output, ...]:
    """Return the outputs that are named, each once; the photo if none is."""
    for kind in texts:
        if kind not in KINDS:
            raise UsageError(f"{name} {kind}: use {', '.join(KINDS)}")
    return tuple(Output(kind) for kind in dict.fromkeys(texts or ["photo"]))


def check_amount(amount: float, name: str) -> float:
    """Return an amount, and refuse one that is surely a mistake."""
    if not abs(amount) <= LARGEST_AMOUNT:
        limits = f"{-LARGEST_AMOUNT:g} to {LARGEST_AMOUNT:g}"
        raise UsageError(f"{name} {amount:g}: use a number from {limits}; 0 is as in the photo, 1 symmetric")
    return amount


def parse_faces(text: str, name: str) -> int | None:
    """Return None for all faces, else a face's number, 1 for the largest."""
    if text in ("all", "largest"):
        return None if text == "all" else 1
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{name} {text}: use all, largest, or a number from 1")
    return int(text)


def parse_steps(text: str | None, name: str) -> tuple[float, ...]:
    """Return the numbers of first:last:step, the last one included; none of None."""
    if text is None:
        return ()
    try:
        first, last, step = (float(part) for part in text.split(":"))
        count = round((last - first) / step) + 1
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise UsageError(f"{name} {text}: use FROM:TO:STEP, such as 0:1:0.1") from error
    if not 2 <= count <= MOST_STEPS or abs(first + (count - 1) * step - last) > 1e-6 * abs(step):
        raise UsageError(
            f"{name} {text}: the steps must lead from the first to the last number, in 2 to {MOST_STEPS} steps"
        )
    return tuple(round(value, 9) for value in np.linspace(first, last, count).tolist())


def parse_background(text: str, name: str) -> Literal["transparent"] | tuple[int, int, int] | None:
    """Return None to keep what is around the face, "transparent", or a color."""
    if text == "keep":
        return None
    if text == "transparent":
        return "transparent"
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise UsageError(f"{name} {text}: use keep, transparent, a name like white, or #rrggbb") from error
    return red, green, blue


def parse_box(text: str | None, name: str) -> Box | None:
    """Return a box of four numbers, made square about its center if it is not; None of None."""
    if text is None:
        return None
    x, y, width, height = parse_four_numbers(text, name)
    if width <= 0 or height <= 0:
        raise UsageError(f"{name} {text}: width and height must be positive")
    side = max(width, height)
    _refuse_tiny(text, name, side)
    return Box(x + (width - side) / 2, y + (height - side) / 2, side, side)


def parse_eyes(text: str | None, name: str) -> tuple[Array, Array] | None:
    """Return two points (2,); None of None."""
    if text is None:
        return None
    numbers = parse_four_numbers(text, name)
    left, right = np.array(numbers[:2]), np.array(numbers[2:])
    _refuse_tiny(text, name, face_with_eyes(left, right).box.width)
    return left, right


def _refuse_tiny(text: str, name: str, side: float) -> None:
    if side < SMALLEST_MARKED:
        raise UsageError(f"{name} {text}: a face of {side:.2g} pixels; give its place in pixels of the upright photo")


def parse_four_numbers(text: str, name: str) -> list[float]:
    """Return four numbers with commas between."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(abs(number) <= FARTHEST for number in numbers):
        raise UsageError(f"{name} {text}: use four numbers with commas between, in pixels of the upright photo")
    return numbers
