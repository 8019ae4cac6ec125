"""The JAX backend against the float64 reference, in float64: the gate of meaning."""

from __future__ import annotations

import pytest

jax = pytest.importorskip("jax")

from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance import cases  # noqa: E402
from benchsuite.measure.conformance.backend import Kit  # noqa: E402
from benchsuite.schema import BUILTIN_CELLS, Execution  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_numpy.reference.program import ReferenceBackend  # noqa: E402

pytestmark = pytest.mark.usefixtures("double_precision")


def kit(unroll: str) -> Kit:
    execution = Execution.model_validate({"precision": "float64", "unroll": unroll})
    return Kit(JaxBackend(), ReferenceBackend(), execution)


def named(found: list[cases.Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in found]


def models(*names: str) -> list[object]:
    chosen = [case for case in cases.model_cases() if case.name in names]
    assert len(chosen) == len(names), f"no such case among {names}"
    return named(chosen)


STACKS = tuple(f"{cell}-{stack}" for cell in BUILTIN_CELLS for stack in cases.STACKS)
OTHERS = (
    "rnn-plain-full",
    "lstm-plain-steps",
    "gru-bidirectional-tokens-mean",
    "lstm-bidirectional-tagging",
    "gru-bidirectional-rbf",
    "rnn-absolute",
    "lstm-squared-rbf",
    "gru-one-feature",
    "lstm-one-row",
    "cnn",
    "cnn-rbf",
    "cnn-odd",
    "cnn-pixels",
    "cnn-regression",
)


@pytest.mark.parametrize(
    "case",
    models(*STACKS, *OTHERS) + named([case for case in cases.truncation_cases() if "deep" not in case.name]),
)
def test_every_model_agrees_with_the_reference_in_a_scan(case: cases.Case) -> None:
    checks.check_gradients(kit("dynamic"), case)


@pytest.mark.parametrize(
    "case",
    models("rnn-deep", "gru-bidirectional-tagging", "lstm-one-step")
    + named([case for case in cases.truncation_cases() if case.name == "lstm-bidirectional-truncated"]),
)
def test_models_agree_with_the_reference_in_an_unrolled_graph(case: cases.Case) -> None:
    checks.check_gradients(kit("static"), case)


@pytest.mark.parametrize("case", named(cases.training_cases()))
def test_every_optimiser_and_clipping_follows_the_reference(case: cases.Case) -> None:
    steps = 50 if case.recipe.clip != "none" else 10
    checks.check_training(kit("dynamic"), case, steps)


@pytest.mark.parametrize(
    "case", named([case for case in cases.carry_cases() if case.name.endswith("ragged")])
)
def test_streams_go_on_from_their_carried_states(case: cases.Case) -> None:
    checks.check_carry(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("lstm-deep", "gru-bidirectional-tagging", "rnn-plain-rbf"))
def test_padding_does_not_change_the_result(case: cases.Case) -> None:
    checks.check_padding(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("lstm-bidirectional", "gru-plain-tokens-mean"))
def test_companions_do_not_change_a_row(case: cases.Case) -> None:
    checks.check_companions(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("lstm-deep_bidirectional", "gru-bidirectional-rbf"))
def test_reversal_exchanges_the_directions(case: cases.Case) -> None:
    checks.check_reversal(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("lstm-plain", "cnn"))
def test_asking_changes_nothing_and_everything_is_copied(case: cases.Case) -> None:
    checks.check_purity(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("gru-plain"))
def test_the_log_holds_each_step_once(case: cases.Case) -> None:
    checks.check_log(kit("dynamic"), case)


@pytest.mark.parametrize("case", models("lstm-bidirectional"))
def test_truncation_beyond_the_end_is_full_backpropagation(case: cases.Case) -> None:
    checks.check_full_truncation(kit("dynamic"), case)
