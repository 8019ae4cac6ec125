"""The backward pass written by hand gives what jax finds by differentiating the same steps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from fixtures.covering import covering

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

from benchsuite_jax.cells import KERNELS, sigmoid  # noqa: E402
from benchsuite_jax.kernels.recurrence import ROWS_BY_STEP, LayerInputs, run_layer  # noqa: E402
from benchsuite_jax.loops import ScanConfig  # noqa: E402

pytestmark = pytest.mark.usefixtures("double_precision")

TIME, INPUTS, HIDDEN = 5, 3, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def weights(cell: str, inputs: int) -> dict[str, Any]:
    random, columns = np.random.default_rng(0), GATES[cell] * HIDDEN
    shapes: dict[str, tuple[int, ...]] = {"Wx": (inputs, columns), "Wh": (HIDDEN, columns)}
    shapes |= dict.fromkeys(("bx", "bh") if cell == "gru" else ("b",), (columns,))
    return {name: jnp.array(random.standard_normal(shape)) for name, shape in shapes.items()}


def layer_inputs(cell: str, rows: int, inputs: int, ragged: bool) -> LayerInputs:
    random = np.random.default_rng(1)
    x = jnp.array(random.standard_normal((TIME, rows, inputs)))
    initial = tuple(jnp.array(random.standard_normal((rows, HIDDEN))) for _ in range(KERNELS[cell].parts))
    lengths = jnp.array(random.integers(1, TIME + 1, rows), jnp.int32) if ragged else None
    return LayerInputs(x, initial, lengths, jnp.zeros((TIME, rows, HIDDEN)))


def differentiated(cell: str, w: dict[str, Any], given: LayerInputs, config: ScanConfig) -> tuple[Any, Any]:
    """run_layer's result, written for jax to differentiate."""
    state, found = given.initial, [None] * TIME
    for t in reversed(range(TIME)) if config.reverse else range(TIME):
        live = True if given.lengths is None else (t < given.lengths)[:, None]
        before = state
        if config.truncation and t > 0 and t % config.truncation == 0:
            state = tuple(jnp.where(live, jax.lax.stop_gradient(part), part) for part in state)
        new = KERNELS[cell].advance(w, given.x[t], state)
        assert given.probe is not None
        new = (new[0] + given.probe[t], *new[1:])
        found[t] = jnp.where(live, new[0], 0)
        state = tuple(jnp.where(live, a, b) for a, b in zip(new, before, strict=True))
    return jnp.stack(found), state


@pytest.mark.parametrize(
    ("static", "rows", "cell", "inputs", "ragged", "reverse", "truncation"),
    covering(
        product([False, True], [2, ROWS_BY_STEP], KERNELS),
        [(INPUTS, False, False, None), (INPUTS, True, False, 2), (1, True, True, 2), (1, False, True, None)],
    ),
)
def test_every_gradient(
    static: bool, rows: int, cell: str, inputs: int, ragged: bool, reverse: bool, truncation: int | None
) -> None:
    w, given = weights(cell, inputs), layer_inputs(cell, rows, inputs, ragged)
    config = ScanConfig(static, reverse, truncation, emit=True)
    weight = np.random.default_rng(2).standard_normal((TIME, rows, HIDDEN))

    def loss(run: Any) -> Any:
        def value(w: Any, x: Any, initial: Any, probe: Any) -> Any:
            outputs, *_, final = run(w, LayerInputs(x, initial, given.lengths, probe))
            return jnp.sum(outputs * weight) + sum(jnp.sum(jnp.sin(part)) for part in final)

        return jax.value_and_grad(value, (0, 1, 2, 3))(w, given.x, given.initial, given.probe)

    found = loss(lambda w, e: run_layer(KERNELS[cell], w, e, config))
    expected = loss(lambda w, e: differentiated(cell, w, e, config))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        scale = max(1.0, float(jnp.max(jnp.abs(other))))
        assert float(jnp.max(jnp.abs(one - other))) <= 1e-12 * scale


def test_sigmoid_by_tanh_is_the_sigmoid() -> None:
    x = jnp.linspace(-40, 40, 1001)
    assert float(jnp.max(jnp.abs(sigmoid(x) - jax.nn.sigmoid(x)))) < 1e-15
