"""Options of `symface measure` for films."""

from pathlib import Path
from typing import Annotated

import typer

from symface_cli.cli.options import FILMS

VideoOption = Annotated[
    bool,
    typer.Option(
        "--video", help="Measure films, or folders of their frames, instead of photos.", rich_help_panel=FILMS
    ),
]
EveryOption = Annotated[
    str | None,
    typer.Option(
        "--every", metavar="SECONDS", help="Measure a frame every so often: 0.1s. [default: all]", rich_help_panel=FILMS
    ),
]
MaxYawOption = Annotated[
    float | None,
    typer.Option(
        "--max-yaw",
        min=0,
        metavar="DEGREES",
        help="Mark heads that are turned farther. [default: 15; 5 with --raw]",
        show_default=False,
        rich_help_panel=FILMS,
    ),
]
RestOption = Annotated[
    str | None,
    typer.Option(
        "--rest",
        metavar="TIME-TIME",
        help="When the face is at rest, for changes from it: 0:00-0:02. [default: the stillest second]",
        rich_help_panel=FILMS,
    ),
]
SmoothOption = Annotated[
    str,
    typer.Option(
        "--smooth",
        metavar="SECONDS",
        help="Smooth the numbers over time, by a Gaussian with this deviation: 0.05s. [default: not at all]",
        show_default=False,
        rich_help_panel=FILMS,
    ),
]
ChartOption = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        help="Write a picture of all curves, as PNG; of several films, a folder.",
        rich_help_panel=FILMS,
    ),
]
RateOption = Annotated[
    str | None,
    typer.Option("--rate", metavar="N", help="Frames per second of folders. [default: 30]", rich_help_panel=FILMS),
]
