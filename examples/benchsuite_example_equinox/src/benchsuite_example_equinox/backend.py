"""What Equinox can run here, and how a program is built."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Backend, Device, Parameters, ingredient_problem
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent
from benchsuite_example_equinox.cells import LIBRARY, STATE_PARTS
from benchsuite_example_equinox.network import Network
from benchsuite_example_equinox.program import EquinoxProgram

INGREDIENTS = ("weight_decay", "schedule", "warmup", "label_smoothing")


class EquinoxBackend(Backend):
    """Recurrent networks on the CPU.

    Unrolls: `dynamic` is jax.lax.scan over cells of this package, `static` the same steps in one graph,
    `autograd` jax.lax.scan over the cells of equinox.nn.
    """

    def devices(self) -> list[Device]:
        return [Device("cpu", "CPU, by XLA")]

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        if execution.device != "cpu":
            return f"the equinox backend runs on the CPU (given device {execution.device!r}); use cpu"
        if execution.unroll not in ("static", "dynamic", "autograd"):
            return f"the equinox backend has no unroll {execution.unroll!r}; use static, dynamic or autograd"
        body = model.body
        if not isinstance(body, Recurrent):
            return "the equinox backend has recurrent models only, no convolutional baseline"
        if body.cell not in STATE_PARTS:
            return f"the equinox backend has no cell {body.cell!r}; use {', '.join(STATE_PARTS)}"
        if execution.unroll == "autograd" and body.cell not in LIBRARY:
            return f"equinox.nn has no cell {body.cell!r}; use unroll static or dynamic"
        if model.decoder is not None:
            return "the equinox backend has no decoder"
        if model.loss == "ctc":
            return "the equinox backend has no loss 'ctc'"
        if model.resets:
            return "the equinox backend has no resets inside a row"
        return ingredient_problem("equinox", recipe, INGREDIENTS)

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
