"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def complete_methods() -> list[str]:
    """The names of all methods, for a shell that completes one."""
    from symface_cli.methods.registry import all_methods

    return [method.name for method in all_methods()]


DeviceOption = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps; auto takes CUDA if there is one."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights to use instead of those that come with symface."),
]
ModelDirOption = Annotated[
    Path | None,
    typer.Option(
        "--model-dir",
        metavar="FOLDER",
        envvar="SYMFACE_MODEL_DIR",
        exists=True,
        file_okay=False,
        help="A folder with published models of other people; what is not in it is downloaded.",
    ),
]
FacesOption = Annotated[
    str, typer.Option("--faces", metavar="all|largest|N", help="Which faces: all, the largest, or number N by size.")
]
