"""What programs run on: the array namespace of a device (NumPy on the CPU, CuPy on a GPU), and the BLAS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import threadpoolctl

from benchsuite.contracts import absent_device
from benchsuite.schema import DeviceName

Namespace = Any
"""The module `numpy` or `cupy`: the kernels use the functions that both spell alike."""
Array = Any
"""A numpy.ndarray or a cupy.ndarray."""


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
    return absent_device("CuPy", DeviceName("gpu", index), count)


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
        name = DeviceName.parse(device)
        self._number = None if name.kind == "cpu" else name.number
        if self._number is None:
            self.xp: Namespace = np
        else:
            import cupy

            self.xp = cupy

    @property
    def on_gpu(self) -> bool:
        return self._number is not None

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Run with the GPU selected. Overflow and NaN are results to be reported, not warnings."""
        with np.errstate(all="ignore"):
            if self._number is None:
                yield
            else:
                with self.xp.cuda.Device(self._number):
                    yield

    def host(self, array: Array) -> np.ndarray:
        """A NumPy array of the same values; on the CPU the array itself."""
        on_host: np.ndarray = self.xp.asnumpy(array) if self.on_gpu else np.asarray(array)
        return on_host

    def synchronize(self) -> None:
        if self._number is not None:
            self.xp.cuda.Device(self._number).synchronize()

    def memory(self) -> dict[str, int]:
        """Bytes that CuPy's pool holds and uses on the device; nothing on the CPU."""
        if not self.on_gpu:
            return {}
        pool = self.xp.get_default_memory_pool()
        return {"device_used": int(pool.used_bytes()), "device_held": int(pool.total_bytes())}


@cache
def blas_info() -> dict[str, str]:
    """What threadpoolctl finds of the BLAS that NumPy loaded: name, version, threads, architecture."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
    if not own:
        return {"name": "unknown_blas"}
    pool = own[0]
    return {
        "name": str(pool["internal_api"]),
        "version": str(pool["version"]),
        "threads": str(pool["num_threads"]),
        "architecture": str(pool.get("architecture", "")),
    }
