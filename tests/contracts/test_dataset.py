"""Ragged sequences: what goes in comes out, padding is zero, windows overlap without a copy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Ragged, Split
from benchsuite.errors import ContractError

LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def sequences(lengths: list[int], width: int | None) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(length,) if width is None else (length, width)) + 1 for length in lengths]


@given(lengths=LENGTHS, width=st.sampled_from([None, 1, 3, 40]), extra=st.integers(0, 3), data=st.data())
def test_padded_rows_are_the_sequences_with_zeros_behind(
    lengths: list[int], width: int | None, extra: int, data: st.DataObject
) -> None:
    given_sequences = sequences(lengths, width)
    ragged = Ragged.from_sequences(given_sequences)
    rows = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=5)))
    time = max(lengths) + extra
    before = ragged.values.copy()
    padded = ragged.padded(rows, time)
    assert padded.shape == (len(rows), time, *given_sequences[0].shape[1:])
    for row, index in enumerate(rows):
        np.testing.assert_array_equal(padded[row, : lengths[index]], given_sequences[index])
        assert not padded[row, lengths[index] :].any()
        np.testing.assert_array_equal(ragged[int(index)], given_sequences[index])
    np.testing.assert_array_equal(ragged.values, before)


@given(lengths=LENGTHS, data=st.data())
def test_a_selection_shares_the_values(lengths: list[int], data: st.DataObject) -> None:
    ragged = Ragged.from_sequences(sequences(lengths, 2))
    rows = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=5)))
    chosen = ragged.select(rows)
    assert chosen.values is ragged.values
    assert len(chosen) == len(rows)
    for position, row in enumerate(rows):
        np.testing.assert_array_equal(chosen[position], ragged[int(row)])


def test_windows_may_overlap_and_cost_no_copy() -> None:
    series = np.arange(10.0)[:, None]
    starts = np.arange(7)
    windows = Ragged(series, starts, np.full(7, 4))
    padded = windows.padded(np.arange(7), 4)
    np.testing.assert_array_equal(padded[..., 0], starts[:, None] + np.arange(4))
    padded[:] = -1
    assert series.min() == 0


def test_equal_lengths_are_a_view() -> None:
    dense = np.arange(24.0).reshape(3, 4, 2)
    ragged = Ragged.from_dense(dense)
    assert np.shares_memory(ragged.values, dense)
    np.testing.assert_array_equal(ragged.padded(np.array([2, 0]), 4), dense[[2, 0]])


@pytest.mark.parametrize(
    ("starts", "lengths", "message"),
    [
        ([0, 1], [1], "must be equal"),
        ([0, 2], [1, 0], "at least one step"),
        ([0, 3], [1, 2], "outside"),
        ([-1], [1], "outside"),
    ],
)
def test_sequences_that_cannot_be_are_refused(starts: list[int], lengths: list[int], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Ragged(np.zeros(4), np.array(starts), np.array(lengths))


@pytest.mark.parametrize("by_step", [False, True])
def test_a_split_keeps_inputs_and_targets_together(by_step: bool) -> None:
    inputs = Ragged.from_sequences(sequences([3, 1, 4], 2))
    targets = Ragged.from_sequences([np.arange(n) for n in (3, 1, 4)]) if by_step else np.array([7, 8, 9])
    chosen = Split(inputs, targets).select(np.array([2, 0]))
    assert len(chosen) == 2
    np.testing.assert_array_equal(chosen.inputs[0], inputs[2])
    if isinstance(chosen.targets, Ragged):
        np.testing.assert_array_equal(chosen.targets[0], np.arange(4))
    else:
        np.testing.assert_array_equal(chosen.targets, [9, 7])


@given(lengths=LENGTHS, width=st.sampled_from([None, 2]))
def test_flat_is_the_sequences_one_after_the_other(lengths: list[int], width: int | None) -> None:
    parts = sequences(lengths, width)
    ragged = Ragged.from_sequences(parts)
    np.testing.assert_array_equal(ragged.flat(), np.concatenate(parts))
    chosen = np.arange(len(parts))[::-2]
    np.testing.assert_array_equal(
        ragged.select(chosen).flat(), np.concatenate([parts[row] for row in chosen])
    )


def test_sequences_of_one_length_are_dense_again() -> None:
    dense = np.arange(24.0).reshape(3, 4, 2)
    np.testing.assert_array_equal(Ragged.from_dense(dense).to_dense(), dense)
    with pytest.raises(ContractError, match="lengths are 1 to 3"):
        Ragged.from_sequences(sequences([3, 1], 2)).to_dense()


INPUTS = Ragged.from_sequences(sequences([2, 1], 1))
STEPS = Ragged.from_sequences([np.array([1, 2]), np.array([3])])
KINDS = {
    "row": Split(INPUTS, np.array([0, 1])),
    "step": Split(INPUTS, STEPS),
    "sequence": Split(INPUTS, STEPS, aligned=False),
}


@pytest.mark.parametrize("asked", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_read_as_what_they_are_and_as_nothing_else(kind: str, asked: str) -> None:
    split = KINDS[kind]
    if kind == asked:
        assert getattr(split, f"{asked}_targets") is split.targets
    else:
        with pytest.raises(ContractError, match="targets are"):
            getattr(split, f"{asked}_targets")


@pytest.mark.parametrize("resets", [np.zeros(4, bool), np.zeros(5, np.int32)])
def test_resets_are_one_truth_value_for_each_step(resets: np.ndarray) -> None:
    with pytest.raises(ContractError, match=r"must be bool \(5,\)"):
        Split(Ragged.from_sequences(sequences([2, 3], 1)), np.zeros(2, np.int32), resets=resets)


def test_a_selection_keeps_its_resets() -> None:
    marked = np.array([True, False, True, True, False])
    split = Split(Ragged.from_sequences(sequences([2, 3], 1)), np.zeros(2, np.int32), resets=marked)
    assert replace(split, resets=None).reset_steps is None
    chosen = split.select(np.array([1])).reset_steps
    assert chosen is not None
    np.testing.assert_array_equal(chosen[0], [True, True, False])
