"""`symface train`: one stage of training, with a progress bar."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from symface_cli.cli.console import ResultPrinter, print_line, show_tracebacks
from symface_cli.cli.fetching import DataArgument, DownloadOption, fetch_models, find_dataset
from symface_cli.cli.options import DATA, EXPERT, TRAINING, DebugOption, DeviceOption
from symface_cli.cli.progress import PhaseBar
from symface_cli.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    import torch

    from symface_cli.training.config import TrainingConfig
    from symface_cli.training.distributed import Processes


def train(
    stage: Annotated[
        int,
        typer.Option(
            min=1,
            max=3,
            help="1 reconstruct the crop, 2 keep only the face, 3 make it symmetric.",
            rich_help_panel=TRAINING,
        ),
    ],
    data: DataArgument = None,
    download: DownloadOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Labels, as symface label writes them. [default: made here]",
            rich_help_panel=DATA,
        ),
    ] = None,
    segmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="What each pixel shows: a folder of PNGs, or an .npz with photo and label.",
            rich_help_panel=DATA,
        ),
    ] = None,
    teacher: Annotated[
        Literal["dlib", "blend", "mesh"],
        typer.Option(
            help="Learn from dlib's landmarks, MediaPipe's face mesh (5 MB, downloaded), or a blend of both.",
            rich_help_panel=DATA,
        ),
    ] = "dlib",
    clean: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train weights for every use: FILE (CSV: photo, license) says what permits each photo.",
            rich_help_panel=DATA,
        ),
    ] = None,
    run: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder of one training, for all its stages.", rich_help_panel=TRAINING),
    ] = Path("runs/symface"),
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Start from these weights instead of the stage before.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the stage's last checkpoint.", rich_help_panel=TRAINING)
    ] = False,
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Also log losses and sheets for TensorBoard.", rich_help_panel=TRAINING),
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the photos. [default: by stage]", rich_help_panel=EXPERT),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=2, help="Crops per step, of each process.", rich_help_panel=EXPERT)
    ] = 64,
    lr: Annotated[
        float | None, typer.Option(help="Highest learning rate. [default: by stage]", rich_help_panel=EXPERT)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", rich_help_panel=EXPERT)] = 0,
    arch: Annotated[
        Literal["symface", "paper"],
        typer.Option(help="symface's network, or the paper's for comparison.", rich_help_panel=EXPERT),
    ] = "symface",
    device: DeviceOption = "auto",
    debug: DebugOption = False,
) -> int:
    """Train one stage of the network on a folder or archive of photos.

    Stages 2 and 3 learn from dlib's landmarks, which the landmarks extra brings, or from MediaPipe's mesh. People are
    split by name into training, validation and test; test people are never trained on. Prints the path of the best
    weights.
    """
    show_tracebacks(debug)
    from symface_cli.landmarks.iris import MediaPipeIrises
    from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
    from symface_cli.training.data.prepared.segments import MediaPipeSegments
    from symface_cli.training.data.sources import Annotations
    from symface_cli.training.distributed import FailedElsewhere, join
    from symface_cli.training.loop import train as train_stage
    from symface_cli.training.reports.tensorboard import TensorBoardLog
    from symface_cli.training.run_folder import RunFolder

    printer = ResultPrinter()
    config = _configure(arch, stage, epochs, batch_size, lr, seed, teacher, clean is not None)
    try:
        with join(device) as (processes, chosen):
            if lr is not None and not 0 < lr < 1:
                raise UsageError(f"--lr {lr}: use a rate between 0 and 1")
            log = TensorBoardLog(run / f"stage-{stage}" / "tensorboard") if tensorboard else None
            annotations = Annotations(labels=labels, segmentation=segmentation, licenses=clean)
            run_folder = RunFolder(run, init=init, resume=resume, annotations=annotations, log=log)
            with processes.writer_first():
                folder = find_dataset(data, download, shown=processes.is_writer)
                if stage > 1 and teacher != "dlib":
                    fetch_models((*MediaPipeLandmarks.files, *MediaPipeIrises.files), None)
                if stage > 1 and teacher == "mesh" and segmentation is None:
                    fetch_models(MediaPipeSegments.files, None)
            with ProgressObserver(config.epochs, shown=processes.is_writer) as observer:
                observer.noted(f"stage {stage}, {config.epochs} epochs, on {_describe(chosen, processes)}")
                best = train_stage(config, folder, run_folder, chosen, observer, processes)
            if processes.is_writer:
                printer.print(best)
    except FailedElsewhere as error:
        raise typer.Exit(ExitStatus.BUG) from error
    return printer.status


def _describe(device: "torch.device", processes: "Processes") -> str:
    return str(device) if processes.world == 1 else f"{processes.world} processes with {device.type}"


def _configure(
    arch: str,
    stage: int,
    epochs: int | None,
    batch_size: int,
    lr: float | None,
    seed: int,
    teacher: Literal["dlib", "blend", "mesh"],
    clean: bool,
) -> "TrainingConfig":
    """Return the configuration that the options say; what they leave open goes by the stage."""
    from symface_cli.network.architecture import PAPER, Architecture
    from symface_cli.training.config import EPOCHS, RATES, TrainingConfig

    return TrainingConfig(
        stage=stage,
        architecture=PAPER if arch == "paper" else Architecture(),
        epochs=EPOCHS[stage] if epochs is None else epochs,
        batch_size=batch_size,
        lr=RATES[stage] if lr is None else lr,
        seed=seed,
        teacher=teacher,
        clean=clean,
    )


class ProgressObserver:
    """Shows a training on stderr: a progress bar for what is being done, and a line per epoch.

    Args:
        epochs: How many there will be.
        shown: Whether this process is the one that shows it.
    """

    def __init__(self, epochs: int, shown: bool) -> None:
        self._epochs = epochs
        self._shown = shown
        self._bar = PhaseBar(shown)

    def __enter__(self) -> "ProgressObserver":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def noted(self, message: str) -> None:
        """Print what a person should know."""
        if self._shown:
            print_line(message)

    def prepared(self, done: int, total: int) -> None:
        """Show how many photos are prepared."""
        self._bar.show("preparing photos", done, total)

    def stepped(self, epoch: int, step: int, steps: int, rate: float, losses: dict[str, float]) -> None:
        """Show the step, the losses and the crops per second."""
        self._bar.show(f"epoch {epoch}/{self._epochs}", step, steps, f"{_format(losses)}  {rate:.0f} crops/s")

    def finished_epoch(self, row: dict[str, float]) -> None:
        """Print the epoch's validation losses."""
        losses = {key.removeprefix("validation_"): value for key, value in row.items() if key.startswith("validation_")}
        self.noted(f"epoch {row['epoch']:.0f}/{self._epochs}: validation {_format(losses)}")


def _format(losses: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
