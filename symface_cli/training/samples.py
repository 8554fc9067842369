"""The prepared photos of a split, in batches."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symface_cli.errors import DataError
from symface_cli.training.augmentation import Augmentation, Batch, Stored, make_batch
from symface_cli.training.preparation import Prepared


class Samples:
    """The prepared photos of one split: held on the device if that is a GPU, else memory-mapped.

    Raises:
        DataError: If there are none.
    """

    def __init__(self, prepared: Prepared, split: str, device: torch.device) -> None:
        self.device = device
        self._rows = np.flatnonzero(prepared.splits == split)
        self._prepared = prepared
        if not len(self._rows):
            raise DataError(f"no usable photos of {split} identities; the split goes by name, so add more people")
        self._held = self._read(self._rows) if device.type == "cuda" else None

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, index: NDArray[np.int64]) -> Stored:
        """Some samples, on the device."""
        if self._held is None:
            return self._read(self._rows[index])
        chosen = torch.from_numpy(index).to(self.device)
        return Stored(*(tensor[chosen] for tensor in self._held))

    def batches(
        self, order: NDArray[np.int64], size: int, augmentation: Augmentation, random: torch.Generator
    ) -> Iterator[Batch]:
        """Batches of `size` in the given order; a last, smaller one is left out, unless it is the only one."""
        for start in range(0, max(len(order) - size, 0) + 1, size):
            yield make_batch(self.take(order[start : start + size]), augmentation, random)

    def _read(self, rows: NDArray[np.int64]) -> Stored:
        def load(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array[rows])).to(self.device)

        return Stored(load(self._prepared.crops), load(self._prepared.warps), load(self._prepared.masks))
