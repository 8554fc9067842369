"""Processes that train: forked by a server that has imported, once, what takes five seconds."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch.distributed.launcher.api import elastic_launch
from torch.distributed.run import config_from_args, parse_args
from torch.multiprocessing.spawn import start_processes

from symface_cli.training import loop
from symface_cli.training.distributed import join
from tests.training.small import list_losses

PRELOADED = ["torch._dynamo", "symface_cli.training.loop", "torch.distributed.run"]


def in_process(task: Callable[..., object], *arguments: object) -> int | None:
    """Does something in a new process; returns its exit status, which is negative for a signal."""
    multiprocessing.set_forkserver_preload(PRELOADED)
    process = multiprocessing.get_context("forkserver").Process(target=_on_one_core, args=(task, *arguments))
    process.start()
    process.join()
    return process.exitcode


def in_processes(count: int, task: Callable[..., object], *arguments: object) -> None:
    """Does `task(join(...), *arguments)` in each of `count` new processes."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    multiprocessing.set_forkserver_preload(PRELOADED)
    start_processes(_join_and_do, (count, port, task, arguments), nprocs=count, start_method="forkserver")


def launched(logs: Path, options: list[str], task: Callable[..., int], *arguments: object) -> set[int]:
    """Does `task(*arguments)` in the processes of a launch with torchrun's options; returns what all of them return.

    What they print is in files below `logs`.
    """
    started = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "--rdzv-id", "launch"]
    started += ["--local-addr", "localhost", "--start-method", "forkserver", "--redirects", "3"]
    config, _, _ = config_from_args(parse_args([*started, "--log-dir", str(logs), *options, "unused.py"]))
    multiprocessing.set_forkserver_preload(PRELOADED)
    with ThreadPoolExecutor(1) as thread:  # in the main one, it would handle this process's signals from now on
        return set(thread.submit(elastic_launch(config, _on_one_core), task, *arguments).result().values())


def _on_one_core(task: Callable[..., Any], *arguments: object) -> Any:
    os.cpu_count, os.sched_getaffinity = lambda: 1, lambda process: {0}  # no further processes, as in conftest.py
    torch.set_num_threads(1)
    loop.draw_curves = list_losses
    return task(*arguments)


def _join_and_do(rank: int, count: int, port: int, task: Callable[..., object], arguments: tuple[object, ...]) -> None:
    place = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    _on_one_core(task, join("cpu"), *arguments)
    os._exit(0)  # at an interpreter's end, threads of gloo's sometimes abort the process
