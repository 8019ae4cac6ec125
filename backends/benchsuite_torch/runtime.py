"""What torch keeps as global state: threads, precision of products, determinism; and names of devices."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import torch

from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution


@dataclass(frozen=True)
class Settings:
    """The part of an execution that torch holds once for the whole process."""

    threads: int
    tf32: bool
    deterministic: bool

    @classmethod
    def of(cls, execution: Execution) -> Settings:
        return cls(execution.threads, execution.precision == "tf32", execution.deterministic)


_applied: Settings | None = None


def apply(settings: Settings) -> None:
    """Make torch run under `settings`; free when it already does.

    Programs of different precision may live in one process, so each one applies its own before it works.
    """
    global _applied
    if settings == _applied:
        return
    torch.set_num_threads(settings.threads)
    # torch runs cuDNN's recurrent layers and convolutions in TF32 unless told otherwise
    precision = "tf32" if settings.tf32 else "ieee"
    torch.backends.cuda.matmul.fp32_precision = precision
    torch.backends.cudnn.conv.fp32_precision = precision
    torch.backends.cudnn.rnn.fp32_precision = precision
    for operation in (torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv, torch.backends.mkldnn.rnn):
        operation.fp32_precision = "ieee"
    torch.use_deterministic_algorithms(settings.deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = not settings.deterministic
    _applied = settings


def single_interop_thread() -> None:
    """One thread for independent operators: eager programs have none, idle ones only disturb timings."""
    if torch.get_num_interop_threads() != 1:
        with contextlib.suppress(RuntimeError):  # too late: somebody ran parallel work before
            torch.set_num_interop_threads(1)


def device_problem(name: str) -> str | None:
    """Why the device called `name` (`cpu`, `gpu`, `gpu:1`) cannot be used here, or None."""
    if name == "cpu":
        return None
    kind, _, index = name.partition(":")
    if kind != "gpu" or (":" in name and not index.isdecimal()):
        return f"unknown device {name!r}; torch knows cpu, gpu and gpu:N (N from 0)"
    if not torch.cuda.is_available():
        return "no CUDA device: torch.cuda.is_available() is False"
    count = torch.cuda.device_count()
    if int(index or 0) >= count:
        return f"no device {name!r}: this machine has {count} CUDA device(s), gpu:0 to gpu:{count - 1}"
    return None


def torch_device(name: str) -> torch.device:
    """The torch device of `name`. Raises UnsupportedError with the reason when it is not here."""
    problem = device_problem(name)
    if problem:
        raise UnsupportedError(problem)
    return torch.device("cpu") if name == "cpu" else torch.device("cuda", int(name.partition(":")[2] or 0))


def synchronize(device: torch.device) -> None:
    """Return when all work handed to `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
