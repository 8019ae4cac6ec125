"""The learning rate of each step: the formulas, warm restarts, and what is missing."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchsuite.errors import ContractError
from benchsuite.schema import SCHEDULES, Recipe, is_scheduled, learning_rate, learning_rates

RATE = 0.25


def recipe(**fields: Any) -> Recipe:
    return Recipe.model_validate({"learning_rate": RATE, **fields})


@st.composite
def scheduled(draw: st.DrawFn) -> Recipe:
    steps = draw(st.integers(2, 60))
    return recipe(
        schedule=draw(st.sampled_from(list(SCHEDULES))),
        warmup=draw(st.integers(0, steps - 1)),
        schedule_steps=steps,
        decay_every=draw(st.integers(1, 80)),
        decay_factor=draw(st.floats(0.1, 1)),
    )


@given(one=scheduled())
def test_a_rate_is_positive_rises_in_the_warm_up_then_never_rises_and_starts_again(one: Recipe) -> None:
    rates = learning_rates(one)
    assert len(rates) == one.schedule_steps
    assert all(0 < rate <= RATE for rate in rates)
    assert rates[: one.warmup] == [pytest.approx(RATE * s / one.warmup) for s in range(1, one.warmup + 1)]
    after = rates[one.warmup :]
    assert after[0] == RATE
    assert after == sorted(after, reverse=True)
    again = [learning_rate(one, len(rates) + step) for step in range(1, len(rates) + 1)]
    assert again == rates


def test_the_formulas() -> None:
    steps = learning_rates(recipe(schedule="step", decay_every=3, decay_factor=0.5, schedule_steps=8))
    assert steps == [RATE] * 3 + [RATE / 2] * 3 + [RATE / 4] * 2
    cosine = learning_rates(recipe(schedule="cosine", warmup=2, schedule_steps=6))
    assert cosine == pytest.approx(
        [RATE / 2, RATE, *(RATE * (1 + math.cos(math.pi * u / 4)) / 2 for u in range(4))], rel=1e-15
    )
    assert learning_rates(recipe(warmup=4, schedule_steps=6)) == [RATE * s / 4 for s in (1, 2, 3, 4, 4, 4)]


@given(warmup=st.integers(0, 20), rest=st.integers(1, 40))
def test_cosine_is_optaxs(warmup: int, rest: int) -> None:
    optax = pytest.importorskip("optax")
    decay = optax.cosine_decay_schedule(RATE, rest)
    after = learning_rates(recipe(schedule="cosine", warmup=warmup, schedule_steps=warmup + rest))[warmup:]
    assert after == pytest.approx([float(decay(u)) for u in range(rest)], abs=1e-7)


def test_without_a_schedule_every_step_has_one_rate() -> None:
    assert not is_scheduled(recipe(decay_every=3))
    assert learning_rate(recipe(), 10**9) == RATE
    assert is_scheduled(recipe(warmup=1))


def test_a_schedule_without_a_length_is_an_error_that_says_so() -> None:
    with pytest.raises(ContractError, match=r"needs recipe\.schedule_steps"):
        learning_rate(recipe(schedule="cosine"), 1)
    with pytest.raises(ContractError, match=r"needs recipe\.schedule_steps"):
        learning_rates(recipe(warmup=3))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schedule": "step"}, "schedule 'step' needs decay_every"),
        ({"schedule": "linear"}, "'constant', 'step' or 'cosine'"),
        ({"warmup": 8, "schedule_steps": 8}, "warmup is 8 steps and schedule_steps 8"),
        ({"warmup": -1}, "greater than or equal to 0"),
        ({"schedule": "step", "decay_every": 0}, "greater than 0"),
        ({"decay_factor": 1.5}, "less than or equal to 1"),
        ({"weight_decay": -0.1}, "greater than or equal to 0"),
        ({"weight_decay": 4.0}, r"learning_rate 0\.25 times weight_decay 4 must be below 1"),
        ({"label_smoothing": 1.0}, "less than 1"),
    ],
)
def test_what_means_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recipe(**fields)
