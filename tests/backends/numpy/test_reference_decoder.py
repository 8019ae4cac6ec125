"""The reference's decoder against schema.Decoder's formulas, written out row by row, and its gradients against
central differences, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, parameters

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.measure.conformance.cases import Case, decoder_cases
from benchsuite.schema import (
    ATTENTIONS,
    BUILTIN_CELLS,
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    decoder_names,
    recurrent_names,
)
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram
from benchsuite_numpy.reference import cells as reference_cells
from benchsuite_numpy.reference.cells import BuiltInCell, CellState, Residuals, Weights
from benchsuite_numpy.reference.model import forward, loss_of

EXECUTION = Execution(precision="float64")
STEP = 1e-5
STACKS = ["plain", "deep", "bidirectional", "deep_bidirectional"]
CASES = decoder_cases()


def near(expected: float) -> object:
    """Central differences: the h^2 term and rounding are both about 1e-9 of the value here."""
    return pytest.approx(expected, rel=1e-7, abs=2e-8)


def build(
    spec: ModelSpec, recipe: Recipe | None = None, weights: Parameters | None = None
) -> ReferenceProgram:
    start = parameters(spec) if weights is None else weights
    return ReferenceBackend().build(spec, start, recipe or Recipe(), EXECUTION)


def loss(spec: ModelSpec, weights: Parameters, data: Batch) -> float:
    return loss_of(spec, data, forward(spec, weights, data))[0]


@pytest.mark.parametrize("case", [case for case in CASES if not case.recipe.truncation], ids=lambda c: c.name)
def test_gradients(case: Case) -> None:
    """Every parameter's gradient along a random direction of that parameter."""
    data, start, random = case.batch("float64"), case.parameters("float64"), np.random.default_rng(3)
    found = build(case.model, weights=start).gradients(data)
    assert list(found.parameters) == list(start)
    assert found.loss == loss(case.model, start, data)
    for name, value in start.items():
        direction = random.standard_normal(value.shape)
        high, low = (loss(case.model, start | {name: value + s * STEP * direction}, data) for s in (1, -1))
        assert (found.parameters[name] * direction).sum() == near((high - low) / (2 * STEP)), name


class Probed(BuiltInCell):
    """A cell that adds probes[n] to the h it emits at its n-th call, and leaves c as it is."""

    def __init__(self, cell: BuiltInCell, probes: dict[int, np.ndarray]) -> None:
        self.cell, self.probes, self.calls, self.initial = cell, probes, 0, cell.initial

    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        new, kept = self.cell.step(w, x, state)
        self.calls += 1
        return (new[0] + self.probes.get(self.calls - 1, 0), *new[1:]), kept

    def step_back(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        return self.cell.step_back(w, kept, d_state)


def calls(spec: ModelSpec, time: int, writes: int) -> dict[str, list[int]]:
    """By layer, which calls of the cell emit its h_0, h_1, ...: the encoder's run layer by layer, the decoder's
    step by step."""
    assert isinstance(spec.body, Recurrent)
    assert spec.decoder is not None
    found = {}
    for index, prefix in enumerate(recurrent_names(spec.body)):
        steps = list(range(time * index, time * (index + 1)))
        found[prefix] = steps[::-1] if prefix.endswith("bwd") else steps
    before, layers = len(found) * time, spec.decoder.body.layers
    for layer, prefix in enumerate(decoder_names(spec.decoder)):
        found[prefix] = [before + layers * t + layer for t in range(writes)]
    return found


@pytest.mark.parametrize("architecture", STACKS)
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_state_gradients(
    monkeypatch: pytest.MonkeyPatch, cell: str, attention: str, architecture: str
) -> None:
    """dL/ds_t and dL/dh_t are the loss's change when the emitted state moves and c_t stays."""
    spec = decoder_model(cell, architecture, attention)
    data = batch(spec, [4, 1, 3], time=5, target_lengths=[2, 4, 1])
    start, random = parameters(spec), np.random.default_rng(5)
    states = build(spec).gradients(data).states
    places = calls(spec, 5, 4)
    assert set(states) == set(places)
    original = reference_cells.CELLS[cell]
    assert isinstance(original, BuiltInCell)
    for prefix, numbers in places.items():
        assert states[prefix].shape[:2] == (3, len(numbers))
        lengths = data.target_lengths if prefix.startswith("dec") else data.lengths
        assert lengths is not None
        beyond = np.arange(len(numbers)) >= lengths[:, None]
        assert not states[prefix][beyond].any()
        for t, number in enumerate(numbers):
            probe, losses = random.standard_normal(states[prefix][:, t].shape), []
            for sign in (1, -1):
                probed = Probed(original, {number: sign * STEP * probe})
                monkeypatch.setitem(reference_cells.CELLS, cell, probed)
                losses.append(loss(spec, start, data))
            expected = (losses[0] - losses[1]) / (2 * STEP)
            assert (states[prefix][:, t] * probe).sum() == near(expected), (prefix, t)


def written_out(spec: ModelSpec, w: Parameters, data: Batch, row: int) -> tuple[np.ndarray, np.ndarray]:
    """One row's scores (U, V) and attention (U, T) from the formulas, number by number, without any padding."""
    assert spec.decoder is not None
    assert data.target_lengths is not None
    body, length, writes = spec.decoder.body, data.lengths[row], data.target_lengths[row]
    one = Batch(
        data.inputs[row : row + 1, :length],
        data.lengths[row : row + 1],
        data.targets[row : row + 1, :writes],
        target_lengths=data.target_lengths[row : row + 1],
    )
    run = forward(spec, w, one)
    assert run.decoder is not None
    y, last = run.decoder.memory.outputs[0], run.decoder.last[0]
    s_0 = np.tanh(last @ w["bridge.W"] + w["bridge.b"])
    width, cell = body.hidden, reference_cells.CELLS[body.cell]
    assert isinstance(cell, BuiltInCell)
    states = [
        tuple(
            s_0[None, layer * width : (layer + 1) * width] if part == 0 else np.zeros((1, width))
            for part in range(len(cell.initial))
        )
        for layer in range(body.layers)
    ]
    scores, attention, before = [], np.zeros((writes, data.time)), spec.decoder.start
    for t in range(writes):
        x, context = w["target_embed.E"][before], np.zeros(0)
        if spec.decoder.attention == "additive":
            s = states[-1][0][0]
            e = [w["attn.v"] @ np.tanh(s @ w["attn.Wq"] + y_j @ w["attn.Wk"] + w["attn.b"]) for y_j in y]
            attention[t, :length] = np.exp(e) / np.exp(e).sum()
            context = sum(a * y_j for a, y_j in zip(attention[t], y, strict=False))
            x = np.concatenate([x, context])
        for layer in range(body.layers):
            names = ("Wx", "Wh", "bx", "bh") if body.cell == "gru" else ("Wx", "Wh", "b")
            of_layer = {name: w[f"dec.l{layer}.fwd.{name}"] for name in names}
            states[layer], _ = cell.step(of_layer, x[None], states[layer])
            x = states[layer][0][0]
        if spec.decoder.attention == "multiplicative":
            e = [(x @ w["attn.W"]) @ y_j for y_j in y]
            attention[t, :length] = np.exp(e) / np.exp(e).sum()
            context = sum(a * y_j for a, y_j in zip(attention[t], y, strict=False))
        scores.append(np.concatenate([x, context]) @ w["out.W"] + w["out.b"])
        before = data.targets[row, t]
    return np.array(scores), attention


@pytest.mark.parametrize("architecture", STACKS)
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_scores_are_the_formulas(cell: str, attention: str, architecture: str) -> None:
    spec = decoder_model(cell, architecture, attention, "tokens")
    data, w = batch(spec, [4, 1, 3], time=6, target_lengths=[2, 4, 1]), parameters(spec)
    assert data.target_lengths is not None
    program, loss_sum = build(spec), 0.0
    scores = program.predict(data)[0]
    assert scores.shape == (3, 4, 6)
    decoding = program.decoding(data, aligned=True)
    fed = data.decoder_inputs(2)
    looked = [decoding.advance(fed[:, t], np.arange(3), 6).alignment for t in range(4)]
    for row, writes in enumerate(data.target_lengths):
        expected, weights = written_out(spec, w, data, row)
        np.testing.assert_allclose(scores[row, :writes], expected, rtol=1e-12, atol=1e-14)
        assert not scores[row, writes:].any()
        log_p = expected - np.log(np.exp(expected).sum(axis=1, keepdims=True))
        loss_sum -= log_p[np.arange(writes), data.targets[row, :writes]].sum()
        for t in range(writes):
            if attention == "none":
                assert looked[t] is None
            else:
                np.testing.assert_allclose(looked[t][row], weights[t], rtol=1e-12, atol=1e-15)  # type: ignore[index]
    assert program.gradients(data).loss == pytest.approx(loss_sum / data.target_lengths.sum(), rel=1e-13)


@pytest.mark.parametrize("attention", ["additive", "multiplicative"])
def test_a_score_without_weights_looks_at_all_valid_steps_alike(attention: str) -> None:
    spec = decoder_model("gru", "bidirectional", attention)
    data, flat = batch(spec, [4, 1, 3], time=6), parameters(spec)
    flat |= {name: np.zeros_like(flat[name]) for name in ("attn.v", "attn.W") if name in flat}
    run = forward(spec, flat, data).decoder
    assert run is not None
    for step in run.steps:
        assert step.attention_step is not None
        means = run.memory.outputs.sum(1) / data.lengths[:, None]
        np.testing.assert_allclose(step.attention_step.context, means, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_truncation_cuts_the_encoder_only(cell: str, attention: str) -> None:
    """The decoder's gradients are those of full BPTT; k at or beyond T is full BPTT altogether."""
    spec = decoder_model(cell, "deep", attention, "tokens")
    data = batch(spec, [6, 2, 4, 5], target_lengths=[4, 4, 1, 2])
    full, cut = build(spec).gradients(data), build(spec, Recipe(truncation=2)).gradients(data)
    for name, value in full.parameters.items():
        # the query's, the bridge's and the decoder's own; what the encoder sent is the same either way
        own = name.split(".")[0] not in ("rnn", "embed")
        assert np.array_equal(value, cut.parameters[name]) is own, name
    for prefix in ("dec.l0.fwd", "dec.l1.fwd"):
        assert np.array_equal(full.states[prefix], cut.states[prefix])
    assert not np.allclose(full.states["rnn.l0.fwd"], cut.states["rnn.l0.fwd"])
    long = build(spec, Recipe(truncation=6)).gradients(data)
    assert all(np.array_equal(long.parameters[name], value) for name, value in full.parameters.items())


def test_float32_stays_float32() -> None:
    spec = decoder_model("gru", "deep_bidirectional", "multiplicative")
    data = batch(spec, [4, 2], dtype="float32")
    weights = parameters(spec, dtype="float32")
    program = ReferenceBackend().build(spec, weights, Recipe(), Execution(precision="float32"))
    found = program.gradients(data)
    arrays = [found.predictions, *found.parameters.values(), *found.states.values()]
    assert {array.dtype for array in arrays} == {np.dtype("float32")}
