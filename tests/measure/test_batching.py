"""Batches: every row where it should be, unchanged by padding, in few shapes, by seed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from fixtures.tiny import ragged_split
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Ragged, Split
from benchsuite.errors import RequestError
from benchsuite.measure.batching import (
    BOUNDARIES,
    RESTART,
    Batcher,
    batcher,
    stream_batches,
    stream_evaluation,
    training_batches,
    training_steps,
)
from benchsuite.schema import Recipe

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def numbered(lengths: list[int], by_step: bool = False) -> Split:
    """Sequences whose every entry tells its row and its step: 1000 * (row + 1) + step."""
    rows = [1000.0 * (row + 1) + np.arange(length) for row, length in enumerate(lengths)]
    targets = (
        Ragged.from_sequences([-row for row in rows]) if by_step else np.arange(len(rows), dtype=np.int32)
    )
    return Split(Ragged.from_sequences([row[:, None] for row in rows]), targets)


def rows_of(batch: Batch) -> list[int]:
    """Which rows of a numbered split a batch holds; asserts that each is whole, in order and zero-padded."""
    found = []
    for values, length in zip(batch.inputs[..., 0], batch.lengths, strict=True):
        row = int(values[0]) // 1000 - 1
        np.testing.assert_array_equal(values[:length], 1000.0 * (row + 1) + np.arange(length))
        assert not values[length:].any()
        found.append(row)
    return found


def cutter(split: Split, rows: int) -> Batcher:
    return batcher(split, [split], rows, "float64")


@given(
    lengths=LENGTHS,
    rows=st.integers(1, 9),
    epochs=st.integers(1, 3),
    most=st.none() | st.integers(1, 99),
    carry=st.booleans(),
)
def test_the_steps_of_a_training_are_the_batches_of_its_epochs(
    lengths: list[int], rows: int, epochs: int, most: int | None, carry: bool
) -> None:
    split = numbered([sum(lengths)], by_step=True) if carry else numbered(lengths)
    cut = Batcher(rows, (3,), "float64") if carry else cutter(split, rows)
    recipe = Recipe(epochs=epochs, steps=most, carry=carry, truncation=3, batch_size=rows)
    found = training_steps(recipe, cut, split)
    if not found:
        with pytest.raises(RequestError):
            list(training_batches(recipe, cut, split, 0, 0))
        return
    batches = sum(len(list(training_batches(recipe, cut, split, 0, epoch))) for epoch in range(epochs))
    assert found == (batches if most is None else min(batches, most))


@given(train=LENGTHS, other=LENGTHS)
def test_a_batch_says_whether_the_data_are_ragged(train: list[int], other: list[int]) -> None:
    first, second = numbered(train), numbered(other)
    cut = batcher(first, [second], 1, "float64")
    for _, batch in itertools.chain(cut.evaluation(first), cut.evaluation(second)):
        assert batch.ragged == (len(set(train)) > 1 or len(set(other)) > 1)
        assert not batch.ragged_targets
    written = [replace(split, targets=split.inputs, aligned=False) for split in (first, second)]
    for _, batch in batcher(written[0], written[1:], 1, "float64").evaluation(written[0]):
        assert batch.ragged_targets == batch.ragged


@given(lengths=LENGTHS, rows=st.integers(1, 9))
def test_evaluation_meets_every_row_once(lengths: list[int], rows: int) -> None:
    split = numbered(lengths)
    met: list[int] = []
    for numbers, batch in cutter(split, rows).evaluation(split):
        held = rows_of(batch)
        assert held[: len(numbers)] == list(numbers)
        assert set(held[len(numbers) :]) <= {int(numbers[-1])}
        assert batch.size == rows
        np.testing.assert_array_equal(batch.targets, held)
        met += [int(number) for number in numbers]
    assert sorted(met) == list(range(len(lengths)))


@given(lengths=LENGTHS, rows=st.integers(1, 9), seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_an_epoch_meets_no_row_twice_and_leaves_out_less_than_a_batch(
    lengths: list[int], rows: int, seed: int, epoch: int
) -> None:
    split = numbered(lengths)
    cut = cutter(split, rows)
    if len(lengths) < rows:
        with pytest.raises(RequestError, match=rf"batch_size {rows} is more than the {len(lengths)} "):
            next(cut.epoch(split, seed, epoch))
        return
    batches = list(cut.epoch(split, seed, epoch))
    met = [row for batch in batches for row in rows_of(batch)]
    assert len(set(met)) == len(met)
    assert len(lengths) - len(met) < rows
    assert len(batches) == len(split) // cut.rows
    assert all(batch.size == rows for batch in batches)
    for batch in batches:
        np.testing.assert_array_equal(batch.targets, rows_of(batch))
        np.testing.assert_array_equal(batch.lengths, [lengths[row] for row in rows_of(batch)])


@given(lengths=LENGTHS, others=LENGTHS, rows=st.integers(1, 5))
def test_padded_lengths_are_few_and_no_longer_than_they_need_be(
    lengths: list[int], others: list[int], rows: int
) -> None:
    train, test = numbered(lengths), numbered(others)
    cut = batcher(train, [test], rows, "float64")
    assert len(cut.boundaries) <= BOUNDARIES
    assert list(cut.boundaries) == sorted(set(cut.boundaries))
    assert cut.boundaries[-1] == max(*lengths, *others)
    for split in (train, test):
        for _, batch in cut.evaluation(split):
            longest = int(batch.lengths.max())
            assert batch.time == min(bound for bound in cut.boundaries if bound >= longest)


def test_equal_lengths_have_one_shape_and_no_padding() -> None:
    split = numbered([28] * 50)
    assert cutter(split, 8).boundaries == (28,)


def test_bucketing_saves_most_of_the_padding_of_uneven_lengths() -> None:
    random = np.random.default_rng(0)
    lengths = np.clip(random.geometric(0.05, 2000), 1, 120)
    split = ragged_split(lengths, features=1)
    batches = list(cutter(split, 16).epoch(split, 0, 0))
    padded = sum(batch.size * batch.time for batch in batches)
    real = sum(batch.valid_steps for batch in batches)
    naive = sum(batch.size for batch in batches) * int(lengths.max())
    assert (padded - real) < 0.25 * (naive - real)
    assert len({batch.time for batch in batches}) <= BOUNDARIES


def test_bucketing_still_mixes_the_epoch() -> None:
    """Batches of like lengths come in no order of length, so that no stretch of an epoch sees one length."""
    random = np.random.default_rng(0)
    split = ragged_split(random.integers(1, 100, 3200), features=1)
    mean = np.array([batch.lengths.mean() for batch in cutter(split, 16).epoch(split, 0, 0)])
    assert abs(np.corrcoef(np.arange(len(mean)), mean)[0, 1]) < 0.25


@settings(max_examples=20)
@given(seed=st.integers(0, 2**40), epoch=st.integers(0, 50), even=st.booleans())
def test_the_order_is_drawn_from_seed_and_epoch(seed: int, epoch: int, even: bool) -> None:
    split = numbered([9] * 40 if even else list(range(1, 41)))
    cut = cutter(split, 4)

    def order(seed: int, epoch: int) -> list[list[int]]:
        return [rows_of(batch) for batch in cut.epoch(split, seed, epoch)]

    assert order(seed, epoch) == order(seed, epoch)
    assert order(seed, epoch) != order(seed, epoch + 1)
    assert order(seed, epoch) != order(seed + 1, epoch)


def test_the_rows_left_out_change_from_epoch_to_epoch() -> None:
    split = numbered([5] * 11)
    cut = cutter(split, 4)
    left = [
        set(range(11)) - {row for batch in cut.epoch(split, 0, epoch) for row in rows_of(batch)}
        for epoch in range(12)
    ]
    assert {len(out) for out in left} == {3}
    assert len({frozenset(out) for out in left}) > 3
    assert set.union(*left) == set(range(11))


@given(lengths=LENGTHS, rows=st.integers(1, 5))
def test_targets_by_step_are_padded_like_the_inputs(lengths: list[int], rows: int) -> None:
    split = numbered(lengths, by_step=True)
    for _, batch in cutter(split, rows).evaluation(split):
        np.testing.assert_array_equal(batch.targets, -batch.inputs[..., 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reals_take_the_trials_type_and_ids_are_int32(dtype: str) -> None:
    reals = ragged_split(np.array([3, 5]))
    tokens = Split(
        Ragged.from_sequences([np.array([1, 2], np.int64), np.array([3], np.int64)]), np.zeros((2, 1))
    )
    for split, inputs, targets in ((reals, dtype, "int32"), (tokens, "int32", dtype)):
        _, batch = next(batcher(split, [], 2, dtype).evaluation(split))
        assert (batch.inputs.dtype, batch.targets.dtype) == (np.dtype(inputs), np.dtype(targets))
        assert batch.lengths.dtype == np.int32
        assert batch.inputs.flags.c_contiguous


@given(steps=st.integers(1, 80), rows=st.integers(1, 4), time=st.integers(1, 9))
def test_streams_go_on_where_they_ended(steps: int, rows: int, time: int) -> None:
    values = np.arange(steps, dtype=np.int32)
    split = Split(Ragged.from_sequences([values]), Ragged.from_sequences([values + 1]))
    if steps < rows * time:
        with pytest.raises(RequestError, match=f"{steps} steps do not fill {rows} streams of {time} steps"):
            next(stream_batches(split, rows, time, "float32"))
        return
    found = list(stream_batches(split, rows, time, "float32"))
    assert [chunk.begins for chunk in found] == [number % RESTART == 0 for number in range(len(found))]
    chunks = [chunk.batch for chunk in found]
    streams = np.concatenate([chunk.inputs for chunk in chunks], axis=1)
    assert all(np.array_equal(np.diff(row), np.ones(len(row) - 1)) for row in streams)
    np.testing.assert_array_equal(np.concatenate([chunk.targets for chunk in chunks], axis=1), streams + 1)
    met = streams.ravel()
    assert len(set(met)) == len(met)
    assert steps - len(met) < rows * time
    assert streams[0, 0] == 0
    for before, after in itertools.pairwise(chunks):
        np.testing.assert_array_equal(before.inputs[:, -1] + 1, after.inputs[:, 0])


def test_streams_need_one_sequence_with_targets_by_step() -> None:
    with pytest.raises(RequestError, match="one long sequence with targets by step"):
        next(stream_batches(numbered([30, 30], by_step=True), 1, 5, "float64"))
    with pytest.raises(RequestError, match="targets by step"):
        next(stream_batches(numbered([30]), 1, 5, "float64"))


def transcribed(inputs: list[int], targets: list[int]) -> Split:
    """Every row is its own number plus one, as many times as it has steps."""
    rows = range(len(inputs))
    return Split(
        Ragged.from_sequences([np.full((inputs[row], 1), row + 1.0) for row in rows]),
        Ragged.from_sequences([np.full(targets[row], row + 1, np.int32) for row in rows]),
        aligned=False,
    )


@given(data=st.data(), count=st.integers(1, 40), rows=st.integers(1, 5))
def test_targets_of_their_own_length_share_the_buckets_of_the_inputs(
    data: st.DataObject, count: int, rows: int
) -> None:
    lengths = st.lists(st.integers(1, 50), min_size=count, max_size=count)
    inputs, targets = data.draw(lengths), data.draw(lengths)
    split = transcribed(inputs, targets)
    cut = batcher(split, [], rows, "float64")
    shapes, met = set(), []
    for chosen, batch in cut.evaluation(split):
        assert batch.target_lengths is not None
        shapes.add((batch.time, batch.targets.shape[1]))
        for place, row in enumerate(chosen):
            met.append(int(row))
            assert batch.lengths[place] == inputs[row]
            assert batch.target_lengths[place] == targets[row]
            np.testing.assert_array_equal(batch.targets[place, : targets[row]], row + 1)
            assert not batch.targets[place, targets[row] :].any()
    assert sorted(met) == list(range(count))
    assert len(shapes) <= BOUNDARIES
    assert len(cut.boundaries) == len(cut.targets)


def test_what_a_decoder_is_fed_is_its_target_one_step_late() -> None:
    split = transcribed([3, 2], [2, 4])
    _, batch = next(batcher(split, [], 2, "float64").evaluation(split))
    fed = batch.decoder_inputs(9)
    assert set(fed[:, 0]) == {9}
    np.testing.assert_array_equal(fed[:, 1:], batch.targets[:, :-1])


@given(steps=st.integers(1, 90), rows=st.integers(1, 6), time=st.integers(1, 9))
def test_a_stream_is_evaluated_at_every_step_once(steps: int, rows: int, time: int) -> None:
    values = np.arange(steps, dtype=np.int32)
    split = Split(Ragged.from_sequences([values]), Ragged.from_sequences([values + 1]))
    met: list[int] = []
    ends = np.full(rows, -1)
    for number, (positions, batch) in enumerate(stream_evaluation(split, rows, time, "float32")):
        assert positions.shape == batch.inputs.shape == (rows, time)
        assert batch.lengths.min() >= 1
        seen = positions >= 0
        np.testing.assert_array_equal(batch.inputs[seen], positions[seen])
        np.testing.assert_array_equal(batch.targets[seen], positions[seen] + 1)
        met += positions[seen].tolist()
        for row in range(rows):  # each row goes on where it ended
            own = positions[row][seen[row]]
            if number and len(own):
                assert own[0] == ends[row] + 1
            ends[row] = own[-1] if len(own) else ends[row]
    assert sorted(met) == list(range(steps))


@given(lengths=LENGTHS, rows=st.integers(1, 9))
def test_resets_lie_where_their_steps_do(lengths: list[int], rows: int) -> None:
    """A sequence begins at every third step."""
    split = numbered(lengths)
    steps = np.concatenate([np.arange(length) for length in lengths])
    split = replace(split, resets=steps % 3 == 0)
    for _, batch in cutter(split, rows).evaluation(split):
        assert batch.resets is not None
        inside = np.arange(batch.time) < batch.lengths[:, None]
        np.testing.assert_array_equal(batch.resets, (batch.inputs[..., 0] % 1000 % 3 == 0) & inside)


@given(steps=st.integers(12, 60), rows=st.integers(1, 3), time=st.integers(1, 4))
def test_resets_of_a_stream_lie_where_its_steps_do(steps: int, rows: int, time: int) -> None:
    split = replace(numbered([steps], by_step=True), resets=np.arange(steps) % 3 == 0)
    evaluated = [batch for _, batch in stream_evaluation(split, rows, time, "float64")]
    trained = [chunk.batch for chunk in stream_batches(split, rows, time, "float64")]
    for batch in evaluated + trained:
        inside = np.arange(batch.time) < batch.lengths[:, None]
        np.testing.assert_array_equal(batch.resets, (batch.inputs[..., 0] % 1000 % 3 == 0) & inside)
