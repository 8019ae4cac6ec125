"""Cells without a kernel: every layer of them is compared with the reference, those of rnn, lstm and gru with
their kernels too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.cells import EXAMPLE_CELLS, GENERIC_CELLS, entry, registered
from fixtures.numpy_cases import ARCHITECTURES, LENGTHS, batch, decoder_model, model, parameters
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Backend, Batch, Gradients, Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import (
    ATTENTIONS,
    BUILTIN_CELLS,
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    state_shapes,
)
from benchsuite.schema.cells import Cell, CellParameter, Operations, States, Weights, cell_named
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.generic import GenericLayer
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.loops import plan_for
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_numpy.reference.generic import GenericCell
from benchsuite_numpy.reference.layers import Steps, layer_backward, layer_forward

pytestmark = pytest.mark.usefixtures("example_cells")

CELLS = [*EXAMPLE_CELLS, *GENERIC_CELLS]
DECODERS = [(attention, stack) for attention in ATTENTIONS for stack in ("plain", "deep_bidirectional")]


def gradients(
    backend: Backend,
    spec: ModelSpec,
    data: Batch,
    weights: Parameters,
    *,
    recipe: Recipe | None = None,
    unroll: str = "dynamic",
    precision: str = "float64",
) -> Gradients:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    program = backend.build(spec, weights, recipe or Recipe(), execution)
    return program.gradients(program.place(data))


def close(found: Gradients, expected: Gradients, precise: bool = True) -> None:
    limit: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12} if precise else {"rtol": 1e-3, "atol": 2e-5}
    np.testing.assert_allclose(found.loss, expected.loss, **limit)
    np.testing.assert_allclose(found.predictions, expected.predictions, **limit)
    for mine, others in ((found.parameters, expected.parameters), (found.states, expected.states)):
        assert set(mine) == set(others)
        for name, value in others.items():
            np.testing.assert_allclose(mine[name], value, **limit, err_msg=name)


def kernel_of(spec: ModelSpec) -> ModelSpec:
    """The same model with the cell that has a kernel."""
    assert isinstance(spec.body, Recurrent)
    cell, decoder = spec.body.cell.removesuffix("_generic"), spec.decoder
    if decoder is not None:
        decoder = replace(decoder, body=replace(decoder.body, cell=cell))
    return replace(spec, body=replace(spec.body, cell=cell), decoder=decoder)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", CELLS)
def test_stacks_are_the_references(cell: str, architecture: str, lengths: list[int]) -> None:
    """Of one run of the reference, which autograd makes slow, for both unrolls."""
    for readout, inputs, truncation in (
        ("steps", "features", None),
        ("last", "tokens", 2),
        ("mean", "tokens", 4),
    ):
        spec = model(cell, architecture, readout=readout, inputs=inputs)
        data, weights = batch(spec, lengths, time=max(lengths) + 2), parameters(spec)
        recipe = Recipe(truncation=truncation)
        expected = gradients(ReferenceBackend(), spec, data, weights, recipe=recipe)
        for unroll in ("dynamic", "static"):
            found = gradients(NumpyBackend(), spec, data, weights, recipe=recipe, unroll=unroll)
            close(found, expected)
            if cell in GENERIC_CELLS:
                fast = gradients(NumpyBackend(), kernel_of(spec), data, weights, recipe=recipe, unroll=unroll)
                close(found, fast)


@pytest.mark.parametrize(("attention", "stack"), DECODERS)
@pytest.mark.parametrize("cell", CELLS)
def test_decoders_are_the_references(cell: str, attention: str, stack: str) -> None:
    spec = decoder_model(cell, stack, attention)
    data, weights = batch(spec, LENGTHS["ragged"], target_lengths=[2, 4, 1, 3]), parameters(spec)
    expected = gradients(ReferenceBackend(), spec, data, weights)
    for unroll in ("dynamic", "static"):
        close(gradients(NumpyBackend(), spec, data, weights, unroll=unroll), expected)


@pytest.mark.parametrize(("attention", "stack"), DECODERS)
@pytest.mark.parametrize("cell", CELLS)
def test_generation_is_the_references(cell: str, attention: str, stack: str) -> None:
    spec = decoder_model(cell, stack, attention)
    data, weights, execution = (
        batch(spec, LENGTHS["ragged"]),
        parameters(spec),
        Execution(precision="float64"),
    )
    programs = [
        backend.build(spec, weights, Recipe(), execution) for backend in (NumpyBackend(), ReferenceBackend())
    ]
    mine, other = (program.decoding(program.place(data), width=2, aligned=True) for program in programs)
    tokens, parents = np.full(8, 2, np.int32), np.arange(8)
    for _ in range(4):
        a, b = (each.advance(tokens, parents, 3) for each in (mine, other))
        np.testing.assert_array_equal(a.tokens, b.tokens)
        np.testing.assert_allclose(a.log_probabilities, b.log_probabilities, rtol=1e-11, atol=1e-12)
        if b.alignment is not None:
            assert a.alignment is not None
            np.testing.assert_allclose(a.alignment, b.alignment, rtol=1e-11, atol=1e-12)
        tokens, parents = a.tokens[:, 0], parents ^ 1


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("cell", [*CELLS, *BUILTIN_CELLS])
def test_states_are_carried_and_reset_as_in_the_reference(cell: str, unroll: str, resets: bool) -> None:
    spec = replace(model(cell, "deep", readout="steps"), resets=resets)
    data, weights, random = batch(spec, LENGTHS["ragged"]), parameters(spec), np.random.default_rng(6)
    if resets:
        data = replace(data, resets=random.random((4, 6)) < 0.3)
    values = {name: random.standard_normal((4, *width)) for name, width in state_shapes(spec).items()}
    found: list[tuple[Any, ...]] = []
    for backend in (NumpyBackend(), ReferenceBackend()):
        execution = Execution.model_validate({"unroll": unroll, "precision": "float64"})
        program = backend.build(spec, weights, Recipe(carry=True, truncation=3), execution)
        placed, state = program.place(data), program.make_state(values)
        back = program.read_state(state)
        assert all(np.array_equal(back[name], value) for name, value in values.items())
        scores, final = program.predict(placed, state)
        again, _ = program.predict(placed)
        program.step(placed, state)
        changed, outputs = program.parameters(), program.outputs(placed, state)
        found.append((scores, again, program.read_state(final), changed, outputs, program.gradients(placed)))
    for mine, other in zip(found[0][:2], found[1][:2], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)
    for mine, other in zip(found[0][2:5], found[1][2:5], strict=True):
        for name, value in other.items():
            np.testing.assert_allclose(mine[name], value, rtol=1e-8, atol=1e-10, err_msg=name)
    close(found[0][-1], found[1][-1])


@pytest.mark.parametrize("cell", CELLS)
def test_padding_and_other_batches_change_nothing(cell: str) -> None:
    """The same program meets batches of other shapes between, and numbers on the padding."""
    spec = model(cell, "deep_bidirectional", readout="steps")
    data, weights = batch(spec, LENGTHS["ragged"], time=8), parameters(spec)
    program = NumpyBackend().build(spec, weights, Recipe(), Execution(precision="float64"))
    first = program.gradients(program.place(data))
    for lengths in ([9, 9, 3], [1], [4] * 7, [12, 2]):
        other = batch(spec, lengths)
        program.predict(program.place(other))
        close(program.gradients(program.place(other)), gradients(ReferenceBackend(), spec, other, weights))
    beyond = np.arange(8) >= data.lengths[:, None]
    noisy = np.where(beyond[..., None], 5.0, data.inputs)
    for inputs in (data.inputs, noisy):
        placed = program.place(replace(data, inputs=inputs))
        program.predict(placed)
        again = program.gradients(placed)
        for name, value in first.parameters.items():
            np.testing.assert_allclose(again.parameters[name], value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_float32_stays_near_and_float32(cell: str) -> None:
    spec = model(cell, "deep_bidirectional", readout="steps")
    weights = parameters(spec)
    exact = gradients(ReferenceBackend(), spec, batch(spec, LENGTHS["ragged"]), weights)
    data = batch(spec, LENGTHS["ragged"], dtype="float32")
    single = {name: value.astype("float32") for name, value in weights.items()}
    found = gradients(NumpyBackend(), spec, data, single, precision="float32")
    close(found, exact, precise=False)
    for part in (found.parameters, found.states):
        assert {value.dtype for value in part.values()} == {np.dtype("float32")}


@given(
    cell=st.sampled_from([cell for cell in CELLS if cell not in ("decay", "rotation", "opening")]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    reverse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_mask_on_h_is_the_references(cell: str, lengths: list[int], reverse: bool, seed: int) -> None:
    """Recurrent dropout, one layer alone."""
    random, rows, time = np.random.default_rng(seed), len(lengths), max(lengths)
    shapes = {name: each.shape for name, each in cell_named(cell).parameters(3, 4).items()}
    w = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    buffer = ParameterBuffer(np, "float64", {f"l.{name}": shape for name, shape in shapes.items()})
    buffer.load({f"l.{name}": value for name, value in w.items()})
    ordered = np.array(sorted(lengths, reverse=True))
    x, weight = random.standard_normal((rows, time, 3)), random.standard_normal((rows, time, 4))
    mask, plan = 2.0 * (random.random((rows, 4)) < 0.5), plan_for(ordered, time, static=False)
    layer = GenericLayer(np, buffer, "l", 3, 4, cell=cell, reverse=reverse, below=True, masked=True)
    with np.errstate(all="ignore"):
        layer.start(plan, None, True, mask=mask)
        layer.forward([[x[: plan.widths[t], t].T for t in range(time)]])
        found = [y[:, : plan.live[t]].T.copy() for t, y in enumerate(layer.outputs())]
        seen: list[Any] = [None] * time
        grads = [[(slice(0, live), weight[:live, t].T)] for t, live in enumerate(plan.live)]
        layer.backward(grads, None, seen)
    valid = np.arange(time) < ordered[:, None]
    kind, steps = GenericCell(cell), Steps.of(valid, None)
    run = layer_forward(kind, w, x, steps, None, 4, reverse, mask)
    dx, dh, slopes = layer_backward(kind, w, run, steps, weight, 3, reverse, None)
    for t, live in enumerate(plan.live):
        np.testing.assert_allclose(found[t], run.outputs[:live, t], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(seen[t].T, dh[:live, t], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(
            layer.input_gradients()[t][:, :live].T, dx[:live, t], rtol=1e-9, atol=1e-11
        )
    for name, value in slopes.items():
        np.testing.assert_allclose(buffer.gradient[f"l.{name}"], value, rtol=1e-9, atol=1e-11, err_msg=name)


def test_what_runs_is_said() -> None:
    for cell, resets, generic in (("lstm", False, False), ("lstm", True, True), ("decay", False, True)):
        spec = replace(model(cell), resets=resets)
        program = NumpyBackend().build(spec, parameters(spec), Recipe(), Execution(precision="float64"))
        assert program.kernel().startswith("python_loop+")
        assert (program.notes().get("cell") == "generic") == generic


def test_generic_cells_run_on_the_cpu() -> None:
    gpu = Execution(device="gpu")
    support = NumpyBackend().supports
    assert support(model("lstm"), Recipe(), gpu) == support(model("gru"), Recipe(), gpu)
    from benchsuite_numpy.support import SUPPORTED

    assert "on gpu has no cell 'decay'" in str(SUPPORTED.declines(model("decay"), Recipe(), gpu))
    assert SUPPORTED.declines(model("lstm"), Recipe(), gpu) is None
    dropped = str(SUPPORTED.declines(model("lstm"), Recipe(recurrent_dropout=0.5), gpu))
    assert "masked hidden states have no kernel for CuPy" in dropped
    packed = replace(model("lstm"), resets=True)
    assert "resets have no kernel for CuPy" in str(SUPPORTED.declines(packed, Recipe(), gpu))
    assert support(model("decay"), Recipe(), Execution()) is None


class Faulty(Cell):
    fault = "step"

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return cell_named("shown").parameters(inputs, hidden)

    def inputs(self, xp: Operations, w: Weights, x: Any, begins: Any) -> Any:  # noqa: ARG002
        return xp.sum(w["W"]) if self.fault == "inputs" else x @ w["W"]

    def step(self, xp: Operations, w: Weights, u: Any, h: Any, state: States) -> States:  # noqa: ARG002
        if self.fault == "operation":
            return (xp.erf(u),)
        if self.fault == "method":
            return (u.clip(0, 1),)
        return (h, h) if self.fault == "step" else (u,)

    def output(self, xp: Operations, w: Weights, u: Any, state: States) -> Any:  # noqa: ARG002
        return xp.sum(state[0]) if self.fault == "output" else state[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("inputs", r"cell 'faulty': inputs\(\): gave \(3, 1\), must be an array \(N, U\)"),
        ("step", r"cell 'faulty': step\(\): gave \(N, 4\), \(N, 4\), must be 1 of \(N, 4\)"),
        ("output", r"cell 'faulty': output\(\): gave \(N, 1\), must be 1 of \(N, 4\)"),
        ("operation", r"cell 'faulty': step\(\): a cell uses the operation 'erf'"),
        ("method", r"cell 'faulty': step\(\): an array has no \.clip"),
    ],
)
def test_errors_of_a_cells_code_name_it(fault: str, message: str) -> None:
    kind = type("Wrong", (Faulty,), {"fault": fault})
    with registered(replace(entry("faulty", Faulty), load=kind)), pytest.raises(ContractError, match=message):
        gradients(
            NumpyBackend(), model("faulty"), batch(model("faulty"), [3, 2]), parameters(model("faulty"))
        )
