"""What torch keeps for the whole process (threads, precision of products, determinism), its devices, and which
kernels ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from benchsuite.contracts import absent_device
from benchsuite.errors import UnsupportedError
from benchsuite.schema import DeviceName, Execution, parse_choices
from benchsuite_torch.kernels import matmul, tanh


@dataclass(frozen=True)
class Settings:
    """The part of an execution that torch holds once for the whole process."""

    threads: int
    tf32: bool
    deterministic: bool
    products: str
    """Of kernels.matmul.PRODUCTS."""
    tanh: str
    """Of kernels.tanh.WAYS."""

    @classmethod
    def of(cls, execution: Execution) -> Settings:
        chosen = parse_choices(execution.choices)
        return cls(
            execution.threads,
            execution.precision == "tf32",
            execution.deterministic,
            chosen.get("products", matmul.PRODUCTS[0]),
            chosen.get("tanh", tanh.WAYS[0]),
        )


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
    matmul.multiply_with(settings.products)
    tanh.compute_tanh_by(settings.tanh)
    _applied = settings


def import_compiler() -> None:
    """Let torch import its compiler now: it does so when a process makes its first optimiser, 800 modules and
    more than a second, which would else be part of whatever trial runs first."""
    torch.optim.SGD([torch.zeros(1)], lr=1.0)


def single_interop_thread() -> None:
    """One thread for independent operators: eager programs have none, idle ones only disturb timings."""
    if torch.get_num_interop_threads() != 1:
        with contextlib.suppress(RuntimeError):  # too late: somebody ran parallel work before
            torch.set_num_interop_threads(1)


def device_problem(device: DeviceName) -> str | None:
    """Why torch cannot use `device` on this machine, or None."""
    if device.kind == "cpu":
        return None
    if not torch.cuda.is_available():
        return "no CUDA device: torch.cuda.is_available() is False"
    return absent_device("torch", device, torch.cuda.device_count())


def torch_device(name: str) -> torch.device:
    """The torch device of a device name. Raises UnsupportedError with the reason where it is not here."""
    device = DeviceName.parse(name)
    problem = device_problem(device)
    if problem:
        raise UnsupportedError(problem)
    return torch.device("cpu") if device.kind == "cpu" else torch.device("cuda", device.number)


def synchronize(device: torch.device) -> None:
    """Return when all work handed to `device` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


LIBRARY_OPERATORS: dict[str, str] = {
    "aten::_cudnn_rnn": "cudnn",
    "aten::cudnn_convolution": "cudnn",
    "aten::miopen_rnn": "miopen",
    "aten::miopen_convolution": "miopen",
    "aten::mkldnn_rnn_layer": "onednn",
    "aten::mkldnn_convolution": "onednn",
}
"""Operators that only a library's own kernel runs."""
LAYER_OPERATORS = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::convolution")
"""torch's own layers: `aten` where they ran and no library's kernel did."""
CELL_OPERATORS = ("aten::lstm_cell", "aten::gru_cell", "aten::rnn_tanh_cell")
"""torch's own cells, which only a loop under autograd calls."""
CELL_LOOP = "benchsuite::cell_loop"
"""What a profile calls a loop over a cell's own step."""
ASSOCIATIVE_SCAN = "AffineScan"
"""The autograd function of benchsuite_torch.affine_scan."""
COMPILED_BLOCK = "CompiledFunction"
"""The autograd function of what torch.compile made."""
HANDWRITTEN_LOOPS = ("RecurrentLoop", "AdditiveLoop")
"""What only our own loops over steps call, once per layer: the autograd functions of
benchsuite_torch.kernels."""


def kernel_of(call: Callable[[], object]) -> str:
    """Run `call` once under the profiler and name what ran: `cudnn`, `onednn`, `aten` (layers of torch.nn),
    `autograd_loop` (cells of torch.nn, or any cell's own step, in a loop), `handwritten_loop` (our own kernel),
    `compiled_loop` (steps that torch.compile joined), `associative_scan`. Several are joined by
    `+`, such as `aten+handwritten_loop` for a fused encoder and a decoder with additive attention."""
    with profile(activities=[ProfilerActivity.CPU]) as record:
        call()
    ran = {event.key for event in record.key_averages()}
    names = sorted({name for operator, name in LIBRARY_OPERATORS.items() if operator in ran})
    if not names and ran.intersection(LAYER_OPERATORS):
        names = ["aten"]
    loops = {
        "associative_scan": (ASSOCIATIVE_SCAN,),
        "autograd_loop": (*CELL_OPERATORS, CELL_LOOP),
        "compiled_loop": (COMPILED_BLOCK,),
        "handwritten_loop": HANDWRITTEN_LOOPS,
    }
    return "+".join([*names, *(loop for loop, operators in loops.items() if ran.intersection(operators))])
