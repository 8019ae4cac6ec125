"""Each check of states sees the programs that break its rule, and passes the reference."""

from __future__ import annotations

import pytest
from fixtures import broken
from fixtures.broken import kit

from benchsuite.measure.conformance import states
from benchsuite.measure.conformance.backend import Check, ConformanceError
from benchsuite.measure.conformance.cases import Case, carry_cases, decoder_cases, model_cases
from benchsuite_numpy.reference import ReferenceProgram

CASES = {case.name: case for case in [*carry_cases(), *model_cases(), *decoder_cases()]}

BROKEN: list[tuple[Check, str, type[ReferenceProgram], str]] = [
    (states.check_two_streams, "lstm-plain-carry", broken.KeepsState, "of stream 0"),
    (states.check_two_streams, "gru-deep-carry-ragged", broken.TrainsFromZero, "of stream 1"),
    (states.check_state_given, "lstm-plain-carry", broken.UsesUpState, "state used again"),
    (states.check_state_given, "lstm-plain-carry", broken.ForgetsCell, "state at first"),
    (states.check_state_values, "rnn-plain-carry-ragged", broken.StateOfPadding, "rnn.l0.fwd.h"),
    (states.check_state_values, "lstm-deep-carry-ragged", broken.ForgetsCell, "rnn.l0.fwd.c"),
    (states.check_state_values, "gru-plain-carry", broken.LendsState, "the state read does not give"),
    (states.check_state_values, "gru-plain-carry", broken.BorrowsState, "the state made of its values"),
    (states.check_state_values, "lstm-plain-carry", broken.SwapsState, "the state made of its values"),
    (states.check_initial_state, "gru-plain", broken.IgnoresState, "predictions from an initial state"),
    (states.check_initial_state, "lstm-deep", broken.SwapsState, "predictions from an initial state"),
    (states.check_initial_state, "gru-plain", broken.OutputsOfZeroState, "h of rnn.l0.fwd"),
    (states.check_initial_state, "gru-plain", broken.TrainsFromZero, "loss from an initial state"),
    (states.check_initial_state, "gru-plain", broken.AlwaysReturnsState, "though recipe.carry is false"),
    (states.check_state_companions, "lstm-plain-carry-ragged", broken.MixesRows, "of a stream"),
    (states.check_outputs, "gru-deep_bidirectional", broken.OutputsOnPadding, "h of rnn.l0"),
    (states.check_outputs, "gru-additive-plain", broken.OutputsOnPadding, "h of"),
    (states.check_outputs, "lstm-deep", broken.OutputsOneLate, "h of rnn.l0.fwd"),
    (states.check_outputs, "lstm-deep", broken.OutputsOfOneLayer, "outputs() names"),
]


@pytest.mark.parametrize(
    ("check", "case", "kind", "message"),
    BROKEN,
    ids=[f"{check.__name__}-{kind.__name__}-{case}" for check, case, kind, _ in BROKEN],
)
def test_a_broken_program_is_seen(
    check: Check, case: str, kind: type[ReferenceProgram], message: str
) -> None:
    check(kit(), CASES[case])
    with pytest.raises(ConformanceError) as caught:
        check(kit(kind), CASES[case])
    assert message in str(caught.value)


@pytest.mark.parametrize("case", carry_cases(), ids=lambda case: case.name)
def test_the_reference_keeps_every_rule(case: Case) -> None:
    states.check_two_streams(kit(), case)
    states.check_state_values(kit(), case)
    states.check_state_companions(kit(), case)
    states.check_initial_state(kit(), case)
    if not case.ragged:
        states.check_state_given(kit(), case)
