"""What a backend claims is checked, whatever else it declines."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.contracts import Parameters
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case, model_cases, training_cases
from benchsuite.measure.conformance.claims import ALTERNATIVES, Claims, about, properties, with_properties
from benchsuite.measure.conformance.suite import KitResult, claimed, run_item, suite
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.program import NumpyProgram
from benchsuite_numpy.reference import ReferenceBackend

EXECUTION = Execution(precision="float64")


class Restricted(NumpyBackend):
    """Supports plain models with one value of each property, and nothing more: no decoder, no carried state, no
    truncation, no ingredient of training."""

    def __init__(self, program: type[NumpyProgram] = NumpyProgram, **only: str) -> None:
        self.program, self.only = program, only

    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        if not isinstance(model.body, Recurrent) or model.decoder is not None or model.resets:
            return "recurrent stacks alone"
        for name, value in properties(Case("asked", model, recipe)).items():
            if self.only.get(name, value) != value:
                return f"{name} must be {self.only[name]}"
        plain = Recipe(
            optimiser=recipe.optimiser,
            learning_rate=recipe.learning_rate,
            clip=recipe.clip,
            clip_at=recipe.clip_at,
        )
        return super().supports(model, recipe, execution) if recipe == plain else "a plain recipe alone"

    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> NumpyProgram:
        return self.program(model, parameters, recipe, execution)


class AnotherRate(NumpyProgram):
    """Another learning rate where nothing is clipped."""

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        rate = recipe.learning_rate * (1.001 if recipe.clip == "none" else 1.0)
        super().__init__(model, parameters, recipe.model_copy(update={"learning_rate": rate}), execution)


class ForgetsSecondMask(NumpyProgram):
    """Scores of padding are not zero, and take part in the loss of every step."""

    def place(self, batch: Any) -> Any:
        lengths = batch.lengths.copy()
        lengths[:] = batch.time
        return super().place(type(batch)(batch.inputs, lengths, batch.targets, batch.target_lengths))


DENSE: dict[str, Any] = {
    "cell": "lstm",
    "stack": "plain",
    "head": "dense",
    "optimiser": "sgd",
    "clip": "none",
}
TAGGING = DENSE | {"cell": "gru", "input": "tokens", "readout": "steps", "optimiser": "momentum"}
REGRESSION = DENSE | {"cell": "rnn", "readout": "mean", "loss": "squared", "optimiser": "adam"}
RESTRICTIONS = {"dense": DENSE, "tagging": TAGGING, "regression": REGRESSION}
MEASURING = ("synchronised", "computed_predictions", "threads", "memory")
CONDITIONAL = {
    "teacher_forcing", "parents", "generation", "stream_predictions", "two_streams", "state_given",
    "state_values", "state_companions", "carry", "masks", "packed", "reversal",
    "fifty_steps",
}  # fmt: skip
"""Checks of what these never support: decoders, carried states, dropout, resets, two directions, clipping."""


def results(backend: Restricted, core: bool = True) -> list[KitResult]:
    kit = Kit(backend, ReferenceBackend(), EXECUTION)
    items = [item for item in suite(core) if not item.name.startswith(MEASURING)]
    return [run_item(kit, item) for item in claimed(kit, items)]


def names(found: list[KitResult], status: str) -> set[str]:
    """The checks of which some case ended so."""
    return {each.item.name.partition("[")[0] for each in found if each.status == status}


@pytest.mark.parametrize("kind", RESTRICTIONS)
def test_every_check_runs_that_a_restricted_backend_has_something_for(kind: str) -> None:
    found = results(Restricted(**RESTRICTIONS[kind]))
    assert names(found, "failed") == set()
    wanted = {item.name.partition("[")[0] for item in suite(core=True)} - CONDITIONAL
    assert names(found, "ok") == {name for name in wanted if not name.startswith(MEASURING)}
    ok = [properties(each.item.case) for each in found if each.status == "ok"]
    for name, value in RESTRICTIONS[kind].items():
        assert {each[name] for each in ok} == {value}


@pytest.mark.parametrize("kind", RESTRICTIONS)
def test_a_wrong_update_without_clipping_is_seen_in_a_restricted_backend(kind: str) -> None:
    found = results(Restricted(AnotherRate, **RESTRICTIONS[kind]))
    assert names(found, "failed") == {"training"}
    assert all(each.item.case.recipe.clip == "none" for each in found if each.status == "failed")


def test_a_forgotten_mask_is_seen_in_a_restricted_backend() -> None:
    found = results(Restricted(ForgetsSecondMask, **RESTRICTIONS["tagging"]))
    assert {"gradients", "training", "padding", "outputs"} <= names(found, "failed")


def test_a_backend_that_declines_nothing_has_no_stand_ins() -> None:
    kit = Kit(NumpyBackend(), ReferenceBackend(), EXECUTION)
    items = suite(core=True)
    assert list(claimed(kit, items)) == items


def test_a_backend_that_declines_everything_has_none_either() -> None:
    kit = Kit(Restricted(cell="none"), ReferenceBackend(), EXECUTION)
    items = suite(core=True)
    assert list(claimed(kit, items)) == items
    assert Claims(kit).base is None


def test_each_claimed_value_is_checked_by_gradients() -> None:
    """A backend with one cell: every other value is checked on it, though the core kit has most on others."""
    kit = Kit(Restricted(cell="gru", optimiser="sgd", clip="none"), ReferenceBackend(), EXECUTION)
    asked = [item for item in claimed(kit, suite(core=True)) if item.name.startswith("gradients")]
    run = [properties(item.case) for item in asked if kit.supports(item.case) is None]
    for name in ("stack", "input", "readout", "head", "loss"):
        assert {each[name] for each in run} >= set(ALTERNATIVES[name]), name


def test_stand_ins_are_given_once_and_named_after_what_changed() -> None:
    kit = Kit(Restricted(**DENSE), ReferenceBackend(), EXECUTION)
    given = [item for item in claimed(kit, suite()) if "~" in item.name]
    assert len({item.name for item in given}) == len(given)
    assert len({(item.check, item.case.model, item.case.recipe) for item in given}) > 10
    assert all(kit.supports(item.case) is None for item in given)


def test_other_properties_leave_the_rest_as_it_is() -> None:
    case = next(case for case in training_cases() if case.name == "train-adam-none")
    other = with_properties(case, {"head": "dense", "optimiser": "sgd", "cell": "gru"})
    assert other.name == "train-adam-none~dense-sgd"
    assert properties(other) == properties(case) | {"head": "dense", "optimiser": "sgd"}
    assert with_properties(case, properties(case)) is case
    assert other.recipe.learning_rate > case.recipe.learning_rate


def test_a_case_is_about_its_cell_and_what_is_unusual() -> None:
    cases = {case.name: case for case in model_cases()}
    assert about(cases["gru-plain-tokens-mean"]) == {"cell": "gru", "input": "tokens", "readout": "mean"}
    assert about(cases["gru-plain"]) == {"cell": "gru"}
    assert about(cases["gru-plain"], training=True) == {"optimiser": "adam", "clip": "none"}
    assert "cell" not in properties(cases["cnn"])
