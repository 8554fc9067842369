"""Texts of options to values; what makes no sense is refused with the option's name."""

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from symface_cli.errors import UsageError
from symface_cli.imaging.formats import FORMATS
from symface_cli.inference.face import Side
from symface_cli.methods.network import find_network_method
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.parsing import parse_kinds
from symface_cli.shards import shard
from symface_cli.shards.shard import Shard

if TYPE_CHECKING:
    from symface_cli.films.following import Person

UPSIDE_DOWN = (
    "--eyes has the right eye first, for an upside-down face; if it is not one, give the viewer's left eye first"
)

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)\s*(s|ms)?")


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
    chosen = find_network_method(method)
    if chosen is None:
        return Style(detail, side, method)
    return Style(detail and chosen.detail, chosen.side if side == "both" else side)


def choose_outputs(output: Sequence[str] | None, style: Style, compare: bool, preview: bool) -> tuple[Output, ...]:
    """List the outputs meant, each once."""
    kinds = parse_kinds(output or (), "--output")
    if style.landmark_method is not None:
        return (Output.FACE,)
    if preview:
        return (Output.PREVIEW,)
    return (*kinds, Output.COMPARE) if compare else kinds


def check_file(file: Path | None, options: OutputOptions) -> None:
    """Refuse a name for the result that is not of its format; a name without a suffix can have any."""
    if file is None or not file.suffix:
        return
    wanted = {".gif"} if options.animated else {".png"} if options.outputs[0] is Output.FACE else set(FORMATS)
    if file.suffix.lower() not in wanted:
        raise UsageError(
            f"-o {file}: end its name with {' or '.join(sorted(wanted))}, or with a slash if it is a folder"
        )


def parse_shard(text: str | None) -> Shard | None:
    """Return the part of the photos that is meant; None of None, for all."""
    return None if text is None else shard.parse_shard(text, os.environ)


def parse_time(text: str, option: str) -> Fraction:
    """Read a time in a film in seconds: 12.5, 12.5s, 500ms, 1:02.5 or 1:00:02.5.

    Raises:
        UsageError: If it is none.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} {text}: no time; write seconds, such as 2.5, or minutes, too, such as 1:02.5")
    hours, minutes, seconds, unit = found.groups()
    total = 3600 * int(hours or 0) + 60 * int(minutes or 0) + Fraction(seconds)
    return total / 1000 if unit == "ms" else total


def parse_length(text: str, option: str) -> Fraction:
    """Read a length of time in seconds, as `parse_time` does, above 0.

    Raises:
        UsageError: If it is none.
    """
    length = parse_time(text, option)
    if length == 0:
        raise UsageError(f"{option} {text}: give a time above 0, such as 0.1s")
    return length


def parse_span(text: str, option: str) -> tuple[Fraction, Fraction]:
    """Read a part of a film: 0:00-0:02.

    Raises:
        UsageError: If it is none, or ends before it begins.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise UsageError(f"{option} {text}: give the times between which it is, such as 0:00-0:02")
    span = parse_time(start, option), parse_time(end, option)
    if span[0] >= span[1]:
        raise UsageError(f"{option} {text}: it ends before it begins")
    return span


def parse_person(text: str) -> "Person":
    """Read who is followed: largest, all, or a number from 1.

    Raises:
        UsageError: If it is none of these.
    """
    named: dict[str, Person] = {"largest": "largest", "all": "all"}
    if text in named:
        return named[text]
    if not (text.isdecimal() and int(text) > 0):
        raise UsageError(f"--person {text}: use largest, all, or a number by size, from 1")
    return int(text)
