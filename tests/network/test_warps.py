"""Warps on tensors."""

import torch

from symface_cli.network import warps


def test_mixed_precision_leaves_sampling_grids_exact() -> None:
    """In bfloat16 they would place pixels half a pixel beside."""
    grid = torch.rand(1, 17, 17, 2)
    with torch.autocast("cpu", torch.bfloat16):
        found = warps.enlarge_grid(grid, 65)
    assert found.dtype == torch.float32
    assert torch.equal(found, warps.enlarge_grid(grid, 65))
