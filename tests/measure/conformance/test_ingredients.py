"""The kit sees a backend that leaves out an ingredient of training, or takes another formula for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.broken import kit

from benchsuite.contracts import INGREDIENTS, Batch, Gradients, Parameters
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.conformance.ingredients import (
    decay_cases,
    schedule_cases,
    smoothing_cases,
    tied_cases,
)
from benchsuite.measure.conformance.suite import suite
from benchsuite.schema import ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceProgram
from benchsuite_numpy.reference.heads import score_back
from benchsuite_numpy.reference.model import ModelRun, loss_of

PRECISIONS = ["float64", "float32"]


def without(name: str) -> type[ReferenceProgram]:
    """Programs that know nothing of one field of a recipe."""

    class Ignorant(ReferenceProgram):
        def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
            default = Recipe.model_fields[name].default
            super().__init__(model, parameters, recipe.model_copy(update={name: default}), dtype)

    return Ignorant


class CoupledDecay(ReferenceProgram):
    """L2 regularisation: the decay is part of the gradient, and so of the running averages."""

    def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
        super().__init__(model, parameters, recipe.model_copy(update={"weight_decay": 0.0}), dtype)
        update, decay = self._optimiser.update, recipe.weight_decay

        def coupled(values: Parameters, gradients: Parameters) -> None:
            update(values, {name: g + decay * values[name] for name, g in gradients.items()})

        self._optimiser.update = coupled  # type: ignore[method-assign,assignment]


class DecaysNoBias(ReferenceProgram):
    """Weight decay of matrices alone."""

    def step(self, placed: Any, state: Any = None) -> object:
        before = {name: value.copy() for name, value in self._parameters.items() if value.ndim == 1}
        decay = 1 - self._recipe.learning_rate * self._recipe.weight_decay
        found = super().step(placed, state)
        for name, value in before.items():
            self._parameters[name] += value * (1 - decay)
        return found


class StartsAtZero(ReferenceProgram):
    """Counts its steps from 0."""

    def __init__(self, model: ModelSpec, parameters: Parameters, recipe: Recipe, dtype: str) -> None:
        length = recipe.schedule_steps
        moved = recipe.model_copy(update={"schedule_steps": None if length is None else length + 1})
        super().__init__(model, parameters, moved, dtype)


def fails(kind: type[ReferenceProgram], case: Case, check: checks.Check, precision: str) -> bool:
    try:
        check(kit(kind, precision), case)
    except ConformanceError:
        return True
    return False


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", decay_cases(), ids=lambda case: case.name)
def test_decay_that_is_missing_or_another_is_seen(case: Case, precision: str) -> None:
    check = checks.check_training
    check(kit(precision=precision), case)
    assert fails(without("weight_decay"), case, check, precision)
    if case.recipe.optimiser != "sgd":  # without running averages both are one
        assert fails(CoupledDecay, case, check, precision)
    if case.recipe.schedule == "constant":
        assert fails(DecaysNoBias, case, check, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", schedule_cases(), ids=lambda case: case.name)
def test_another_schedule_is_seen(case: Case, precision: str) -> None:
    check = checks.check_training
    check(kit(precision=precision), case)
    if case.recipe.schedule != "constant":
        assert fails(without("schedule"), case, check, precision)
    if case.recipe.warmup:
        assert fails(without("warmup"), case, check, precision)
        assert fails(StartsAtZero, case, check, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", smoothing_cases(), ids=lambda case: case.name)
def test_targets_that_are_not_smoothed_are_seen(case: Case, precision: str) -> None:
    for check in (checks.check_gradients, checks.check_training):
        check(kit(precision=precision), case)
        assert fails(without("label_smoothing"), case, check, precision)


class ForgetsOneUse(ReferenceProgram):
    """The matrix that embedding and output layer share has the gradient of the output layer alone."""

    def _backward(self, batch: Batch, run: ModelRun) -> Gradients:
        found = super()._backward(batch, run)
        d_scores = loss_of(self._model, batch, run, self._recipe.label_smoothing)[1]
        _, head = score_back(self._model, self._parameters, run.features, d_scores)
        return replace(found, parameters={**found.parameters, "embed.E": head["embed.E"]})


@pytest.mark.parametrize("case", tied_cases()[:-1], ids=lambda case: case.name)
def test_a_use_of_a_shared_matrix_that_is_forgotten_is_seen(case: Case) -> None:
    for check in (checks.check_gradients, checks.check_training):
        check(kit(), case)
        assert fails(ForgetsOneUse, case, check, "float64")
    assert "out.W" not in case.parameters("float64")


@pytest.mark.parametrize("core", [True, False])
def test_every_ingredient_is_in_the_kit(core: bool) -> None:
    recipes = [item.case.recipe for item in suite(core)]
    for name in INGREDIENTS:
        default = Recipe.model_fields[name].default
        assert any(getattr(recipe, name) != default for recipe in recipes), name
    schedules = {recipe.schedule for recipe in recipes}
    assert schedules == {"constant", "step", "cosine"}


def test_the_reference_decays_what_no_gradient_reaches() -> None:
    """A row of the embedding that no batch reads shrinks, as in the paper."""
    case = next(case for case in decay_cases() if case.name == "train-decay-sgd")
    program, batch = kit().build(case), case.batch("float64")
    unread = sorted(set(range(11)) - set(np.unique(batch.inputs).tolist()))
    before = program.parameters()["embed.E"]
    program.step(program.place(batch))
    kept = 1 - case.recipe.learning_rate * case.recipe.weight_decay
    for row in unread:
        np.testing.assert_allclose(program.parameters()["embed.E"][row], kept * before[row], rtol=1e-14)
