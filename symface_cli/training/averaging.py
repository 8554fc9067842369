"""The running mean of a network's weights while it learns: steadier, and better on new faces, than the last ones.

Polyak & Juditsky 1992; as an exponential mean, Tarvainen & Valpola 2017.
"""

import copy

import torch
from torch import nn

from symface_cli.network.face_network import FaceNetwork

EARLY = 9  # step n keeps n / (n + 9) of the mean, as long as that is less than the decay
FIRST = 200  # steps that are each taken into account by themselves
STRIDE = 8  # later steps, of which the last one counts for all: it takes time to read all weights


class RunningMean:
    """The mean of a network over its last steps.

    Attributes:
        network: Has the mean's parameters and buffers; in evaluation mode, and without gradients.
        steps: How many steps it has followed.
    """

    def __init__(self, network: FaceNetwork, decay: float) -> None:
        self.network: FaceNetwork = copy.deepcopy(network).requires_grad_(False).eval()
        self.steps = 0
        self._decay = decay

    def update(self, network: nn.Module) -> None:
        """Take another step into account."""
        self.steps += 1
        stride = 1 if self.steps <= FIRST else STRIDE
        if self.steps % stride == 0:
            self._move(network, min(self._decay, self.steps / (self.steps + EARLY)) ** stride)

    @torch.no_grad()
    def _move(self, network: nn.Module, decay: float) -> None:
        """Keep a share of the mean, and take the rest from the network."""
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        real = [pair for pair in pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in real], [value for _, value in real], 1 - decay)
        for mean, value in pairs:
            if not mean.is_floating_point():  # how many batches were counted
                mean.copy_(value)
