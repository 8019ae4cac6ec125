"""Whether the kernel that ran is the one that was asked for."""

from __future__ import annotations

from benchsuite.errors import KernelFallbackError
from benchsuite.spec import Execution

LOOPS = ("python_loop", "while_loop", "scan", "unrolled")
DEVICE_KERNELS = ("cudnn", "miopen")
"""On a GPU, a fused recurrence is one of these; a framework's own composition of small kernels is not."""


def check_kernel(kernel: str, execution: Execution) -> None:
    """Raise KernelFallbackError if a `fused` request ran something else."""
    if execution.unroll != "fused":
        return
    looped = any(word in kernel for word in LOOPS)
    slow = execution.device != "cpu" and not any(word in kernel for word in DEVICE_KERNELS)
    if looped or slow or not kernel:
        raise KernelFallbackError(
            f"unroll fused was asked for on {execution.device}, but {kernel or 'nothing'!r} ran; "
            "use unroll dynamic, or a size and type the fused kernel takes"
        )
