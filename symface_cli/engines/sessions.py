"""ONNX Runtime on one core, silent, and kept from sending anything."""

import os
from importlib import import_module
from types import ModuleType
from typing import Any

ERRORS = 3  # severity from which on it writes to stderr


def load_runtime() -> ModuleType:
    """Import ONNX Runtime.

    From version 1.29 on it reports to its makers what it does, unless it is told not to before it is imported; on
    Windows, any version tells the system.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    runtime = import_module("onnxruntime")
    runtime.disable_telemetry_events()
    return runtime


def open_session(graph: bytes) -> Any:
    """Load an ONNX graph, for any number of threads that run it at a time, and for processes forked with it.

    Each run takes one core: sums have the same order on all machines, and there is no thread that a forked process
    would wait for.
    """
    runtime = load_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS
    return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
