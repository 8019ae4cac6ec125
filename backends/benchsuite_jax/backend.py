"""The JAX backend: which devices there are, what it can run, and how far this machine's products go."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Backend, Device, Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.schema import DeviceName, Execution, ModelSpec, Recipe
from benchsuite_jax.program import JaxProgram
from benchsuite_jax.runtime import Key, gpu_names, jax_device, matmul_precision, platform_devices
from benchsuite_jax.support import device_problem, precision_problem, unsupported_reason


class JaxBackend(Backend):
    """Builds programs of pure functions, compiled by XLA for one device.

    Programs of one model, recipe and execution compile each function once between them, until release(): also
    those of trials that differ in their seed.
    """

    shares_compiled = True

    def __init__(self) -> None:
        self._compiled: dict[tuple[ModelSpec, Recipe, Execution], dict[Key, Any]] = {}

    def devices(self) -> list[Device]:
        found = [Device("cpu", "XLA on the CPU")]
        return found + [Device(str(DeviceName("gpu", n)), kind) for n, kind in enumerate(gpu_names())]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return unsupported_reason(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> JaxProgram:
        if problem := precision_problem(execution):
            raise UnsupportedError(problem)
        compiled = self._compiled.setdefault((model, recipe, execution), {})
        return JaxProgram(model, parameters, recipe, execution, jax_device(execution.device), compiled)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        if problem := device_problem(execution) or precision_problem(execution):
            raise UnsupportedError(problem)
        random, device = np.random.default_rng(0), jax_device(execution.device)
        a, b = (
            jax.device_put(random.standard_normal(shape).astype(execution.dtype), device)
            for shape in ((m, k), (k, n))
        )
        with matmul_precision(execution):
            multiply = jax.jit(jnp.matmul).lower(a, b).compile()

        def run() -> None:
            multiply(a, b).block_until_ready()

        return run

    def release(self) -> None:
        """jax keeps traces and executables for as long as the process lives: some 9 MiB per trial."""
        self._compiled.clear()
        jax.clear_caches()

    def versions(self) -> dict[str, str]:
        client = (platform_devices("gpu") or platform_devices("cpu"))[0].client
        return {
            "jax": jax.__version__,
            "jaxlib": version("jaxlib"),
            "platform": " ".join(client.platform_version.split()),
            "x64": str(bool(jax.config.jax_enable_x64)).lower(),
        }
