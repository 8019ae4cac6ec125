"""The reference's gradients against central differences of its own loss, in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fixtures.numpy_cases import ARCHITECTURES, LENGTHS, LOSSES_AND_READOUTS, batch, model, parameters

from benchsuite.contracts import Batch
from benchsuite.schema import (
    BUILTIN_CELLS,
    LOSSES,
    Convolutional,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    recurrent_names,
)
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram
from benchsuite_numpy.reference import cells as reference_cells
from benchsuite_numpy.reference.cells import BuiltInCell, CellState, Residuals, Weights
from benchsuite_numpy.reference.layers import LayerRun, Steps, initial_state, layer_backward, layer_forward
from benchsuite_numpy.reference.model import forward

EXECUTION = Execution(precision="float64")
STEP = 1e-5


def near(expected: float) -> object:
    """Central differences: the h^2 term and rounding are both about 1e-9 of the value here."""
    return pytest.approx(expected, rel=1e-7, abs=2e-8)


def build(spec: ModelSpec, recipe: Recipe | None = None, seed: int = 0) -> ReferenceProgram:
    return ReferenceBackend().build(spec, parameters(spec, seed), recipe or Recipe(), EXECUTION)


def assert_gradients_match_differences(spec: ModelSpec, data: Batch) -> None:
    """Every parameter's gradient along a random direction of that parameter."""
    program, random = build(spec), np.random.default_rng(3)
    found, start = program.gradients(data), program.parameters()
    assert list(found.parameters) == list(start)
    for name, value in start.items():
        direction = random.standard_normal(value.shape)
        losses = []
        for sign in (1, -1):
            program.load_parameters(start | {name: value + sign * STEP * direction})
            losses.append(program.gradients(data).loss)
        expected = (losses[0] - losses[1]) / (2 * STEP)
        assert (found.parameters[name] * direction).sum() == near(expected), name


@pytest.mark.parametrize("inputs", ["features", "tokens"])
@pytest.mark.parametrize(("loss", "readout"), LOSSES_AND_READOUTS)
@pytest.mark.parametrize("head", ["dense", "rbf"])
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_gradients(cell: str, architecture: str, head: str, loss: str, readout: str, inputs: str) -> None:
    spec = model(cell, architecture, head, loss, readout, inputs)
    assert_gradients_match_differences(spec, batch(spec, [4, 1, 3]))


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("readout", ["last", "mean", "steps"])
@pytest.mark.parametrize("architecture", ["plain", "deep_bidirectional"])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_gradients_by_length_pattern(cell: str, architecture: str, readout: str, lengths: list[int]) -> None:
    spec = model(cell, architecture, readout=readout)
    assert_gradients_match_differences(spec, batch(spec, lengths, time=max(lengths) + 2))


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "ctc"])
@pytest.mark.parametrize("head", [Dense(3), Rbf(3)])
@pytest.mark.parametrize(
    "body",
    [
        Convolutional(6, 6, (2, 3), 3, 4),
        Convolutional(7, 5, (2,), 3, 4),
        Convolutional(6, 7, (2, 2), 5, 3),
        Convolutional(4, 6, (3,), 2, 3),
    ],
    ids=["even", "odd", "kernel_5", "kernel_2"],
)
def test_gradients_of_the_convolutional_baseline(body: Convolutional, head: Dense | Rbf, loss: str) -> None:
    spec = ModelSpec(Features(body.width), body, head, loss)  # type: ignore[arg-type]
    assert_gradients_match_differences(spec, batch(spec, [body.height] * 3))


class Probed(BuiltInCell):
    """A cell that adds `probe` to the h it emits at its n-th call, and leaves c as it is."""

    def __init__(self, cell: BuiltInCell, call: int, probe: np.ndarray) -> None:
        self.cell, self.calls_left, self.probe, self.initial = cell, call, probe, cell.initial

    def step(self, w: Weights, x: np.ndarray, state: CellState) -> tuple[CellState, Residuals]:
        new, kept = self.cell.step(w, x, state)
        self.calls_left -= 1
        return ((new[0] + self.probe, *new[1:]) if self.calls_left == -1 else new), kept

    def step_back(
        self, w: Weights, kept: Residuals, d_state: CellState
    ) -> tuple[np.ndarray, CellState, dict[str, np.ndarray]]:
        return self.cell.step_back(w, kept, d_state)


@pytest.mark.parametrize("readout", ["last", "mean", "steps"])
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_state_gradients(monkeypatch: pytest.MonkeyPatch, cell: str, architecture: str, readout: str) -> None:
    """dL/dh_t is the loss's change when the emitted h_t moves and c_t stays."""
    spec, lengths = model(cell, architecture, readout=readout, loss="squared"), [4, 1, 3]
    data, program, random = batch(spec, lengths, time=5), build(spec), np.random.default_rng(5)
    found = program.gradients(data)
    original = reference_cells.CELLS[cell]
    assert isinstance(original, BuiltInCell)
    assert isinstance(spec.body, Recurrent)
    for index, prefix in enumerate(recurrent_names(spec.body)):
        states = found.states[prefix]
        for t in range(5):
            probe, losses = random.standard_normal((3, 4)), []
            place = 4 - t if prefix.endswith("bwd") else t
            for sign in (1, -1):
                monkeypatch.setitem(
                    reference_cells.CELLS,
                    cell,
                    Probed(original, 5 * index + place, sign * STEP * probe),
                )
                losses.append(program.gradients(data).loss)
            expected = (losses[0] - losses[1]) / (2 * STEP)
            assert (states[:, t] * probe).sum() == near(expected), (prefix, t)
        beyond = np.arange(5) >= np.array(lengths)[:, None]
        assert not states[beyond].any()


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("every", [1, 2, 3, 4])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_truncation_is_the_gradient_with_constant_boundary_states(
    cell: str, every: int, reverse: bool
) -> None:
    """Cut the steps where states are detached, hold each piece's initial state, and take differences."""
    random = np.random.default_rng(7)
    spec, time, lengths = model(cell), 7, np.array([7, 2, 4, 5])
    w = {name.rsplit(".")[-1]: value for name, value in parameters(spec).items() if name.startswith("rnn")}
    x, weight = random.standard_normal((4, time, 3)), random.standard_normal((4, time, 4))
    kind, mask = reference_cells.CELLS[cell], np.arange(time) < lengths[:, None]
    zero = initial_state(kind, 4, 4, x.dtype)

    def run_of(weights: Weights, piece: slice, state: CellState) -> LayerRun:
        return layer_forward(kind, weights, x[:, piece], Steps.of(mask[:, piece], None), state, 4, reverse)

    # the state entering t = k, 2k, ... is constant: from step t - 1 forwards, from step t + 1 backwards
    cuts = [t + reverse for t in range(every, time, every)]
    edges = sorted({0, *(cut for cut in cuts if cut < time), time})
    pieces = [slice(a, b) for a, b in itertools.pairwise(edges)]
    starts, state = [], zero
    for piece in reversed(pieces) if reverse else pieces:
        starts.append((piece, state))
        state = run_of(w, piece, state).final

    def functional(weights: Weights) -> float:
        runs = [run_of(weights, s, h).outputs for s, h in starts]
        return sum(float((run * weight[:, s]).sum()) for run, (s, _) in zip(runs, starts, strict=True))

    run, steps = run_of(w, slice(0, time), zero), Steps.of(mask, None)
    _, _, found = layer_backward(kind, w, run, steps, weight, 3, reverse, every)
    for name, value in w.items():
        direction = random.standard_normal(value.shape)
        high, low = (functional(w | {name: value + sign * STEP * direction}) for sign in (1, -1))
        assert (found[name] * direction).sum() == pytest.approx((high - low) / (2 * STEP), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_truncation_as_long_as_the_sequence_is_full_bptt(cell: str, architecture: str) -> None:
    spec = model(cell, architecture)
    data = batch(spec, LENGTHS["ragged"])
    full = build(spec).gradients(data)
    for every in (6, 7, 100):
        cut = build(spec, Recipe(truncation=every)).gradients(data)
        assert cut.loss == full.loss
        assert all(np.array_equal(cut.parameters[name], full.parameters[name]) for name in full.parameters)
    shorter = build(spec, Recipe(truncation=2)).gradients(data)
    assert not np.allclose(shorter.parameters["rnn.l0.fwd.Wh"], full.parameters["rnn.l0.fwd.Wh"])


@pytest.mark.parametrize("architecture", ["plain", "deep"])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_a_carried_state_continues_the_sequence(cell: str, architecture: str) -> None:
    """Two halves of a stream are one sequence, truncated in the middle."""
    spec = model(cell, architecture, loss="squared", readout="steps")
    whole = batch(spec, [8, 8, 8])
    halves = [
        Batch(whole.inputs[:, s], np.full(3, 4, np.int32), whole.targets[:, s])
        for s in (slice(0, 4), slice(4, 8))
    ]
    start = parameters(spec)
    program = build(spec, Recipe(optimiser="sgd", learning_rate=1.0, carry=True))
    changes, state = [], None
    for half in halves:
        program.load_parameters(start)
        state = program.step(program.place(half), state)
        changes.append({name: start[name] - value for name, value in program.parameters().items()})
    expected = build(spec, Recipe(truncation=4)).gradients(whole)
    assert program.drain().loss.mean() == pytest.approx(expected.loss, rel=1e-13)
    for name, value in expected.parameters.items():
        np.testing.assert_allclose((changes[0][name] + changes[1][name]) / 2, value, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("carry", [True, False])
def test_a_state_is_taken_when_given_and_returned_when_the_recipe_carries(carry: bool) -> None:
    spec = model(loss="squared", readout="steps")
    first, later = batch(spec, [4, 4]), batch(spec, [4, 4], seed=2)
    streaming = build(spec, Recipe(carry=True))
    _, state = streaming.predict(first)
    program = build(spec, Recipe(learning_rate=1e-300, carry=carry))
    at_zero = program.gradients(later).loss
    assert (program.step(later) is not None) is carry
    program.step(later, state)
    losses = program.drain().loss
    assert losses[0] == at_zero != losses[1]
    assert program.gradients(later).loss == at_zero
    assert not np.array_equal(program.predict(later, state)[0], program.predict(later)[0])


def test_log_of_steps() -> None:
    spec, data = model(), batch(model(), LENGTHS["ragged"])
    found = build(spec).gradients(data)
    entries = np.concatenate([value.ravel() for value in found.parameters.values()])
    for clip in ("none", "norm", "value"):
        program = build(spec, Recipe(clip=clip))
        assert program.drain().loss.shape == (0,)
        program.step(program.place(data))
        log = program.drain()
        assert log.loss.tolist() == [found.loss]
        assert np.allclose(log.norm, np.linalg.norm(entries) if clip == "norm" else np.nan, equal_nan=True)
        assert np.allclose(log.peak, np.abs(entries).max() if clip == "value" else np.nan, equal_nan=True)
        assert program.drain().norm.shape == (0,)


def test_predictions_are_scores() -> None:
    """Losses of classes read negative distances, a regression the distances; padding is zero."""
    signs = {"cross_entropy": -1, "binary_cross_entropy": -1, "ctc": -1, "squared": 1, "absolute": 1}
    assert set(signs) == set(LOSSES)
    for loss, sign in signs.items():
        spec = model(head="rbf", loss=loss, readout="steps")
        data = batch(spec, [2, 4])
        scores = build(spec).predict(data)[0]
        assert scores.shape == (2, 4, 3)
        assert (sign * scores[1] > 0).all()
        assert not scores[0, 2:].any()


def test_programs_hand_out_copies() -> None:
    spec = model()
    start = parameters(spec)
    program = ReferenceBackend().build(spec, start, Recipe(), EXECUTION)
    program.parameters()["out.W"][...] = 0
    start["out.b"][...] = 99
    assert program.parameters()["out.W"].any()
    assert not (program.parameters()["out.b"] == 99).any()


def test_the_forward_pass_leaves_padding_at_zero() -> None:
    spec = model("gru", "bidirectional")
    run = forward(spec, parameters(spec), batch(spec, [2, 5]))
    assert isinstance(run.body, dict)
    assert all(not layer.outputs[0, 2:].any() for layer in run.body.values())
