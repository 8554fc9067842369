"""Which device the network runs on, and with what precision."""

import os
from contextlib import AbstractContextManager
from functools import cache, partial

import torch

from symface_cli.errors import Hint, UsageError
from symface_cli.parallel.cores import available_cores


def choose_device(name: str) -> torch.device:
    """Return the device of a name: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        UsageError: If the name is none of these, or the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"device {name}: unknown; use auto, cpu, cuda, cuda:N or mps")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise UsageError(f"device {name}: torch can use {count or 'no'} CUDA devices of this machine", Hint.USE_CPU)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device mps: not available here", Hint.USE_CPU)
    return device


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Compute convolutions and matrix products in bfloat16 where the device can, everything else in float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device))


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return device.type == "cpu" and supported is not None and bool(supported())


def limit_threads() -> None:
    """Give torch no more threads than there are cores for this process: in a container, it takes all of the machine."""
    if available_cores() < torch.get_num_threads():
        torch.set_num_threads(available_cores())


@cache
def let_forks_compute() -> None:
    """Give one thread to each process that is forked from now on, as `multiprocessing` does up to Python 3.13.

    With more, it would wait for ever for OpenMP's threads, which it believes to have but does not.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
