"""The array namespace that a device's kernels are written in: NumPy on the CPU, CuPy on a GPU."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Namespace = Any
"""The module `numpy` or `cupy`: the kernels use the functions that both spell alike."""
Array = Any
"""A numpy.ndarray or a cupy.ndarray."""


def gpu_index(device: str) -> int | None:
    """0 for `gpu`, n for `gpu:n`, None for any other name."""
    name, _, index = device.partition(":")
    if name != "gpu" or (":" in device and not index.isdigit()):
        return None
    return int(index or 0)


def gpu_problem(index: int) -> str | None:
    """Why GPU number `index` cannot be used here, or None."""
    try:
        import cupy
    except ImportError:
        return "NumPy runs on a GPU through CuPy, not installed here; run: pip install 'benchsuite[cupy]'"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy finds no usable GPU on this machine ({error})"
    if index >= count:
        return f"gpu:{index} is not here; CuPy sees {count} GPU{'s' if count != 1 else ''}"
    return None


def gpu_names() -> list[str]:
    """Names of the GPUs that CuPy sees; empty where there is none, or no CuPy."""
    if gpu_problem(0):
        return []
    import cupy

    runtime = cupy.cuda.runtime
    return [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]


class DeviceContext:
    """Where a program's arrays live: the namespace, and the GPU to select around every call."""

    def __init__(self, device: str) -> None:
        self._index = gpu_index(device)
        if self._index is None:
            self.xp: Namespace = np
        else:
            import cupy

            self.xp = cupy

    @property
    def on_gpu(self) -> bool:
        return self._index is not None

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Run with the GPU selected. Overflow and NaN are results to be reported, not warnings."""
        with np.errstate(all="ignore"):
            if self._index is None:
                yield
            else:
                with self.xp.cuda.Device(self._index):
                    yield

    def host(self, array: Array) -> np.ndarray:
        """A NumPy array of the same values; on the CPU the array itself."""
        on_host: np.ndarray = self.xp.asnumpy(array) if self.on_gpu else np.asarray(array)
        return on_host

    def synchronize(self) -> None:
        if self._index is not None:
            self.xp.cuda.Device(self._index).synchronize()

    def memory(self) -> dict[str, int]:
        """Bytes that CuPy's pool holds and uses on the device; nothing on the CPU."""
        if not self.on_gpu:
            return {}
        pool = self.xp.get_default_memory_pool()
        return {"device_used": int(pool.used_bytes()), "device_held": int(pool.total_bytes())}


class Workspace:
    """Named blocks of memory that grow to the largest need and are then reused.

    `generation` counts the growths: views taken under an earlier one are of memory no longer used.
    """

    def __init__(self, xp: Namespace, dtype: str) -> None:
        self._xp, self._dtype = xp, dtype
        self._blocks: dict[str, Array] = {}
        self._ones: Array = None
        self.generation = 0

    def views(self, name: str, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Consecutive arrays of `shapes` from block `name`, uninitialised."""
        sizes = [math.prod(shape) for shape in shapes]
        needed = sum(sizes)
        block = self._blocks.get(name)
        if block is None or block.size < needed:
            block = self._blocks[name] = self._xp.empty(needed, self._dtype)
            self.generation += 1
        found, start = [], 0
        for size, shape in zip(sizes, shapes, strict=True):
            found.append(block[start : start + size].reshape(shape))
            start += size
        return found

    def view(self, name: str, shape: tuple[int, ...]) -> Array:
        return self.views(name, [shape])[0]

    def overlaid(self, name: str, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Arrays of `shapes` that all begin where block `name` begins: each overwrites the others."""
        sizes = [math.prod(shape) for shape in shapes]
        block = self.view(name, (max(sizes),))
        return [block[:size].reshape(shape) for size, shape in zip(sizes, shapes, strict=True)]

    def ones(self, size: int) -> Array:
        """A vector of ones: a product with it sums columns faster than a reduction over rows does."""
        if self._ones is None or self._ones.size < size:
            self._ones = self._xp.ones(size, self._dtype)
        return self._ones[:size]
