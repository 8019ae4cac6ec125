"""The JAX backend: which devices there are, what it can run, and how far this machine's products go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Backend, Device
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import BIDIRECTIONAL_CARRY, model_problem
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Trial
from benchsuite.schema.names import NO_CELL
from benchsuite_jax.cells import CELLS
from benchsuite_jax.program import JaxProgram


class JaxBackend(Backend):
    """Builds programs of pure functions, compiled by XLA for one device."""

    def devices(self) -> list[Device]:
        gpus = [gpu.device_kind for gpu in _platform("gpu")] or _hidden_gpus()
        names = ["gpu" if index == 0 else f"gpu:{index}" for index in range(len(gpus))]
        found = [Device("cpu", "XLA on the CPU")]
        return found + [Device(name, kind) for name, kind in zip(names, gpus, strict=True)]

    def supports(self, trial: Trial) -> str | None:
        recurrent = trial.architecture != "cnn"
        bidirectional = trial.architecture in ("bidirectional", "deep_bidirectional")
        forward = trial.architecture in ("plain", "deep", "encoder_decoder", "attention")
        if recurrent and not forward and not bidirectional:
            return f"the jax backend has no architecture {trial.architecture!r}"
        cell = trial.cell if recurrent else NO_CELL
        return _problem(cell, bidirectional, trial.recipe, trial.execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> JaxProgram:
        body = model.body
        cell = NO_CELL if isinstance(body, Convolutional) else body.cell
        bidirectional = not isinstance(body, Convolutional) and body.bidirectional
        problem = _problem(cell, bidirectional, recipe, execution) or _precision_problem(execution)
        problem = problem or model_problem(model, recipe)
        if problem:
            raise UnsupportedError(problem)
        return JaxProgram(model, parameters, recipe, execution, _device(execution.device))

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        problem = _device_problem(execution) or _precision_problem(execution)
        if problem:
            raise UnsupportedError(problem)
        random = np.random.default_rng(0)
        shapes = ((m, k), (k, n))
        a, b = (
            jax.device_put(random.standard_normal(shape).astype(execution.dtype), _device(execution.device))
            for shape in shapes
        )
        precision = "tensorfloat32" if execution.precision == "tf32" else "highest"
        with jax.default_matmul_precision(precision):
            multiply = jax.jit(jnp.matmul).lower(a, b).compile()

        def run() -> None:
            multiply(a, b).block_until_ready()

        return run

    def release(self) -> None:
        """jax keeps traces and executables for as long as the process lives: some 9 MiB a trial."""
        jax.clear_caches()

    def versions(self) -> dict[str, str]:
        client = (_platform("gpu") or _platform("cpu"))[0].client
        return {
            "jax": jax.__version__,
            "jaxlib": version("jaxlib"),
            "platform": " ".join(client.platform_version.split()),
            "x64": str(bool(jax.config.jax_enable_x64)).lower(),
        }


def _platform(name: str) -> list[jax.Device]:
    try:
        return list(jax.devices(name))
    except RuntimeError:  # jax's answer for a platform that this installation or machine lacks
        return []


def _hidden_gpus() -> list[str]:
    """Kinds of the GPUs that a process made for the CPU does not see: asked of a process that may.

    Without a GPU plugin of jax there are none to ask for.
    """
    if os.environ.get("JAX_PLATFORMS") != "cpu" or not entry_points(group="jax_plugins"):
        return []
    script = "import jax\nfor device in jax.devices('gpu'): print(device.device_kind)"
    variables = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    answer = subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=False
    )
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def _device(name: str) -> jax.Device:
    kind, _, index = name.partition(":")
    return _platform(kind)[int(index or 0)]


def _problem(cell: str, bidirectional: bool, recipe: Recipe, execution: Execution) -> str | None:
    """Why a model of this cell cannot be run so, or None."""
    if cell != NO_CELL and cell not in CELLS:
        return f"the jax backend has no cell {cell!r}; it has {', '.join(CELLS)}"
    if recipe.carry and bidirectional:
        return BIDIRECTIONAL_CARRY
    return _device_problem(execution) or (
        _fused_problem(cell, recipe, execution) if execution.unroll == "fused" else None
    )


def _device_problem(execution: Execution) -> str | None:
    kind, _, index = execution.device.partition(":")
    if execution.device != "cpu" and (kind != "gpu" or not (index or "0").isdigit()):
        return f"unknown device {execution.device!r}; allowed: cpu, gpu, gpu:1, ..."
    if kind == "gpu":
        gpus = len(_platform("gpu"))
        if int(index or 0) >= gpus:
            return (
                f"no device {execution.device!r} here: jax sees {gpus or 'no'} GPU{'s' if gpus > 1 else ''}"
            )
    elif execution.precision == "tf32":
        return "TF32 products exist on NVIDIA GPUs only; on the CPU use float32 or float64"
    return None


def _fused_problem(cell: str, recipe: Recipe, execution: Execution) -> str | None:
    if cell != "lstm":
        return f"jax's only fused recurrent kernel is cuDNN's LSTM; {cell!r} has none"
    if execution.device == "cpu":
        return "jax's only fused recurrent kernel is cuDNN's LSTM, which needs a GPU"
    if execution.precision == "float64":
        return "jax's cuDNN LSTM is float32 only"
    if recipe.truncation is not None:
        return "cuDNN differentiates the whole sequence: truncated BPTT needs unroll `static` or `dynamic`"
    return None


def _precision_problem(execution: Execution) -> str | None:
    if execution.precision == "float64" and not jax.config.jax_enable_x64:
        return (
            "float64 needs JAX_ENABLE_X64=1 in the environment before jax is imported: without it jax turns "
            "float64 arrays into float32 silently. A worker started for the trial has it set"
        )
    return None
