"""What Equinox can run here, and how a program is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Backend, Device, Parameters, Supported
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_example_equinox.cells import LIBRARY, STATE_PARTS
from benchsuite_example_equinox.network import Network
from benchsuite_example_equinox.program import EquinoxProgram
from benchsuite_example_equinox.training import MOMENTS

EVERYWHERE = Supported(
    backend="equinox",
    cells=tuple(STATE_PARTS),
    architectures=("plain", "deep", "bidirectional", "deep_bidirectional"),
    heads=("dense", "tied", "rbf"),
    losses=("cross_entropy", "squared", "absolute", "binary_cross_entropy"),
    readouts=("last", "mean", "steps"),
    optimisers=tuple(MOMENTS),
    clips=("none", "norm", "value"),
    ingredients=("weight_decay", "schedule", "warmup", "label_smoothing"),
    unrolls=("static", "dynamic", "autograd"),
    precisions=("float32", "float64"),
    truncation=True,
    carry=True,
)
SUPPORTED = replace(EVERYWHERE, under={"autograd": replace(EVERYWHERE, cells=LIBRARY)})
"""Under `autograd` cells are those of equinox.nn."""


class EquinoxBackend(Backend):
    """Recurrent networks on the CPU.

    Unrolls: `dynamic` is jax.lax.scan over cells of this package, `static` the same steps in one graph,
    `autograd` jax.lax.scan over the cells of equinox.nn.
    """

    def devices(self) -> list[Device]:
        return [Device("cpu", "CPU, by XLA")]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        return SUPPORTED.declines(model, recipe, execution)

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> EquinoxProgram:
        network = Network(
            {name: jnp.array(np.array(values, execution.dtype)) for name, values in parameters.items()},
            model,
            loop="unrolled" if execution.unroll == "static" else "scan",
            library=execution.unroll == "autograd",
            truncation=recipe.truncation,
            smoothing=recipe.label_smoothing,
        )
        return EquinoxProgram(network, recipe, execution.dtype)

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        random = np.random.default_rng(0)
        left = jnp.array(random.normal(size=(m, k)).astype(execution.dtype))
        right = jnp.array(random.normal(size=(k, n)).astype(execution.dtype))
        multiply = jax.jit(jnp.matmul)

        def run() -> None:
            multiply(left, right).block_until_ready()

        return run

    def release(self) -> None:
        jax.clear_caches()

    def versions(self) -> dict[str, str]:
        return {"equinox": eqx.__version__, "jax": jax.__version__, "jaxlib": jax.lib.__version__}
