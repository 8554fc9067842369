"""The prepared photos of a split, in batches."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symface_cli.data.datasets import DatasetPhoto, split_of
from symface_cli.errors import DataError
from symface_cli.training.data.augmentation import Augmentation, StoredSamples, TrainingBatch, make_batch
from symface_cli.training.data.prepared.preparation import Prepared
from symface_cli.training.randomness import ShardedRandom

NO_PHOTOS = "no usable photos of {} identities; the split goes by name, so add more people"


def refuse_missing_splits(photos: Iterable[DatasetPhoto]) -> None:
    """Raise DataError if nobody among the photos of a data set is to be trained on, or to be validated with."""
    found = {split_of(photo.identity) for photo in photos}
    for split in ("train", "validation"):
        if split not in found:
            raise DataError(NO_PHOTOS.format(split))


class SplitSamples:
    """The prepared photos of one split: held on the device if that is a GPU, else memory-mapped.

    Raises:
        DataError: If there are none.
    """

    def __init__(self, prepared: Prepared, split: str, device: torch.device) -> None:
        self.device = device
        self._rows = np.flatnonzero(prepared.splits == split)
        self._prepared = prepared
        if not len(self._rows):
            raise DataError(NO_PHOTOS.format(split))
        self._held = self._read(self._rows) if device.type == "cuda" else None

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, index: NDArray[np.int64]) -> StoredSamples:
        """Return some samples, on the device."""
        if self._held is None:
            return self._read(self._rows[index])
        chosen = torch.from_numpy(index).to(self.device)
        return StoredSamples(*(tensor[chosen] for tensor in self._held))

    def steps(self, size: int, world: int = 1) -> int:
        """Return how many batches of `size` for each of `world` processes there are.

        Raises:
            DataError: If there are fewer samples than processes.
        """
        if len(self) < world:
            raise DataError(f"{len(self)} photos of a split for {world} processes; use fewer processes or more photos")
        return max(len(self) // (size * world), 1)

    def batches(
        self, order: NDArray[np.int64], size: int, augmentation: Augmentation, rng: ShardedRandom
    ) -> Iterator[TrainingBatch]:
        """Yield this process's rows of the batches of all processes, `size` each, in the given order.

        A last batch that is smaller is left out, unless it is the only one: then each process has as many rows.
        """
        size = min(size, len(order) // rng.world)
        for step in range(len(order) // (size * rng.world)):
            start = (step * rng.world + rng.rank) * size
            yield make_batch(self.take(order[start : start + size]), augmentation, rng)

    def _read(self, rows: NDArray[np.int64]) -> StoredSamples:
        def load(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array[rows])).to(self.device)

        prepared = self._prepared
        return StoredSamples(
            crops=load(prepared.crops),
            warps=load(prepared.warps),
            masks=load(prepared.masks),
            segments=load(prepared.segments),
            irises=load(prepared.irises),
            weights=load(prepared.weights),
        )
