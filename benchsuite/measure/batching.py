"""Batches: seeded shuffling, few padded lengths, no copy of the data but the batch itself.

A framework compiles or traces once per batch shape, so shapes are few: every batch has the same number of
rows, and its padded length is one of a handful of boundaries taken from the training split's lengths
(measure.padded_lengths says of how many).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchsuite.contracts import Batch, Ragged, Split, valid_mask
from benchsuite.errors import RequestError
from benchsuite.measure.initialisation import stream
from benchsuite.schema import Recipe

BOUNDARIES = 4
"""Most padded lengths a task has."""
WINDOW = 32
"""Batches within which rows are sorted by length: wide enough to save padding, narrow enough to mix."""
RESTART = 32
"""Chunks of a training stream after which states begin at zero again.

Evaluation begins at zero. A model that met zero once an epoch may fall from there into a state that it never
leaves: of 96 places in the validation text of tiny Shakespeare to begin at, an LSTM of 512 units got lost
from 2 to 4 after each of five epochs, and from none when trained like this."""


class Chunk(NamedTuple):
    """A batch of an epoch, and whether its recurrence begins at zero. False: it goes on from the final states
    of the batch before, row by row."""

    batch: Batch
    begins: bool = True


@dataclass(frozen=True)
class Batcher:
    """Cuts a split into batches of `rows` rows in the reals' type `dtype`.

    boundaries  ascending padded lengths; the last one fits the longest sequence of any split
    targets     padded lengths of targets of a length of their own, one for each boundary: a batch takes the
                first pair that fits both, so that there are no more shapes than boundaries
    by_length   whether batches are made of rows of like lengths: which rows share one does not depend on the
                number of boundaries
    ragged      whether a split has rows of several lengths; `ragged_targets`: targets that have lengths of
                their own
    """

    rows: int
    boundaries: tuple[int, ...]
    dtype: str
    targets: tuple[int, ...] = ()
    by_length: bool = False
    ragged: bool = False
    ragged_targets: bool = False

    def epoch(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """The training batches of one epoch, in an order drawn from (seed, epoch); see drawn()."""
        for rows in self.drawn(split, seed, epoch):
            yield self.batch(split, rows)

    def drawn(self, split: Split, seed: int, epoch: int) -> np.ndarray:
        """Row numbers of an epoch's batches, (batches, rows).

        Rows are shuffled, sorted by length within windows of WINDOW batches, and the batches shuffled again
        (Khomenko et al. 2016). The rows that do not fill a batch are left out; which ones changes by epoch.
        """
        random = stream(seed, f"epoch/{epoch}")
        order = random.permutation(len(split))
        count = len(order) // self.rows
        if count == 0:
            raise RequestError(
                f"batch_size {self.rows} is more than the {len(split)} training examples; lower it"
            )
        order = order[: count * self.rows]
        if not self.by_length:
            return order.reshape(count, self.rows)
        order = self._sorted_in_windows(order, _work(split))
        return order.reshape(count, self.rows)[random.permutation(count)]

    def evaluation(self, split: Split) -> Iterator[tuple[np.ndarray, Batch]]:
        """Every row of a split once, by length: (row numbers, batch). The last batch is filled up by
        repeating its last row, so it may have more rows than row numbers."""
        order = np.argsort(_work(split), kind="stable")
        for start in range(0, len(order), self.rows):
            rows = order[start : start + self.rows]
            filled = np.concatenate([rows, np.repeat(rows[-1:], self.rows - len(rows))])
            yield rows, self.batch(split, filled)

    def batch(self, split: Split, rows: np.ndarray) -> Batch:
        """The given rows, padded to the smallest boundary that fits them."""
        lengths, target_lengths = split.inputs.lengths[rows], None
        if isinstance(split.targets, Ragged) and not split.aligned:
            target_lengths = split.targets.lengths[rows].astype(np.int32)
        longest = None if target_lengths is None else target_lengths.max()
        pair = int(self.places(lengths.max(), longest))
        time = self.boundaries[pair]
        inputs = self._cast(split.inputs.padded(rows, time))
        if isinstance(split.targets, Ragged):
            targets = self._cast(split.targets.padded(rows, time if split.aligned else self.targets[pair]))
        else:
            targets = self._cast(split.targets[rows])
        resets = None if split.reset_steps is None else split.reset_steps.padded(rows, time)
        return Batch(
            inputs,
            lengths.astype(np.int32),
            targets,
            target_lengths=target_lengths,
            resets=resets,
            ragged=self.ragged,
            ragged_targets=self.ragged_targets,
        )

    def places(self, longest: np.ndarray, longest_targets: np.ndarray | None = None) -> np.ndarray:
        """Which boundary batches are padded to, whose longest rows and, where these have lengths of their own,
        targets are given: numbers in `boundaries`, of the same shape."""
        fits = np.searchsorted(self.boundaries, longest)
        return (
            fits
            if longest_targets is None
            else np.maximum(fits, np.searchsorted(self.targets, longest_targets))
        )

    def _cast(self, array: np.ndarray) -> np.ndarray:
        kind = np.dtype(self.dtype if array.dtype.kind == "f" else np.int32)
        return np.ascontiguousarray(array, kind)

    def _sorted_in_windows(self, order: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        window = WINDOW * self.rows
        parts = [order[start : start + window] for start in range(0, len(order), window)]
        return np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in parts])


def _work(split: Split) -> np.ndarray:
    """(n,): the steps of each row, those of its inputs and those of its targets."""
    if isinstance(split.targets, Ragged) and not split.aligned:
        both: np.ndarray = split.inputs.lengths + split.targets.lengths
        return both
    return split.inputs.lengths


def batcher(train: Split, others: list[Split], rows: int, dtype: str) -> Batcher:
    """A batcher whose boundaries are quantiles of the training lengths, rounded up to multiples of 4.

    All lengths equal: one boundary, exactly that length.
    """
    splits = [train, *others]
    ragged = _are_ragged([split.inputs.lengths for split in splits])
    read = _quantiles(train.inputs.lengths, max(int(split.inputs.lengths.max()) for split in splits))
    if train.aligned or not isinstance(train.targets, Ragged):
        lengths = tuple(sorted(set(read)))
        return Batcher(rows, lengths, dtype, by_length=len(lengths) > 1, ragged=ragged)
    written = [split.targets.lengths for split in splits if isinstance(split.targets, Ragged)]
    longest = max(int(lengths.max()) for lengths in written)
    pairs = sorted(set(zip(read, _quantiles(train.targets.lengths, longest), strict=True)))
    inputs, targets = (tuple(pair[place] for pair in pairs) for place in (0, 1))
    return Batcher(rows, inputs, dtype, targets, len(pairs) > 1, ragged, _are_ragged(written))


def _are_ragged(splits: Sequence[np.ndarray]) -> bool:
    """Whether the rows of any split, whose lengths are given, differ in length."""
    return any(int(lengths.min()) < int(lengths.max()) for lengths in splits if len(lengths))


def _quantiles(lengths: np.ndarray, longest: int) -> list[int]:
    """BOUNDARIES ascending lengths, equal ones among them, the last one `longest`."""
    if int(lengths.min()) == longest:
        return [longest] * BOUNDARIES
    shares = [(index + 1) / BOUNDARIES for index in range(BOUNDARIES - 1)]
    return [*(min(-(-int(np.quantile(lengths, share)) // 4) * 4, longest) for share in shares), longest]


def stream_batches(split: Split, rows: int, time: int, dtype: str) -> Iterator[Chunk]:
    """One long sequence as `rows` parallel streams, cut into chunks of `time` steps (stateful truncated
    BPTT): row r of a chunk goes on where row r of the chunk before ended. Targets must be by step.

    Every RESTART-th chunk, the first one among them, begins at zero. Steps that do not fill a chunk are left
    out.
    """
    if len(split) != 1 or not isinstance(split.targets, Ragged):
        raise RequestError("streams need one long sequence with targets by step")
    values, targets, resets = split.inputs[0], split.targets[0], _resets_of_stream(split)
    length = len(values) // rows // time * time
    if length == 0:
        raise RequestError(
            f"{len(values)} steps do not fill {rows} streams of {time} steps; lower batch_size"
        )
    lengths = np.full(rows, time, np.int32)
    fixed = Batcher(rows, (time,), dtype)
    for start in range(0, length, time):
        at = np.arange(rows)[:, None] * length + np.arange(start, start + time)
        marked = None if resets is None else resets[at]
        batch = Batch(fixed._cast(values[at]), lengths, fixed._cast(targets[at]), resets=marked)
        yield Chunk(batch, begins=start // time % RESTART == 0)


def stream_evaluation(split: Split, rows: int, time: int, dtype: str) -> Iterator[tuple[np.ndarray, Batch]]:
    """Every step of one long sequence once, as `rows` parallel streams in chunks of `time` steps: (positions,
    batch). positions (rows, time) int64 says which step of the sequence each prediction is for, -1 for none.
    The first chunk begins at zero, the others go on from the one before.

    Streams differ by one step at most; one that ended before the others repeats a step that counts for none.
    """
    if len(split) != 1 or not isinstance(split.targets, Ragged):
        raise RequestError("streams need one long sequence with targets by step")
    values, targets, resets = split.inputs[0], split.targets[0], _resets_of_stream(split)
    each, more = divmod(len(values), rows)
    row = np.arange(rows)[:, None]
    starts, lengths = row * each + np.minimum(row, more), each + (row < more)
    fixed = Batcher(rows, (time,), dtype)
    for begin in range(0, int(lengths.max()), time):
        steps = np.arange(begin, begin + time)
        positions = np.where(steps < lengths, starts + steps, -1)
        taken = np.maximum(positions, 0)
        left = np.clip(lengths[:, 0] - begin, 1, time).astype(np.int32)
        inside = valid_mask(left, time)
        inputs, wanted = values[taken], targets[taken]
        inputs[~inside], wanted[~inside] = 0, 0
        marked = None if resets is None else resets[taken] & inside
        yield positions, Batch(fixed._cast(inputs), left, fixed._cast(wanted), resets=marked)


def _resets_of_stream(split: Split) -> np.ndarray | None:
    """(N,) bool of the one sequence of a stream, or None."""
    return None if split.reset_steps is None else split.reset_steps[0]


def training_batches(recipe: Recipe, cut: Batcher, split: Split, seed: int, epoch: int) -> Iterator[Chunk]:
    """What one epoch trains on: the chunks of a stream where states are carried, else batches by length."""
    if not recipe.carry:
        return map(Chunk, cut.epoch(split, seed, epoch))
    if recipe.truncation is None:
        raise RequestError("recipe.carry needs recipe.truncation: the length of a stream's chunk")
    return stream_batches(split, recipe.batch_size, recipe.truncation, cut.dtype)


def training_steps(recipe: Recipe, cut: Batcher, split: Split) -> int:
    """The optimiser steps of a training that is not ended early: those of all epochs, or recipe.steps where
    they are fewer."""
    if recipe.carry:
        by_epoch = len(split.inputs[0]) // recipe.batch_size // cut.boundaries[0]
    else:
        by_epoch = len(split) // cut.rows
    steps = recipe.epochs * by_epoch
    return steps if recipe.steps is None else min(steps, recipe.steps)
