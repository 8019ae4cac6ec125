"""To how many lengths batches are padded: few where data are few, and never another batch."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.tiny import ragged_split, sign_model
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Split
from benchsuite.measure.batching import Batcher, batcher
from benchsuite.measure.padded_lengths import with_affordable_lengths

ROWS = 8


def uneven(count: int) -> Split:
    return ragged_split(np.clip(np.random.default_rng(0).geometric(0.05, count), 1, 120), features=2)


def chosen(cut: Batcher, split: Split, steps: int) -> Batcher:
    return with_affordable_lengths(cut, split, sign_model(), steps)


@given(count=st.integers(1, 60), steps=st.integers(0, 10**9))
def test_the_longest_length_is_always_there_and_batches_hold_the_same_rows(count: int, steps: int) -> None:
    split = uneven(count)
    finest = batcher(split, [], ROWS, "float64")
    found = chosen(finest, split, steps)
    assert set(found.boundaries) <= set(finest.boundaries)
    assert found.boundaries[-1] == finest.boundaries[-1]
    if count >= ROWS:
        np.testing.assert_array_equal(found.drawn(split, 3, 1), finest.drawn(split, 3, 1))


def test_a_short_training_has_one_shape_and_a_long_one_has_all() -> None:
    split = uneven(400)
    finest = batcher(split, [], ROWS, "float64")
    counts = [len(chosen(finest, split, steps).boundaries) for steps in (50, 10**4, 10**9)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, len(finest.boundaries))


@pytest.mark.parametrize("steps", [50, 10**9])
def test_equal_lengths_stay_as_they_are(steps: int) -> None:
    split = ragged_split(np.full(40, 28), features=2)
    finest = batcher(split, [], ROWS, "float64")
    assert chosen(finest, split, steps) == finest
