"""Verdict and half-life of a gradient come from one snapshot."""

from __future__ import annotations

import math

import pytest
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.decay import MOMENTS, GradientDecay, Moment, decay_over_seeds, gradient_decay
from benchsuite.schema import Record
from benchsuite.schema.thresholds import EXPLODING, VANISHING


def planted(verdict: str = "stable", **figures: float) -> Record:
    """A record with this verdict and these figures of its gradients alone: `change_start=0.001`."""
    made = record()
    scalars = {name: value for name, value in made.scalars.items() if not name.startswith("gradient/")}
    scalars |= {f"gradient/{name}": value for name, value in figures.items()}
    verdicts = {**made.verdicts, "gradient": verdict} if verdict else {"parity": "ok"}
    return made.model_copy(update={"scalars": scalars, "verdicts": verdicts})


def test_a_gradient_that_vanished_before_training_alone_is_not_called_so_after_it() -> None:
    made = planted(
        "vanishing", change_start=1e-4, half_life_steps_start=2.6, change_end=0.44, half_life_steps_end=33.0
    )
    assert gradient_decay(made, "start") == GradientDecay("vanishing", 2.6, 1e-4)
    assert gradient_decay(made, "end") == GradientDecay("stable", 33.0, 0.44)


@given(
    start=st.floats(0, 1e6),
    end=st.floats(0, 1e6),
    verdict=st.sampled_from(["vanishing", "stable", "exploding"]),
)
def test_a_verdict_never_disagrees_with_the_figure_beside_it(start: float, end: float, verdict: str) -> None:
    made = planted(verdict, change_start=start, change_end=end)
    for moment in MOMENTS:
        found = gradient_decay(made, moment)
        assert found is not None
        assert found.change is not None
        assert (found.verdict == "vanishing") is (found.change < VANISHING)
        assert (found.verdict == "exploding") is (found.change > EXPLODING)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_model_whose_decay_means_nothing_shows_no_figure(moment: Moment) -> None:
    figures = {f"{name}_{at}": 0.5 for name in ("change", "half_life_steps") for at in MOMENTS}
    assert gradient_decay(planted("undefined", **figures), moment) == GradientDecay("undefined")
    assert gradient_decay(planted("truncated", **figures), moment) == GradientDecay("truncated", 0.5)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_gradient_that_is_exactly_zero_has_vanished(moment: Moment) -> None:
    made = planted("vanishing", **{f"change_{moment}": math.nan})
    assert gradient_decay(made, moment) == GradientDecay("vanishing")


def test_a_gradient_that_does_not_shrink_has_an_infinite_half_life() -> None:
    found = gradient_decay(planted(change_end=1.0, half_life_steps_end=math.inf), "end")
    assert found == GradientDecay("stable", math.inf, 1.0)


def test_an_older_record_names_the_half_life_of_the_end_alone() -> None:
    assert gradient_decay(planted("vanishing", half_life_steps=4.0), "end") == GradientDecay("", 4.0)
    assert gradient_decay(planted("vanishing", half_life_steps=4.0), "start") is None
    assert gradient_decay(planted("stable", half_life_steps=4.0), "end") == GradientDecay("stable", 4.0)


def test_what_is_not_recorded_is_absent() -> None:
    assert gradient_decay(planted(""), "end") is None
    assert decay_over_seeds([planted(""), planted("")], "end") is None


def test_seeds_share_a_cell_with_all_of_their_verdicts_and_the_median() -> None:
    seeds = [
        planted("vanishing", change_end=1e-3, half_life_steps_end=2.0),
        planted("stable", change_end=0.5, half_life_steps_end=math.inf),
        planted("stable", change_end=0.4, half_life_steps_end=9.0),
    ]
    assert decay_over_seeds(seeds, "end") == GradientDecay("stable/vanishing", 9.0, 0.4)
