"""The checks of resets see the programs that break their rules, and pass the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.broken import kit

from benchsuite.contracts import Batch
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance import states
from benchsuite.measure.conformance.backend import Check, ConformanceError
from benchsuite.measure.conformance.cases import padded
from benchsuite.measure.conformance.resets import check_packed, every_packed_case, every_reset_case
from benchsuite_numpy.reference import ReferenceProgram

CASES = {case.name: case for case in every_reset_case()}


class IgnoresResets(ReferenceProgram):
    """Rows go on from one sequence to the next."""

    def place(self, batch: Batch) -> Batch:
        return replace(batch, resets=None)


class ResetsOneLate(ReferenceProgram):
    """The state is set after a sequence's first step instead of before it."""

    def place(self, batch: Batch) -> Batch:
        assert batch.resets is not None
        return replace(batch, resets=np.roll(batch.resets, 1, axis=1))


class ResetsOneEarly(ReferenceProgram):
    """The state is set before a sequence's last step: at a row's end by what padding holds."""

    def place(self, batch: Batch) -> Batch:
        assert batch.resets is not None
        return replace(batch, resets=np.roll(batch.resets, -1, axis=1))


class ResetsOnPadding(ReferenceProgram):
    """A row whose padding holds a reset ends with the initial state."""

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        scores, final = super().predict(placed, state)
        beyond = np.arange(placed.time) >= placed.lengths[:, None]
        kept = ~(placed.resets & beyond).any(axis=1, keepdims=True)
        return scores, {name: tuple(part * kept for part in parts) for name, parts in final.items()}  # type: ignore[attr-defined]


BROKEN: list[tuple[Check, str, type[ReferenceProgram]]] = [
    (check_packed, "lstm-resets", IgnoresResets),
    (check_packed, "gru-resets-tagging", ResetsOneLate),
    (checks.check_gradients, "rnn-resets-last", IgnoresResets),
    (checks.check_gradients, "gru-resets-truncated", ResetsOneLate),
    (checks.check_padding, "gru-resets-truncated", ResetsOneEarly),
    (checks.check_training, "gru-resets", IgnoresResets),
    (checks.check_carry, "lstm-resets-carry", IgnoresResets),
    (states.check_outputs, "lstm-resets", IgnoresResets),
    (states.check_state_values, "rnn-resets-carry", ResetsOnPadding),
]


@pytest.mark.parametrize(
    ("check", "case", "kind"),
    BROKEN,
    ids=[f"{check.__name__}-{case}-{kind.__name__}" for check, case, kind in BROKEN],
)
def test_a_broken_program_is_seen(check: Check, case: str, kind: type[ReferenceProgram]) -> None:
    check(kit(), CASES[case])
    with pytest.raises(ConformanceError):
        check(kit(kind), CASES[case])


def test_rows_of_the_packed_cases_hold_several_sequences() -> None:
    for case in every_packed_case():
        lengths = case.batch("float64").lengths
        assert len(np.unique(lengths)) > 2
        assert lengths.sum() > case.time


def test_batches_of_models_with_resets_have_some_on_padding_too() -> None:
    for case in every_reset_case():
        batch = case.batch("float64")
        beyond = np.arange(batch.time) >= batch.lengths[:, None]
        assert batch.resets is not None
        assert batch.resets[beyond].any()
        assert batch.resets[~beyond].any()
        other = padded(batch, 2, (7.0, 1, 1)).resets
        assert other is not None
        assert other[:, -2:].all()
        zeros = padded(batch, 2).resets
        assert zeros is not None
        assert not zeros[:, -2:].any()
