"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DeviceOption = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps; auto takes CUDA if there is one."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights to use instead of those that come with symface."),
]
