"""Keras on PyTorch: eager, differentiated by autograd."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchsuite.contracts import Device, absent_device
from benchsuite.schema import DeviceName, Execution
from benchsuite_keras.runtime import Data, Differentiated, Function, Tensor

NAME = "torch"
COMPILES = False
MOST_UNROLLED = None


def configure() -> None:
    """One thread between operations: the suite counts threads within them."""
    torch.set_num_interop_threads(1)


def devices() -> list[Device]:
    found = [Device("cpu", platform.machine())]
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return found + [Device(str(DeviceName("gpu", n)), torch.cuda.get_device_name(n)) for n in range(count)]


def device_problem(execution: Execution) -> str | None:
    return absent_device("torch", DeviceName.parse(execution.device), len(devices()) - 1)


def precision_problem(execution: Execution) -> str | None:  # noqa: ARG001 - torch has both
    return None


def apply(execution: Execution) -> None:
    """IEEE single precision, and deterministic kernels where they are asked for."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(execution.deterministic)


def synchronize(execution: Execution) -> None:
    if DeviceName.parse(execution.device).kind == "gpu":
        torch.cuda.synchronize()


def differentiated(function: Function, variables: Sequence[Any]) -> Differentiated:
    def run(
        data: Data, probes: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Sequence[Tensor], Mapping[str, Tensor]]:
        leaves = {name: probe.requires_grad_() for name, probe in probes.items()}
        with torch.enable_grad():
            loss, scores = function(data, leaves)
            wanted = [*(variable.value for variable in variables), *leaves.values()]
            found = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        return loss, scores, found[: len(variables)], dict(zip(leaves, found[len(variables) :], strict=True))

    return run


def kernel(network: Any, inputs: Any) -> str:
    """`cudnn` where autograd recorded its operator, else `autograd_loop`: PyTorch runs Keras' unrolled
    steps and its loop alike, one operation after the other."""
    with torch.enable_grad():
        waiting, seen = [network(inputs, training=True).grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if "CudnnRnn" in node.name():
            return "cudnn"
        waiting += [following for following, _ in node.next_functions]
    return "autograd_loop"


def product(m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
    device = DeviceName.parse(execution.device)
    where = f"cuda:{device.number}" if device.kind == "gpu" else "cpu"
    random = np.random.default_rng(0)
    a, b = (
        torch.tensor(random.standard_normal(shape).astype(execution.dtype), device=where)
        for shape in ((m, k), (k, n))
    )

    def run() -> None:
        apply(execution)
        torch.matmul(a, b)
        synchronize(execution)

    return run


def memory(execution: Execution) -> dict[str, int]:
    device = DeviceName.parse(execution.device)
    return {"device_peak": torch.cuda.max_memory_allocated(device.number)} if device.kind == "gpu" else {}


def release() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def versions() -> dict[str, str]:
    return {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
