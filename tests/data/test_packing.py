"""Sequences in rows of a given length: none is lost, cut or turned round, and what is packed is unpacked."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Ragged, Split
from benchsuite.data import first_fit, packed, unpacked
from benchsuite.errors import ContractError, RequestError

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=40)
MORE = st.integers(0, 30)


def numbered(lengths: list[int]) -> Split:
    """Every step has a number of its own; its target is that number and half a million."""
    sizes = np.array(lengths, np.int64)
    steps = np.arange(sizes.sum(), dtype=np.int32)
    starts = np.cumsum(sizes) - sizes
    return Split(Ragged(steps, starts, sizes), Ragged(steps + np.int32(500_000), starts, sizes))


def sequences(split: Split) -> list[list[int]]:
    return [split.inputs[row].tolist() for row in range(len(split))]


def scores(split: Split, time: int) -> np.ndarray:
    """(n, time, 2): at every step its number, and the number with its sign turned; zero beyond a row."""
    values = split.inputs.padded(np.arange(len(split)), time).astype(float) + 1
    inside = np.arange(time) < split.inputs.lengths[:, None]
    return np.stack([values, -values], axis=-1) * inside[..., None]


@given(LENGTHS, MORE)
def test_every_sequence_lies_in_the_first_row_with_room_for_it(lengths: list[int], more: int) -> None:
    row = max(lengths) + more
    found = first_fit(np.array(lengths), row)
    assert found.dtype == np.int64
    room: list[int] = []
    for length, chosen in zip(lengths, found.tolist(), strict=True):
        fits = [place for place, left in enumerate(room) if left >= length]
        assert chosen == (fits[0] if fits else len(room))
        if not fits:
            room.append(row)
        room[chosen] -= length
    assert min(room) >= 0


@given(LENGTHS, MORE)
def test_every_step_is_packed_once_and_in_the_order_of_its_sequence(lengths: list[int], more: int) -> None:
    split, row = numbered(lengths), max(lengths) + more
    found = packed(split, row)
    assert found.inputs.lengths.max() <= row
    assert found.resets is not None
    pieces = []
    for place in range(len(found)):
        steps, marks = found.inputs[place], found.reset_steps[place]  # type: ignore[index]
        assert marks[0]
        assert (found.step_targets[place] == steps + 500_000).all()
        pieces += [part.tolist() for part in np.split(steps, np.flatnonzero(marks)[1:])]
    assert sorted(pieces) == sequences(split)
    assert found.inputs.values.dtype == np.int32


@given(LENGTHS, MORE, MORE)
def test_unpacking_gives_each_sequence_its_own_row(lengths: list[int], more: int, padding: int) -> None:
    split, row = numbered(lengths), max(lengths) + more
    rows = packed(split, row)
    values, found = unpacked(scores(rows, row + padding), rows)
    assert sorted(sequences(found)) == sequences(split)
    assert found.resets is None
    assert values.shape == (len(lengths), max(lengths), 2)
    assert np.array_equal(values, scores(found, max(lengths)))
    truth = found.step_targets.padded(np.arange(len(found)), max(lengths))
    inside = np.arange(max(lengths)) < found.inputs.lengths[:, None]
    assert np.array_equal(truth[inside], values[inside][:, 0] - 1 + 500_000)


@given(LENGTHS, MORE, st.randoms(use_true_random=False))
def test_some_rows_of_a_packed_split_are_unpacked_as_well(
    lengths: list[int], more: int, random: Random
) -> None:
    whole = packed(numbered(lengths), max(lengths) + more)
    rows = np.array(random.sample(range(len(whole)), random.randint(1, len(whole))))
    part = whole.select(rows)
    values, found = unpacked(scores(part, max(lengths) + more), part)
    assert np.array_equal(found.inputs.flat(), part.inputs.flat())
    assert np.array_equal(values, scores(found, values.shape[1]))


def test_a_row_begins_with_a_sequence_whether_it_is_marked_or_not() -> None:
    rows = packed(numbered([3, 2, 4]), 5)
    assert rows.resets is not None
    unmarked = Split(rows.inputs, rows.targets, resets=rows.resets & (np.arange(9) != 0))
    assert sequences(unpacked(scores(unmarked, 5), unmarked)[1]) == [[0, 1, 2], [3, 4], [5, 6, 7, 8]]


def test_without_resets_nothing_is_unpacked() -> None:
    split = numbered([2, 3])
    given = scores(split, 3)
    values, found = unpacked(given, split)
    assert values is given
    assert found is split


def test_a_sequence_that_is_longer_than_a_row_is_refused() -> None:
    with pytest.raises(RequestError, match="a sequence has 7 steps and a row 6"):
        packed(numbered([2, 7]), 6)


def test_what_is_packed_is_not_packed_again() -> None:
    with pytest.raises(ContractError, match="packed already"):
        packed(packed(numbered([2, 3]), 5), 5)


def test_nothing_needs_no_row() -> None:
    assert len(first_fit(np.zeros(0, np.int64), 5)) == 0
