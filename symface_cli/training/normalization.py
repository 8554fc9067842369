"""Batch normalization over the batch of all processes, on every device: torch's SyncBatchNorm needs a GPU."""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from symface_cli.training.distributed import Processes, mean_over_processes


def share_statistics(network: nn.Module, processes: Processes) -> None:
    """Let a network's batch normalizations learn from the samples of all processes; names and values stay."""
    if processes.world == 1:
        return
    for name, layer in list(network.named_modules()):
        if type(layer) is nn.BatchNorm2d:
            shared = SharedBatchNorm2d(layer.num_features)
            shared.load_state_dict(layer.state_dict())
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, shared)


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization that learns with the mean and variance over the equally many samples of all processes."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalize features (B, C, H, W); statistics and arithmetic are in single precision."""
        if not self.training:
            return super().forward(features)
        assert self.running_mean is not None
        variance, mean = torch.var_mean(features.float(), (0, 2, 3), correction=0)
        near = self.running_mean.clone()  # the same everywhere; near the mean, so that squares do not cancel out
        offset, square = mean_over_processes(torch.stack([mean - near, variance + (mean - near).square()]))
        mean, variance = near + offset, square - offset.square()
        self._remember(mean.detach(), variance.detach(), features.numel() // len(mean) * dist.get_world_size())
        scale = self.weight * (variance + self.eps).rsqrt()
        bias = self.bias - mean * scale
        return torch.addcmul(bias[:, None, None], features, scale[:, None, None]).to(features.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics, with the unbiased variance of `count` values."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        self.num_batches_tracked.add_(1)
