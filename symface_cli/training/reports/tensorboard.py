"""A training's losses and example sheets as TensorBoard shows them: needs the train extra."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from symface_cli.errors import Hint, MissingExtraError


class TensorBoardLog:
    """Writes finished epochs into a folder of events.

    Each epoch has a file of its own, so that nothing stays open between them, and takes the place of what a stopped
    run wrote of it or of later ones: a resumed run doubles nothing.

    Raises:
        MissingExtraError: The extra is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("TensorBoard is not installed", "train", Hint.LOG_NOTHING) from error
        self._folder = folder
        self._open = SummaryWriter

    def add(self, row: dict[str, float], sheet: bytes) -> None:
        """Log an epoch: its row of `losses.csv`, as scalars such as `train/total`, and its sheet, a PNG."""
        epoch = round(row["epoch"])
        pixels = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
        with self._open(str(self._folder), purge_step=epoch) as writer:
            for name in row.keys() - {"epoch"}:
                writer.add_scalar(name.replace("_", "/", 1), row[name], epoch)
            writer.add_image("examples", pixels, epoch, dataformats="HWC")
