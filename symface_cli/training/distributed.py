"""Several processes that train together, started by torchrun: one writes, all learn, gradients are averaged."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import PrefixStore, Store  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from symface_cli.errors import UsageError, WorkerError
from symface_cli.network.device import choose_device

LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells the processes that it starts, as environment variables."""

PATIENCE = timedelta(days=1)  # the others wait while the first process prepares photos
NAMELESS = "none"  # what torchrun calls a launch without --rdzv-id or --standalone
LOST = ("by peer", "Broken pipe", "remote process", "NCCL communicator was aborted")  # in torch's messages


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The processes that train together, and which of them this one is.

    Attributes:
        rank: This process's number. The first one, 0, writes files and reports.
        world: How many there are.
        launch: What torchrun calls its launch; "" without it.
        resumes: Whether a checkpoint of the same launch is gone on from: the processes may have been restarted.
    """

    rank: int = 0
    world: int = 1
    launch: str = ""
    resumes: bool = False

    @property
    def is_writer(self) -> bool:
        """Whether this is the process that writes files and reports."""
        return self.rank == 0

    @contextmanager
    def writer_first(self) -> Iterator[None]:
        """Let the writer do something first, and then the others, who find it done."""
        if not self.is_writer:
            self._wait()
        yield
        if self.is_writer:
            self._wait()

    def share_gradients(self, module: nn.Module) -> nn.Module:
        """Return the module with the first process's weights, and with gradients averaged over the processes."""
        if self.world == 1:
            return module
        # Unless it looks for unused parameters, DDP sorts its buckets anew after the first step, and sums in another
        # order from then on: a resumed run would differ from an uninterrupted one. Where it finds none, it warns.
        module.register_parameter("unused", nn.Parameter(next(module.parameters()).new_zeros(1)))
        return DistributedDataParallel(module, find_unused_parameters=True)

    def _wait(self) -> None:
        if self.world > 1:
            dist.barrier()


class FailedElsewhere(Exception):  # noqa: N818
    """Another process has failed, and said why."""


@contextmanager
def join(device: str) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes of torchrun's launch, if there is one; the first error is raised in one process alone.

    Args:
        device: As for `choose_device`; of several GPUs, each process takes its own.

    Raises:
        UsageError: If the device is not there.
        WorkerError: If another process is gone.
        FailedElsewhere: If another process has raised its error.
    """
    if not all(name in os.environ for name in LAUNCHED):
        yield Processes(), choose_device(device)
        return
    launcher, rank, world = next(iter(rendezvous("env://")))
    with _meet(launcher, rank, world) as store:
        try:
            with _first_error(store):
                own = _own_device(device)
                backend = "nccl" if own.type == "cuda" else "gloo"
                dist.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=PATIENCE)
                launch = os.environ.get("TORCHELASTIC_RUN_ID", NAMELESS)
                resumes = launch != NAMELESS or _were_restarted(own)
                yield Processes(rank=rank, world=world, launch=launch, resumes=resumes), own
        finally:  # not before the error is claimed: the others notice at once
            if dist.is_initialized():
                dist.destroy_process_group()


@contextmanager
def _meet(launcher: Store, rank: int, world: int) -> Iterator[Store]:
    """Open a part of the launcher's store for these processes alone.

    The store keeps what processes have left there that were restarted since: torch's own keys, too, which let new ones
    wait for dead ones. So the part is named after a port that only answers while the first process is there.
    """
    if rank == 0:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        with socket.create_server(("", 0), family=family, backlog=world, dualstack_ipv6=both) as server:
            port = server.getsockname()[1]
            launcher.set("symface", str(port))
            yield PrefixStore(f"symface-{port}", launcher)
    else:
        while not _answers(port := int(launcher.get("symface"))):
            time.sleep(0.1)
        yield PrefixStore(f"symface-{port}", launcher)


def _answers(port: int) -> bool:
    """Return whether the first process listens on a port."""
    try:
        socket.create_connection((os.environ["MASTER_ADDR"], port), timeout=10).close()
    except OSError:
        return False
    return True


def _were_restarted(device: torch.device) -> bool:
    """Return whether any process was restarted; torchrun counts on each machine by itself."""
    restarts = float(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
    return mean_over_processes(torch.tensor(restarts, device=device)).item() > 0


def _own_device(name: str) -> torch.device:
    """Return the device of a name; plain "cuda" is the GPU with the process's number on its machine."""
    device = choose_device(name)
    if device.type != "cuda":
        return device
    if device.index is not None:
        raise UsageError(f"device {name}: each process takes a GPU of its own; use cuda")
    device = choose_device(f"cuda:{os.environ['LOCAL_RANK']}")
    torch.cuda.set_device(device)
    return device


@contextmanager
def _first_error(store: Store) -> Iterator[None]:
    """Keep quiet about errors after the first one of all processes, most of which are its consequences."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if not _is_first(store):
            raise FailedElsewhere from error
        if isinstance(error, RuntimeError) and any(word in str(error) for word in LOST):
            raise WorkerError("another process of this training is gone; torchrun says why") from error
        raise


def _is_first(store: Store) -> bool:
    """Return whether this is the first process to fail."""
    try:
        return int(store.add("failures", 1)) == 1
    except RuntimeError:  # the process that keeps the store is gone: it was the first
        return False


def mean_over_processes(values: Tensor) -> Tensor:
    """Return the mean of each value over the processes; gradients flow to all of them."""
    if not dist.is_initialized():
        return values
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total / dist.get_world_size()


class _Sum(torch.autograd.Function):
    """The sum over all processes. torch's own, in torch.distributed.nn, is deprecated without a successor."""

    @staticmethod
    def forward(_: object, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        total: Tensor = _Sum.apply(gradient)  # type: ignore[no-untyped-call]
        return total
