"""Whether the kernel that ran has a name, and is the one that was asked for."""

from __future__ import annotations

from benchsuite.errors import ContractError, KernelFallbackError
from benchsuite.schema import Execution, ModelSpec

LOOPS = (
    "python_loop",
    "handwritten_loop",
    "autograd_loop",
    "compiled_loop",
    "while_loop",
    "scan",
    "unrolled",
)
"""Kernels that are loops over steps: see Program.kernel()."""
DEVICE_KERNELS = ("cudnn", "miopen")
"""On a GPU, a fused recurrence is one of these; a framework's own composition of small kernels is not."""


def check_kernel(kernel: str, execution: Execution, model: ModelSpec) -> None:
    """Raise KernelFallbackError if a `fused` request ran something else, ContractError if `kernel` is no text.
    Additive attention feeds each step of its decoder with what the step before gave: there a loop beside a
    fused encoder is no fallback.
    """
    if not isinstance(kernel, str):
        raise ContractError(f"kernel() gave {type(kernel).__name__}, a text is expected")
    if execution.unroll != "fused":
        return
    parts = kernel.split("+")
    if model.decoder is not None and model.decoder.attention == "additive":
        parts = [part for part in parts if part not in LOOPS]
        kernel = "+".join(parts)
    looped = any(word in kernel for word in LOOPS)
    slow = execution.device != "cpu" and not any(word in kernel for word in DEVICE_KERNELS)
    if looped or slow or not kernel:
        raise KernelFallbackError(
            f"unroll fused was asked for on {execution.device}, but {kernel or 'nothing'!r} ran; "
            "use unroll dynamic, or a size and type the fused kernel takes"
        )
