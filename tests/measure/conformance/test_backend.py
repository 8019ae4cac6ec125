"""The kit's checks see programs that break the rule they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fixtures import broken
from fixtures.broken import kit

from benchsuite.contracts import Backend, Program
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import Check, ConformanceError
from benchsuite.measure.conformance.cases import (
    Case,
    carry_cases,
    decoder_cases,
    model_cases,
    padded,
    small_cases,
    still_cases,
    tie_cases,
)
from benchsuite.measure.conformance.decoding import check_teacher_forcing
from benchsuite.measure.conformance.suite import KitItem, run_item, suite
from benchsuite.schema import BUILTIN_CELLS, Recipe
from benchsuite_numpy.reference import ReferenceProgram, cells

CASES = {
    case.name: case
    for case in [
        *model_cases(),
        *decoder_cases(),
        *carry_cases(),
        *small_cases(),
        *tie_cases(),
        *still_cases(),
    ]
}


@pytest.mark.parametrize(
    ("check", "case", "kind"),
    [
        (checks.check_padding, "lstm-plain", broken.GuessesLengths),
        (checks.check_padding, "gru-plain-tokens-mean", broken.GuessesLengths),
        (checks.check_training, "gru-plain", broken.GuessesLengths),
        (checks.check_carry, "lstm-plain-carry-ragged", broken.GuessesLengths),
        (check_teacher_forcing, "gru-additive-plain-features", broken.GuessesLengths),
        (checks.check_gradients, "rnn-steps-ties", broken.TieIsPositive),
        (checks.check_gradients, "lstm-last-ties", broken.TieIsPositive),
        (checks.check_gradients, "gru-mean-ties", broken.TieIsPositive),
        (checks.check_training, "train-still", broken.DividesByNorm),
        (checks.check_purity, "lstm-plain", broken.OutputsTrain),
        (checks.check_stream_predictions, "gru-plain-carry", broken.KeepsState),
    ],
)
def test_a_broken_program_is_seen(check: Check, case: str, kind: type[ReferenceProgram]) -> None:
    check(kit(), CASES[case])
    with pytest.raises(ConformanceError):
        check(kit(kind), CASES[case])


def test_single_precision_inside_of_double_is_asked_about() -> None:
    with pytest.raises(ConformanceError, match="is a part of it computed in float32"):
        checks.check_gradients(kit(broken.SingleInside), CASES["lstm-plain"])
    checks.check_gradients(kit(broken.SingleInside, "float32"), CASES["lstm-plain"])


class Cancelling(cells.Rnn):
    """tanh(y) as 1 - 2 / (1 + exp(2 y)), which near zero is a difference of nearly equal numbers."""

    def step(
        self, w: cells.Weights, x: np.ndarray, state: cells.CellState
    ) -> tuple[cells.CellState, cells.Residuals]:
        a = x @ w["Wx"] + state[0] @ w["Wh"] + w["b"]
        new = a.dtype.type(1) - 2 / (1 + np.exp(2 * a))
        return (new,), (x, state[0], new)


SMALL = [case for case in small_cases() if case.name.startswith("rnn-")]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_a_formula_that_cancels_near_zero_is_seen(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    """The reference takes the formula too, in float64, where it keeps digits enough for these tolerances."""
    checks.check_gradients(kit(precision="float32"), case)
    monkeypatch.setitem(cells.CELLS, "rnn", Cancelling())
    checks.check_gradients(kit(precision="float32"), CASES["rnn-plain"])
    if case.name in ("rnn-ten-layers", "rnn-inputs-0.01"):  # not small enough to tell, for this cell
        return
    with pytest.raises(ConformanceError):
        checks.check_gradients(kit(precision="float32"), case)


def test_ties_are_exact() -> None:
    for case in tie_cases():
        batch = case.batch("float64")
        program = kit().build(case)
        predictions = program.predict(program.place(batch))[0]
        assert np.any(predictions == batch.targets)
        assert np.all(predictions[..., 0] == 0)


@pytest.mark.parametrize(
    "case", ["lstm-plain", "gru-plain-tokens-mean", "rnn-plain-tagging", "gru-none-plain"]
)
def test_padding_is_all_that_padded_changes(case: str) -> None:
    batch = CASES[case].batch("float64")
    assert batch.target_lengths is None or case == "gru-none-plain"
    other = padded(batch, 3, (7.0, 5, 2))
    assert other.time == batch.time + 3
    for row, length in enumerate(batch.lengths):
        np.testing.assert_array_equal(other.inputs[row, :length], batch.inputs[row, :length])
        assert set(other.inputs[row, length:].ravel()) == {5 if batch.inputs.ndim == 2 else 7.0}
        if batch.target_lengths is not None:
            own = batch.target_lengths[row]
            np.testing.assert_array_equal(other.targets[row, :own], batch.targets[row, :own])
            assert set(other.targets[row, own:]) == {2}
        elif batch.targets.ndim == 2:
            assert set(other.targets[row, length:]) == {2}
    np.testing.assert_array_equal(padded(batch).inputs, batch.inputs)


class Picky(broken.BrokenBackend):
    """Supports no GRU, and no deep stack under truncation."""

    def supports(self, model: object, recipe: Recipe, execution: object) -> str | None:  # noqa: ARG002
        body = model.body  # type: ignore[attr-defined]
        if getattr(body, "cell", "") == "gru":
            return "no gru here"
        return "too deep to truncate" if recipe.truncation and body.layers > 1 else None


def statuses(backend: Backend, items: Sequence[KitItem]) -> dict[str, str]:
    under_test = checks.Kit(backend, kit().reference, kit().execution)
    return {item.name: run_item(under_test, item).status for item in items}


def test_a_backend_is_asked_about_each_cases_own_model_and_recipe() -> None:
    wanted = {
        "gradients[rnn-plain]": "ok",
        "gradients[gru-one-row]": "unsupported",
        "gradients[rnn-plain-truncated]": "ok",
        "gradients[lstm-deep_bidirectional-truncated]": "unsupported",
        "gradients[lstm-deep-steps]": "ok",
    }
    items = [item for item in suite() if item.name in wanted]
    assert statuses(Picky(ReferenceProgram), items) == wanted


def test_what_a_backend_does_not_offer_is_unsupported() -> None:
    class Bare(ReferenceProgram):
        outputs = Program.outputs
        make_state = Program.make_state  # type: ignore[assignment]
        read_state = Program.read_state

    wanted = {
        "outputs[lstm-deep]": "unsupported",
        "initial_state[lstm-deep]": "unsupported",
        "state_values[rnn-plain-carry]": "unsupported",
        "two_streams[lstm-plain-carry]": "ok",
        "state_given[gru-deep-carry]": "ok",
        "purity[lstm-plain]": "ok",
    }
    items = [item for item in suite(core=True) if item.name in wanted]
    assert statuses(broken.BrokenBackend(Bare), items) == wanted


def test_every_check_and_cell_is_in_the_core() -> None:
    whole, core = suite(), suite(core=True)
    assert {item.check for item in core} == {item.check for item in whole}
    assert {item.name for item in core} <= {item.name for item in whole}
    assert all(any(cell in item.name for item in core) for cell in BUILTIN_CELLS)
    assert len({item.name for item in whole}) == len(whole)
