"""Folder of a training: where its stages start, what they write, and how a stopped one is gone on with."""

import csv
import io
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from symface_cli.errors import DataError, Hint, UsageError
from symface_cli.training.checkpoints import CheckpointState, load_checkpoint
from symface_cli.training.config import Settings, TrainingConfig, find_difference
from symface_cli.training.data.sources import UNKNOWN_PHOTOS, Annotations, Sources, find_change
from symface_cli.training.distributed import Processes
from symface_cli.training.reports.tensorboard import TensorBoardLog
from symface_cli.writing import Destination, Inputs, is_same, prepare_files, write_file

LEFTOVERS = ".symface-*"  # of write_file, from a process that was killed in it


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training, and how a stage is started in it.

    Attributes:
        path: With `data/`, the prepared photos, and a folder for each stage.
        init: Weights to start from instead of those of the stage before.
        resume: Whether to go on from the stage's last checkpoint.
        annotations: What is known of the photos.
        log: Where epochs are logged besides; None for nowhere.
    """

    path: Path
    _: KW_ONLY
    init: Path | None = None
    resume: bool = False
    annotations: Annotations = UNKNOWN_PHOTOS
    log: TensorBoardLog | None = None

    @property
    def data(self) -> Path:
        """Where the prepared photos lie."""
        return self.path / "data"

    def stage(self, number: int) -> "StageFolder":
        """Return the folder of a stage."""
        return StageFolder(self.path / f"stage-{number}")

    def lend_temporary_folder(self) -> None:
        """Let torch and matplotlib put temporary files here if the system has no place for any: a read-only container.

        Raises:
            DataError: If that is not possible, either.
        """
        with suppress(FileNotFoundError):
            tempfile.gettempdir()
            return
        folder = (self.path / "temporary").absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            told = f"{folder}: cannot be made ({error.strerror}), and there is no other place for temporary files"
            raise DataError(f"{told}; set TMPDIR to a folder", Hint.OTHER_RUN) from error
        os.environ["TMPDIR"] = str(folder)

    def first_weights(self, stage: int) -> Path | None:
        """Return the weights that a stage starts from: `init`, or the stage before; None for a fresh start.

        Raises:
            DataError: If the stage before is missing.
        """
        if self.init is not None or stage == 1:
            return self.init
        before = self.stage(stage - 1).best
        if not before.is_file():
            raise DataError(f"{before}: stage {stage - 1} is missing; train it first", Hint.FIRST_WEIGHTS)
        return before

    def state_to_resume(self, config: TrainingConfig, processes: Processes) -> CheckpointState | None:
        """Return the checkpoint to go on from, None for a fresh start.

        Processes that were restarted go on from their own checkpoint.

        Raises:
            DataError: If there is nothing to resume.
            UsageError: If the stage was trained before, or with other settings.
        """
        last = self.stage(config.stage).last
        if not self.resume and not last.exists():
            self.stage(config.stage).refuse_weights(self.init)
            return None
        state = load_checkpoint(last) if self.resume or processes.resumes else None
        if not self.resume and (state is None or state["launch"] != processes.launch):
            raise UsageError(f"{last}: this stage was trained before", Hint.RESUME)
        assert state is not None
        difference = find_difference(state["config"], config.settings(processes.world))
        if difference is not None:
            raise UsageError(f"{last}: started with {difference}; resume with the same settings", Hint.TRAIN_ON)
        return state

    def refuse_change(self, stage: int, known: Sources, now: Sources) -> None:
        """Raise DataError if a stage that is resumed learned from other photos or labels."""
        change = find_change(known, now)
        if change is not None:
            last = self.stage(stage).last
            raise DataError(f"{last}: the photos or labels have changed: {change}; restore them", Hint.TRAIN_ON)


@dataclass(frozen=True)
class StageFolder:
    """The files of one stage."""

    path: Path

    @property
    def best(self) -> Path:
        """Weights of the epoch with the lowest validation loss."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """Checkpoint of the last epoch."""
        return self.path / "last.pt"

    def refuse_weights(self, init: Path | None) -> None:
        """Refuse to lose weights that are here without a checkpoint: somebody has put them here, or starts from them.

        A first epoch that was stopped before its checkpoint leaves some, too; it is done again.

        Raises:
            UsageError: If there are any.
        """
        rows = self.path / "losses.csv"
        is_first = (self.path / "config.json").exists() and not (rows.exists() and rows.read_bytes().count(b"\n") > 2)
        if self.best.exists() and (not is_first or (init is not None and is_same(init, self.best))):
            raise UsageError(f"{self.best}: these weights would be lost; move them", Hint.OTHER_RUN)

    def prepare(self) -> None:
        """Make the folder, and check before the work that files can be written into it.

        Raises:
            OutputError: If that cannot be done.
        """
        files = [Destination(file, replace=True) for file in (self.best, self.last, self.path / "losses.csv")]
        prepare_files(files, Inputs())

    def open(self, settings: Settings) -> None:
        """Write the configuration into the folder, and take out what a killed process has left there."""
        for leftover in self.path.glob(LEFTOVERS):
            leftover.unlink()
        write_file(self.path / "config.json", json.dumps(settings, indent=2).encode(), replace=True)

    def write_losses(self, rows: list[dict[str, float]], curves: bytes | None) -> None:
        """Write a row of losses per epoch as CSV, and their curves if there are any."""
        write_file(self.path / "losses.csv", _as_csv(rows), replace=True)
        if curves is not None:
            write_file(self.path / "losses.png", curves, replace=True)

    def write_sheet(self, epoch: int, sheet: bytes) -> None:
        """Write an epoch's sheet of examples."""
        write_file(self.path / f"epoch-{epoch:03d}.png", sheet, replace=True)


def _as_csv(rows: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)
    return text.getvalue().encode()
