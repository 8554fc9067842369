"""Networks built from their architecture, and prepared for a device."""

import copy

import torch
from torch import nn

from symface_cli.network.architecture import Architecture
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.layers import fold_batch_norm
from symface_cli.network.paper import PaperVAE
from symface_cli.network.vae import SymmetricFaceVAE


def build_network(architecture: Architecture) -> FaceNetwork:
    """Build the network that an architecture describes, with fresh weights from torch's global generator."""
    return PaperVAE(architecture) if architecture.kind == "paper" else SymmetricFaceVAE(architecture)


def to_channels_last(network: nn.Module, device: torch.device) -> None:
    """Move a network to a device, its convolution weights in the layout in which they are fastest."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def prepare_for_inference(network: FaceNetwork, device: torch.device) -> FaceNetwork:
    """Return a copy of a trained network that computes the same faster, on a device; the network itself stays.

    Batch normalization is folded, see `fold_batch_norm`, and convolutions are as `to_channels_last` makes them.
    Everything stays in float32: bfloat16 would move warps by 0.003 eye distances, and a photo would become another one
    on another device.
    """
    prepared = copy.deepcopy(network).eval()
    fold_batch_norm(prepared)
    to_channels_last(prepared, device)
    return prepared
