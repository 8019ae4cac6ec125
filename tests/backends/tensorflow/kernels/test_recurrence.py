"""The backward pass written by hand gives what TensorFlow finds by differentiating the same steps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from fixtures.covering import covering

tf = pytest.importorskip("tensorflow")

from benchsuite_tensorflow.cells import CELLS, Lstm  # noqa: E402
from benchsuite_tensorflow.kernels.recurrence import Recurrence  # noqa: E402
from benchsuite_tensorflow.loops import LOOPS, STEPS_PER_ROUND  # noqa: E402

INPUTS, HIDDEN, DTYPE = 3, 4, tf.float64
FEW, MANY = 2, int(Lstm.one_product_below["dynamic"])


def drawn(seed: int, *shape: int) -> Any:
    return tf.constant(np.random.default_rng(seed).standard_normal(shape), DTYPE)


def weights(cell: str, inputs: int) -> list[Any]:
    columns = CELLS[cell].gates * HIDDEN
    kinds = {"Wx": (inputs, columns), "Wh": (HIDDEN, columns)}
    return [drawn(k, *kinds.get(name, (columns,))) for k, name in enumerate(CELLS[cell].weights)]


def differentiated(cell: str, x: Any, w: list[Any], state: tuple[Any, ...], attached: Any, probe: Any) -> Any:
    """The outputs, written for TensorFlow to differentiate."""
    found, prepared = [], CELLS[cell].prepare(w)
    for t in range(x.shape[0]):
        if attached is not None:
            state = tuple(attached[t] * part + tf.stop_gradient((1 - attached[t]) * part) for part in state)
        state, _ = CELLS[cell].forward(prepared, x[t], state)
        state = (state[0] + probe[t], *state[1:])
        found.append(state[0])
    return tf.stack(found)


@pytest.mark.parametrize(
    ("cell", "unroll", "rows", "inputs", "cut", "time"),
    covering(
        product(CELLS, LOOPS, [FEW, MANY]),
        [(INPUTS, False, STEPS_PER_ROUND + 2), (1, True, 3), (INPUTS, True, 5)],
    ),
)
def test_every_gradient(cell: str, unroll: str, rows: int, inputs: int, cut: bool, time: int) -> None:
    x, w = drawn(10, time, rows, inputs), weights(cell, inputs)
    start = tuple(drawn(20 + part, rows, HIDDEN) for part in range(CELLS[cell].parts))
    attached = None
    if cut:
        attached = tf.cast(tf.range(time) % 2 == 0, DTYPE)[:, None, None]
    probe, factor = tf.zeros([time, rows, HIDDEN], DTYPE), drawn(30, time, rows, HIDDEN)
    layer = Recurrence(CELLS[cell], LOOPS[unroll], HIDDEN, to_inputs=True, cells=False, training=True)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gradients(by_hand: bool) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, w, start, probe])
            if by_hand:
                (outputs,) = layer(x, w, start, attached, probe)
            else:
                outputs = differentiated(cell, x, w, start, attached, probe)
            loss = tf.reduce_sum(outputs * factor)
        return tf.nest.flatten(tape.gradient(loss, [x, w, start, probe]))

    for found, expected in zip(gradients(True), gradients(False), strict=True):
        scale = max(1.0, float(tf.reduce_max(tf.abs(expected))))
        assert float(tf.reduce_max(tf.abs(found - expected))) <= 1e-12 * scale
