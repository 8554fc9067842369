"""Texts of options to values; what makes no sense is refused with the option's name."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import ImageColor

from symface_cli.detection.detector import face_with_eyes
from symface_cli.errors import UsageError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array
from symface_cli.imaging.formats import FORMATS
from symface_cli.inference.face import Side
from symface_cli.methods.network import NetworkMethod
from symface_cli.methods.registry import find_method
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.shards import shard
from symface_cli.shards.shard import Shard

MOST_STEPS = 1000
LARGEST_AMOUNT = 3.0
SMALLEST_MARKED = 8.0  # px, width of the box of a face that is marked
FARTHEST = 1e6  # px: no photo is as large
UPSIDE_DOWN = (
    "--eyes has the right eye first, for an upside-down face; if it is not one, give the viewer's left eye first"
)
KINDS = (Output.PHOTO.value, Output.FACE.value, Output.CROP.value)


class Style(NamedTuple):
    """How a face is made.

    Attributes:
        detail: Whether of the photo's own pixels.
        side: Which side it is made of.
        landmark_method: The method of a landmark provider, instead of the network's.
    """

    detail: bool
    side: Side
    landmark_method: str | None = None


def parse_method(method: str, detail: bool, side: Side) -> Style:
    """Combine what --method, --no-detail and --side say; cli/rules.py has checked that they go together."""
    chosen = find_method(method)
    if not isinstance(chosen, NetworkMethod):
        return Style(detail, side, method)
    return Style(detail and chosen.detail, chosen.side if side == "both" else side)


def choose_outputs(output: Sequence[str] | None, style: Style, compare: bool, preview: bool) -> tuple[Output, ...]:
    """List the outputs meant, each once."""
    for kind in output or ():
        if kind not in KINDS:
            raise UsageError(f"--output {kind}: use {', '.join(KINDS)}")
    if style.landmark_method is not None:
        return (Output.FACE,)
    if preview:
        return (Output.PREVIEW,)
    kinds = tuple(Output(kind) for kind in dict.fromkeys(output or ["photo"]))
    return (*kinds, Output.COMPARE) if compare else kinds


def check_amounts(shape: float, color: float) -> None:
    """Refuse amounts that are surely mistakes."""
    for name, amount in (("--shape", shape), ("--color", color)):
        if not abs(amount) <= LARGEST_AMOUNT:
            limits = f"{-LARGEST_AMOUNT:g} to {LARGEST_AMOUNT:g}"
            raise UsageError(f"{name} {amount:g}: use a number from {limits}; 0 is as in the photo, 1 symmetric")


def check_file(file: Path | None, options: OutputOptions) -> None:
    """Refuse a name for the result that is not of its format; a name without a suffix can have any."""
    if file is None or not file.suffix:
        return
    wanted = {".gif"} if options.animated else {".png"} if options.outputs[0] is Output.FACE else set(FORMATS)
    if file.suffix.lower() not in wanted:
        raise UsageError(
            f"-o {file}: end its name with {' or '.join(sorted(wanted))}, or with a slash if it is a folder"
        )


def parse_faces(text: str) -> int | None:
    """Return None for all faces, else a face's number, 1 for the largest."""
    if text in ("all", "largest"):
        return None if text == "all" else 1
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--faces {text}: use all, largest, or a number from 1")
    return int(text)


def parse_shard(text: str | None) -> Shard | None:
    """Return the part of the photos that is meant; None of None, for all."""
    return None if text is None else shard.parse_shard(text, os.environ)


def parse_steps(text: str | None) -> tuple[float, ...]:
    """Return the numbers of first:last:step, the last one included; none of None."""
    if text is None:
        return ()
    try:
        first, last, step = (float(part) for part in text.split(":"))
        count = round((last - first) / step) + 1
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise UsageError(f"--continuum {text}: use FROM:TO:STEP, such as 0:1:0.1") from error
    if not 2 <= count <= MOST_STEPS or abs(first + (count - 1) * step - last) > 1e-6 * abs(step):
        raise UsageError(
            f"--continuum {text}: the steps must lead from the first to the last number, in 2 to {MOST_STEPS} steps"
        )
    return tuple(round(value, 9) for value in np.linspace(first, last, count).tolist())


def parse_background(text: str) -> Literal["transparent"] | tuple[int, int, int] | None:
    """Return None to keep what is around the face, "transparent", or a color."""
    if text == "keep":
        return None
    if text == "transparent":
        return "transparent"
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise UsageError(f"--background {text}: use keep, transparent, a name like white, or #rrggbb") from error
    return red, green, blue


def parse_box(text: str | None) -> Box | None:
    """Return a box of four numbers, made square about its center if it is not; None of None."""
    if text is None:
        return None
    x, y, width, height = _four_numbers("--box", text)
    if width <= 0 or height <= 0:
        raise UsageError(f"--box {text}: width and height must be positive")
    side = max(width, height)
    _refuse_tiny("--box", text, side)
    return Box(x + (width - side) / 2, y + (height - side) / 2, side, side)


def parse_eyes(text: str | None) -> tuple[Array, Array] | None:
    """Return two points (2,); None of None."""
    if text is None:
        return None
    numbers = _four_numbers("--eyes", text)
    left, right = np.array(numbers[:2]), np.array(numbers[2:])
    _refuse_tiny("--eyes", text, face_with_eyes(left, right).box.width)
    return left, right


def _refuse_tiny(option: str, text: str, side: float) -> None:
    if side < SMALLEST_MARKED:
        raise UsageError(f"{option} {text}: a face of {side:.2g} pixels; give its place in pixels of the upright photo")


def _four_numbers(option: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(abs(number) <= FARTHEST for number in numbers):
        raise UsageError(f"{option} {text}: use four numbers with commas between, in pixels of the upright photo")
    return numbers
