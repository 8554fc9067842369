"""Texts of options to values; what makes no sense is refused with the option's name."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from symface_cli.errors import UsageError
from symface_cli.imaging.formats import FORMATS
from symface_cli.inference.face import Side
from symface_cli.methods.network import find_network_method
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.parsing import parse_kinds
from symface_cli.shards import shard
from symface_cli.shards.shard import Shard

UPSIDE_DOWN = (
    "--eyes has the right eye first, for an upside-down face; if it is not one, give the viewer's left eye first"
)


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
