"""What the NumPy program promises beyond numbers: memory, order, logs, refusals."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from fixtures.numpy_cases import batch, model, parameters

from benchsuite.contracts import Batch, Program
from benchsuite.schema import BUILTIN_CELLS, Convolutional, Dense, Execution, Features, ModelSpec, Recipe
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.loops import plan_for
from benchsuite_numpy.reference import ReferenceBackend

DOUBLE = Execution(precision="float64")


def build(spec: ModelSpec, recipe: Recipe | None = None, execution: Execution = DOUBLE) -> Program:
    return NumpyBackend().build(spec, parameters(spec, dtype=execution.dtype), recipe or Recipe(), execution)


def test_a_dynamic_loop_follows_the_lengths() -> None:
    lengths = np.array([5, 3, 3, 1])
    dynamic, static = plan_for(lengths, 8, static=False), plan_for(lengths, 8, static=True)
    assert dynamic.live == (4, 3, 3, 1, 1)
    assert dynamic.widths == (4,) * 5  # rounded up to whole groups, to no more than there are
    assert static.widths == (4,) * 8
    assert static.live == (4, 3, 3, 1, 1, 0, 0, 0)
    assert [dynamic.endings[t] for t in (0, 2, 4)] == [slice(3, 4), slice(1, 3), slice(0, 1)]


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_memory_is_reused(cell: str, unroll: str) -> None:
    """Batches of two shapes in turn, ragged and full: after the first round nothing more is held."""
    spec = model(cell, "deep_bidirectional", inputs="tokens", readout="steps", hidden=32, size=16)
    program = build(spec, Recipe(clip="norm"), Execution.model_validate({"unroll": unroll}))
    shapes = [batch(spec, lengths) for lengths in ([9] * 40, [5, 7, 3] * 20)]
    placed = [program.place(data) for data in shapes]

    def rounds(count: int) -> None:
        for _ in range(count):
            for data in placed:
                program.step(data)
                program.predict(data)[0]
        program.drain()

    rounds(2)
    tracemalloc.start()
    try:
        rounds(1)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        rounds(10)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert peak - before < 400_000  # heads and predictions; the recurrence alone holds some megabytes


def test_alternating_shapes_do_not_disturb_each_other() -> None:
    spec = model("lstm", "deep_bidirectional")
    data = [batch(spec, lengths, seed) for seed, lengths in enumerate([[6, 6], [9, 1, 4], [2], [9, 1, 4]])]
    program = build(spec)
    alone = [build(spec).gradients(build(spec).place(one)) for one in data]
    placed = [program.place(one) for one in data]
    for _ in range(2):
        for one, expected in zip(placed, alone, strict=True):
            found = program.gradients(one)
            assert found.loss == expected.loss
            assert all(np.array_equal(found.parameters[n], g) for n, g in expected.parameters.items())


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_gradients_and_predictions_change_nothing(cell: str) -> None:
    spec = model(cell, loss="squared", readout="steps")
    first, later = batch(spec, [4, 4]), batch(spec, [4, 4], seed=2)
    recipe = Recipe(carry=True, optimiser="adam", learning_rate=0.1)
    quiet, busy = build(spec, recipe), build(spec, recipe)
    for program in (quiet, busy):
        state = None
        for data in (first, later, later):
            if program is busy:
                program.gradients(program.place(first))
                program.predict(program.place(batch(spec, [1, 9, 3])))
                program.outputs(program.place(batch(spec, [2, 5])), state)
            state = program.step(program.place(data), state)
    assert quiet.drain().loss.tolist() == busy.drain().loss.tolist()


def test_loading_parameters_keeps_the_moments() -> None:
    spec = model("gru", loss="squared", readout="steps")
    recipe = Recipe(carry=True, learning_rate=0.05)
    fast, plain = build(spec, recipe), ReferenceBackend().build(spec, parameters(spec), recipe, DOUBLE)
    for program in (fast, plain):
        state = program.step(program.place(batch(spec, [4, 2, 4])))
        program.load_parameters(parameters(spec, seed=5))
        program.step(program.place(batch(spec, [3, 4, 4], seed=2)), state)
    for name, value in plain.parameters().items():
        np.testing.assert_allclose(fast.parameters()[name], value, rtol=1e-11, atol=1e-13)


def test_parameters_are_copies_in_canonical_order() -> None:
    spec = model("gru", "bidirectional", inputs="tokens")
    start = parameters(spec)
    program = build(spec)
    assert list(program.parameters()) == list(start)
    for name, value in program.parameters().items():
        assert np.array_equal(value, start[name])
        value[...] = 7
    assert np.array_equal(program.parameters()["rnn.l0.bwd.Wh"], start["rnn.l0.bwd.Wh"])


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_huge_activations_neither_overflow_nor_warn(cell: str, precision: str) -> None:
    spec, ran = model(cell, "deep"), Execution.model_validate({"precision": precision})
    huge = {name: 1e5 * value for name, value in parameters(spec, dtype=ran.dtype).items()}
    program = NumpyBackend().build(spec, huge, Recipe(), ran)
    data = batch(spec, [5, 3], dtype=ran.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = program.gradients(program.place(data))
        program.step(program.place(data))
    assert all(np.isfinite(value).all() for value in found.parameters.values())
    assert np.isfinite(program.drain().loss).all()


def test_divergence_is_a_loss_that_is_not_a_number() -> None:
    spec = model()
    program = build(spec, Recipe(clip="norm"))
    data = batch(spec, [3, 3])
    bad = Batch(data.inputs * np.nan, data.lengths, data.targets)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program.step(program.place(bad))
    log = program.drain()
    assert np.isnan(log.loss).all()
    assert np.isnan(log.norm).all()


def test_inputs_in_another_precision_are_converted() -> None:
    spec = model(loss="squared")
    data = batch(spec, [4, 2])
    narrow = Batch(data.inputs.astype("float32"), data.lengths, data.targets.astype("float32"))
    program = build(spec)
    assert program.predict(program.place(narrow))[0].dtype == np.float64


def test_the_log_of_steps_is_handed_out_once() -> None:
    spec = model()
    program = build(spec, Recipe(clip="value"))
    placed = program.place(batch(spec, [4, 2]))
    assert program.drain().loss.shape == (0,)
    program.step(placed)
    program.step(placed)
    log = program.drain()
    assert log.loss.shape == log.norm.shape == log.peak.shape == (2,)
    assert np.isnan(log.norm).all()
    assert (log.peak > 0).all()
    assert program.drain().loss.shape == (0,)


def test_a_convolutional_step_trains() -> None:
    spec = ModelSpec(Features(8), Convolutional(8, 8, (3, 4), hidden=7), Dense(3), "cross_entropy")
    program = build(spec, Recipe(learning_rate=0.02))
    placed = program.place(batch(spec, [8] * 6))
    for _ in range(30):
        program.step(placed)
    losses = program.drain().loss
    assert losses[-1] < 0.2 * losses[0]
