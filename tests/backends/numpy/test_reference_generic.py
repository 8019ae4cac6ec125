"""The reference's generic form of a cell: equal to the formulas of rnn, lstm and gru, and compared with finite
differences for any cell."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.cells import EXAMPLE_CELLS, entry, registered
from fixtures.numpy_cases import ARCHITECTURES, LENGTHS, batch, decoder_model, model, parameters
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Gradients, Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import (
    ATTENTIONS,
    BUILTIN_CELLS,
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    decoder_names,
    recurrent_names,
    state_shapes,
)
from benchsuite.schema.cells import Cell, CellEntry, CellParameter, Operations, States, Weights, cell_named
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram
from benchsuite_numpy.reference.generic import GenericCell, reference_cell
from benchsuite_numpy.reference.layers import Steps, layer_backward, layer_forward
from benchsuite_numpy.reference.model import forward, loss_of

pytestmark = pytest.mark.usefixtures("example_cells")

STEP = 1e-5


def build(
    spec: ModelSpec, weights: Parameters | None = None, recipe: Recipe | None = None
) -> ReferenceProgram:
    start = parameters(spec) if weights is None else weights
    return ReferenceBackend().build(spec, start, recipe or Recipe(), Execution(precision="float64"))


def with_resets(data: Batch, seed: int = 4) -> Batch:
    """Resets at a third of the steps, those of padding among them."""
    return replace(data, resets=np.random.default_rng(seed).random(data.inputs.shape[:2]) < 1 / 3)


def renamed(spec: ModelSpec, cell: str) -> ModelSpec:
    assert isinstance(spec.body, Recurrent)
    decoder = spec.decoder
    if decoder is not None:
        decoder = replace(decoder, body=replace(decoder.body, cell=cell))
    return replace(spec, body=replace(spec.body, cell=cell), decoder=decoder)


def assert_equal(found: Gradients, expected: Gradients) -> None:
    assert found.loss == pytest.approx(expected.loss, rel=1e-13)
    np.testing.assert_allclose(found.predictions, expected.predictions, rtol=1e-12, atol=1e-13)
    for mine, other in ((found.parameters, expected.parameters), (found.states, expected.states)):
        assert list(mine) == list(other)
        for name, value in other.items():
            np.testing.assert_allclose(mine[name], value, rtol=1e-10, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("truncation", [None, 2])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_generic_forms_are_the_formulas(
    cell: str, architecture: str, lengths: list[int], truncation: int | None
) -> None:
    recipe = Recipe(truncation=truncation)
    for readout in ("last", "steps"):
        spec = model(cell, architecture, readout=readout)
        data, weights = batch(spec, lengths, time=max(lengths) + 1), parameters(spec)
        expected = build(spec, weights, recipe).gradients(data)
        assert_equal(build(renamed(spec, f"{cell}_generic"), weights, recipe).gradients(data), expected)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_generic_decoders_are_the_formulas(cell: str, attention: str) -> None:
    spec = decoder_model(cell, "deep", attention)
    data, weights = batch(spec, LENGTHS["ragged"]), parameters(spec)
    generic = renamed(spec, f"{cell}_generic")
    assert_equal(build(generic, weights).gradients(data), build(spec, weights).gradients(data))
    mine, other = (build(each, weights).decoding(data, width=2) for each in (generic, spec))
    tokens = np.full(8, 2, np.int32)
    for _ in range(3):
        a, b = (each.advance(tokens, np.arange(8), 3) for each in (mine, other))
        np.testing.assert_array_equal(a.tokens, b.tokens)
        np.testing.assert_allclose(a.log_probabilities, b.log_probabilities, rtol=1e-12)
        tokens = a.tokens[:, 0]


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_generic_forms_carry_states_and_reset_them_as_the_formulas_do(cell: str) -> None:
    spec = replace(model(cell, "deep", readout="steps"), resets=True)
    data, weights = with_resets(batch(spec, LENGTHS["ragged"])), parameters(spec)
    random, recipe = np.random.default_rng(6), Recipe(carry=True, truncation=3)
    state = {name: random.standard_normal((4, *width)) for name, width in state_shapes(spec).items()}
    found = []
    for each in (renamed(spec, f"{cell}_generic"), spec):
        program = build(each, weights, recipe)
        scores, final = program.predict(data, program.make_state(state))
        found.append((scores, program.read_state(final), program.gradients(data)))
    (scores, final, gradients), (expected_scores, expected_final, expected) = found
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-12, atol=1e-14)
    for name, value in expected_final.items():
        np.testing.assert_allclose(final[name], value, rtol=1e-12, atol=1e-14)
    assert_equal(gradients, expected)


CASES: dict[str, Any] = {
    **{name: lambda cell, name=name: model(cell, name, readout="steps") for name in ARCHITECTURES},
    "last": lambda cell: model(cell, "bidirectional"),
    "tokens": lambda cell: model(cell, "plain", inputs="tokens", readout="mean"),
    "resets": lambda cell: replace(model(cell, "deep", readout="steps"), resets=True),
    **{name: lambda cell, name=name: decoder_model(cell, "deep", name) for name in ATTENTIONS},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cell", list(EXAMPLE_CELLS))
def test_gradients_are_those_of_finite_differences(cell: str, case: str) -> None:
    """Every parameter's gradient along a random direction of that parameter."""
    spec = CASES[case](cell)
    data, start, random = batch(spec, [4, 1, 3], time=5), parameters(spec), np.random.default_rng(3)
    data = with_resets(data) if spec.resets else data
    found = build(spec).gradients(data)

    def loss(weights: Parameters) -> float:
        return loss_of(spec, data, forward(spec, weights, data))[0]

    for name, value in start.items():
        direction = random.standard_normal(value.shape)
        high, low = (loss(start | {name: value + sign * STEP * direction}) for sign in (1, -1))
        expected = pytest.approx((high - low) / (2 * STEP), rel=1e-7, abs=2e-8)
        assert (found.parameters[name] * direction).sum() == expected, name


@given(
    cell=st.sampled_from([*EXAMPLE_CELLS, "lstm_generic", "gru_generic"]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    reverse=st.booleans(),
    scale=st.sampled_from([0.1, 1.0, 3.0]),
    masked=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_layer_is_the_derivative_of_itself(
    cell: str, lengths: list[int], reverse: bool, scale: float, masked: bool, seed: int
) -> None:
    """By the inputs and by every weight at once, with resets (forwards), a mask on h, and a state passed in."""
    random, rows, time = np.random.default_rng(seed), len(lengths), max(lengths) + 1
    kind, masked = reference_cell(cell), masked and cell_named(cell).reads_hidden
    w = {
        name: scale * random.standard_normal(each.shape)
        for name, each in cell_named(cell).parameters(3, 4).items()
    }
    x, weight = random.standard_normal((rows, time, 3)), random.standard_normal((rows, time, 4))
    valid = np.arange(time) < np.array(lengths)[:, None]
    steps = Steps.of(valid, None if reverse else random.random((rows, time)) < 0.3)
    passed = None if reverse else tuple(random.standard_normal((rows, 4)) for _ in kind.initial)
    mask = 2.0 * (random.random((rows, 4)) < 0.5) if masked else None

    def functional(x: np.ndarray, w: Mapping[str, np.ndarray]) -> float:
        run = layer_forward(kind, w, x, steps, passed, 4, reverse, mask)
        return float((run.outputs * weight).sum())

    run = layer_forward(kind, w, x, steps, passed, 4, reverse, mask)
    dx, _, found = layer_backward(kind, w, run, steps, weight, 3, reverse, None)
    assert not dx[~valid].any()
    along = {name: random.standard_normal(value.shape) for name, value in w.items()}
    by_x = random.standard_normal(x.shape)
    high, low = (
        functional(x + sign * STEP * by_x, {name: w[name] + sign * STEP * along[name] for name in w})
        for sign in (1, -1)
    )
    total = (dx * by_x).sum() + sum((found[name] * along[name]).sum() for name in w)
    size = 1 + np.abs(dx * by_x).sum() + sum(np.abs(found[name] * along[name]).sum() for name in w)
    assert abs(total - (high - low) / (2 * STEP)) < 1e-6 * size


class ProbedCell(Cell):
    """`inner`, with probes[n] added to the first part of the state after its n-th step."""

    def __init__(self, inner: Cell, probes: dict[int, np.ndarray]) -> None:
        self.inner, self.probes, self.calls = inner, probes, 0
        self.state, self.reads_begins = inner.state, inner.reads_begins  # type: ignore[misc]

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return self.inner.parameters(inputs, hidden)

    def inputs(self, xp: Operations, w: Weights, x: Any, begins: Any) -> Any:
        return self.inner.inputs(xp, w, x, begins)

    def step(self, xp: Operations, w: Weights, u: Any, h: Any, state: States) -> States:
        first, *rest = self.inner.step(xp, w, u, h, state)
        self.calls += 1
        return (first + self.probes.get(self.calls - 1, 0.0), *rest)

    def output(self, xp: Operations, w: Weights, u: Any, state: States) -> Any:
        return self.inner.output(xp, w, u, state)


def calls(spec: ModelSpec, time: int, writes: int) -> dict[str, list[int]]:
    """By layer, which steps give its h_0, h_1, ...: the encoder's layer by layer, the decoder's together."""
    assert isinstance(spec.body, Recurrent)
    found = {}
    for index, prefix in enumerate(recurrent_names(spec.body)):
        numbers = list(range(time * index, time * (index + 1)))
        found[prefix] = numbers[::-1] if prefix.endswith("bwd") else numbers
    before = len(found) * time
    if spec.decoder is not None:
        layers = spec.decoder.body.layers
        for layer, prefix in enumerate(decoder_names(spec.decoder)):
            found[prefix] = [before + layers * t + layer for t in range(writes)]
    return found


@pytest.mark.parametrize("case", ["deep_bidirectional", "last", "resets", "additive", "multiplicative"])
@pytest.mark.parametrize("cell", ["rotation", "steadied", "shown"])
def test_state_gradients_are_those_of_a_state_that_moves(cell: str, case: str) -> None:
    """dL/dh_t is the loss's change when the first part of the state moves and the other parts do not."""
    probes: dict[int, np.ndarray] = {}
    inner = cell_named(cell)
    loaded: list[ProbedCell] = []

    def load() -> ProbedCell:
        loaded.append(ProbedCell(inner, probes))
        return loaded[-1]

    probed = CellEntry("probed", load, summary="for tests", source="the tests", equations=())
    with registered(probed):
        spec = CASES[case]("probed")
        data = batch(spec, [4, 1, 3], time=5, target_lengths=[2, 4, 1] if spec.decoder is not None else None)
        data = with_resets(data) if spec.resets else data
        start, random = parameters(spec), np.random.default_rng(5)
        states = build(spec).gradients(data).states
        places = calls(spec, 5, 4)
        assert set(states) == set(places)
        for prefix, numbers in places.items():
            lengths = data.target_lengths if prefix.startswith("dec") else data.lengths
            assert lengths is not None
            assert not states[prefix][np.arange(len(numbers)) >= lengths[:, None]].any()
            for t, number in enumerate(numbers):
                probe, losses = random.standard_normal(states[prefix][:, t].shape), []
                for sign in (1, -1):
                    probes.clear()
                    probes[number] = sign * STEP * probe
                    loaded[-1].calls = 0
                    losses.append(loss_of(spec, data, forward(spec, start, data))[0])
                expected = pytest.approx((losses[0] - losses[1]) / (2 * STEP), rel=1e-7, abs=2e-8)
                assert (states[prefix][:, t] * probe).sum() == expected, (prefix, t)


@pytest.mark.parametrize("cell", [*EXAMPLE_CELLS, "lstm_generic"])
def test_a_row_with_resets_is_its_sequences_one_by_one(cell: str) -> None:
    spec = replace(model(cell, "deep", readout="steps", loss="squared"), resets=True)
    whole, weights = batch(spec, [9]), parameters(spec)
    cuts = [0, 4, 5, 9]
    marked = np.isin(np.arange(9), cuts[1:])[None]
    packed = build(spec, weights).gradients(replace(whole, resets=marked))
    alone = build(replace(spec, resets=False), weights)
    for a, b in itertools.pairwise(cuts):
        piece = Batch(whole.inputs[:, a:b], np.array([b - a], np.int32), whole.targets[:, a:b])
        found = alone.gradients(piece)
        np.testing.assert_allclose(packed.predictions[:, a:b], found.predictions, rtol=1e-12, atol=1e-14)
        for prefix, value in found.states.items():
            share = (b - a) / 9  # losses are means over the valid steps
            np.testing.assert_allclose(packed.states[prefix][:, a:b], share * value, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("cell", list(EXAMPLE_CELLS))
def test_float32_stays_float32(cell: str) -> None:
    spec = model(cell, "deep_bidirectional", readout="steps")
    program = ReferenceBackend().build(spec, parameters(spec, dtype="float32"), Recipe(), Execution())
    data = batch(spec, LENGTHS["ragged"], dtype="float32")
    found = program.gradients(program.place(data))
    exact = build(spec).gradients(batch(spec, LENGTHS["ragged"]))
    assert found.loss == pytest.approx(exact.loss, rel=1e-5)
    for part in (found.parameters, found.states, program.outputs(data)):
        assert {value.dtype for value in part.values()} == {np.dtype("float32")}


class Misshapen(Cell):
    """A state that is one part too long, or an operation that no backend has."""

    fault = "step"

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return EXAMPLE_CELLS["shown"].load().parameters(inputs, hidden)

    def step(self, xp: Operations, w: Weights, u: Any, h: Any, state: States) -> States:  # noqa: ARG002
        if self.fault == "operation":
            return (xp.erf(u),)
        if self.fault == "weight":
            return (u @ w["Q"],)
        h = u @ w["W"]
        return (h, h) if self.fault == "step" else (h,)

    def output(self, xp: Operations, w: Weights, u: Any, state: States) -> Any:  # noqa: ARG002
        return xp.sum(state[0])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("step", r"cell 'faulty': step\(\): gave arrays of the shapes \[\(2, 4\), \(2, 4\)\], must be"),
        (
            "output",
            r"cell 'faulty': output\(\): gave arrays of the shapes \[\(2, 1\)\], must be \[\(2, 4\)\]",
        ),
        (
            "operation",
            "cell 'faulty': step\\(\\): a cell uses the operation 'erf', which not every backend has",
        ),
        ("weight", "cell 'faulty': step\\(\\): KeyError: 'Q'"),
    ],
)
def test_errors_of_a_cells_code_name_it(fault: str, message: str) -> None:
    with registered(replace(entry("faulty", Misshapen), load=type("Faulty", (Misshapen,), {"fault": fault}))):
        spec = model("faulty")
        with pytest.raises(ContractError, match=message):
            build(spec).gradients(batch(spec, [3, 2]))


def test_the_formulas_that_are_written_out_run_unless_h_is_masked() -> None:
    for cell in BUILTIN_CELLS:
        assert not isinstance(reference_cell(cell), GenericCell)
        assert isinstance(reference_cell(cell, masked=True), GenericCell)
    assert isinstance(reference_cell("decay"), GenericCell)
