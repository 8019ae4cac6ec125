"""Keras on JAX: pure functions of the variables' values, compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from benchsuite.contracts import Device, absent_device
from benchsuite.schema import DeviceName, Execution
from benchsuite_jax import jaxlib_version, quick_cpu_compilation
from benchsuite_keras.runtime import Data, Differentiated, Function, Tensor

NAME = "jax"
COMPILES = True
MOST_UNROLLED = 64


def configure() -> None:
    """Nothing: JAX reads the environment when it is imported."""


def _gpus() -> list[Any]:
    try:
        return list(jax.devices("gpu"))
    except RuntimeError:
        return []


def devices() -> list[Device]:
    found = [Device("cpu", "XLA on the CPU")]
    return found + [Device(str(DeviceName("gpu", n)), gpu.device_kind) for n, gpu in enumerate(_gpus())]


def device_problem(execution: Execution) -> str | None:
    device = DeviceName.parse(execution.device)
    return None if device.kind == "cpu" else absent_device("jax", device, len(_gpus()))


def precision_problem(execution: Execution) -> str | None:
    if execution.precision == "float64" and not jax.config.jax_enable_x64:
        return "float64 needs JAX_ENABLE_X64=1 in the environment before jax is imported, as a worker has it"
    return None


def apply(execution: Execution) -> None:  # noqa: ARG001 - the same for all
    jax.config.update("jax_default_matmul_precision", "highest")


def synchronize(execution: Execution) -> None:  # noqa: ARG001 - train_on_batch reads the loss back
    """Return when what was handed to the device is done."""
    jax.effects_barrier()
    (jnp.zeros(()) + 1).block_until_ready()


def differentiated(function: Function, variables: Sequence[Any]) -> Differentiated:
    def loss_of(wanted: tuple[Sequence[Tensor], Mapping[str, Tensor]], data: Data) -> tuple[Tensor, Tensor]:
        values, probes = wanted
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(data, probes)

    # it runs a few times, and compiling it well would take longer than all of them
    quickly = dict(quick_cpu_compilation(jaxlib_version())) if jax.default_backend() == "cpu" else None
    compiled = jax.jit(jax.value_and_grad(loss_of, has_aux=True), compiler_options=quickly)

    def run(
        data: Data, probes: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Sequence[Tensor], Mapping[str, Tensor]]:
        values = [variable.value for variable in variables]
        (loss, scores), (by_variable, by_probe) = compiled((values, dict(probes)), data)
        return loss, scores, by_variable, by_probe

    return run


def kernel(network: Any, inputs: Any) -> str:
    """`cudnn`, `scan` or `unrolled`, by the operations of the traced forward pass."""

    def forward(values: Any, given: Any) -> Any:
        scores, _ = network.stateless_call(values, network.non_trainable_variables, given, training=True)
        return scores

    text = str(jax.make_jaxpr(forward)([variable.value for variable in network.trainable_variables], inputs))
    if "rnn_fwd" in text or "cudnn" in text:
        return "cudnn"
    return "scan" if "scan[" in text else "unrolled"


def product(m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
    device = DeviceName.parse(execution.device)
    where = jax.devices(device.kind)[device.number]
    random = np.random.default_rng(0)
    a, b = (
        jax.device_put(random.standard_normal(shape).astype(execution.dtype), where)
        for shape in ((m, k), (k, n))
    )
    apply(execution)
    multiply = jax.jit(jnp.matmul).lower(a, b).compile()

    def run() -> None:
        multiply(a, b).block_until_ready()

    return run


def memory(execution: Execution) -> dict[str, int]:
    device = DeviceName.parse(execution.device)
    if device.kind == "cpu":
        return {}
    found = _gpus()[device.number].memory_stats() or {}
    return {"device_peak": int(found.get("peak_bytes_in_use", 0))}


def release() -> None:
    jax.clear_caches()


def versions() -> dict[str, str]:
    return {
        "jax": jax.__version__,
        "jaxlib": jax.lib.__version__,
        "x64": str(bool(jax.config.jax_enable_x64)).lower(),
    }
