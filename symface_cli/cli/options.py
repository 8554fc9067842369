"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

MADE, AMOUNT, FACE, MANY, EXPERT = "What is made", "How much", "Which face", "Many photos", "Expert"
"""Groups of options in the help of `symmetrize` and `measure`."""
DATA, COMPARED, NUMBERS, TRAINING = "Photos", "What is compared", "Results", "Training"
"""Those of the other commands, beside MANY and EXPERT."""


def complete_methods() -> list[str]:
    """List the names of all methods, for a shell that completes one."""
    from symface_cli.methods.registry import all_methods

    return [method.name for method in all_methods()]


DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="auto, cpu, cuda, cuda:N or mps; auto takes CUDA, if there is one, for more than 100 photos.",
        rich_help_panel=EXPERT,
    ),
]
EngineOption = Annotated[
    Literal["auto", "onnxruntime", "torch"],
    typer.Option(
        "--engine",
        help="What computes the network; auto takes torch on a GPU, else ONNX Runtime, which starts at once.",
        rich_help_panel=EXPERT,
    ),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FILE|free",
        help="Weights of your own, or free: those that come with symface for every use. [default: those for research]",
        rich_help_panel=EXPERT,
    ),
]
ModelDirOption = Annotated[
    Path | None,
    typer.Option(
        "--model-dir",
        metavar="FOLDER",
        envvar="SYMFACE_MODEL_DIR",
        exists=True,
        file_okay=False,
        help="Folder that has other people's published models; what is not in it is downloaded.",
        rich_help_panel=EXPERT,
    ),
]
FacesOption = Annotated[
    str,
    typer.Option(
        "--faces",
        metavar="all|largest|N",
        help="Which faces: all, the largest, or number N by size.",
        rich_help_panel=FACE,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite existing files.", rich_help_panel=MANY)]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=0,
        metavar="N",
        show_default=False,
        help="Number of parallel workers. [default: one per core]",
        rich_help_panel=MANY,
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N|slurm",
        help="Only part I of N of the photos, with files of its own; slurm: that of an array's task.",
        rich_help_panel=MANY,
    ),
]
DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug",
        envvar="SYMFACE_DEBUG",
        show_envvar=False,
        help="Show the traceback of what fails unexpectedly.",
        rich_help_panel=EXPERT,
    ),
]
Print0Option = Annotated[
    bool,
    typer.Option("--print0", "-0", help="End each path with NUL instead of a new line.", rich_help_panel=MANY),
]
FILMS = "Films"
"""The group of options for films."""
PersonOption = Annotated[
    str,
    typer.Option(
        "--person",
        metavar="largest|all|N",
        help="Who is followed: the largest, everybody, or number N by size.",
        rich_help_panel=FILMS,
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help="Begin at this time: 12.5 or 1:02.5.", rich_help_panel=FILMS),
]
EndOption = Annotated[
    str | None,
    typer.Option("--end", metavar="TIME", help="End before this time.", rich_help_panel=FILMS),
]
