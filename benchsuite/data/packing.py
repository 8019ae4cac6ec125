"""Several sequences one after the other in one row: less padding, for models with resets (ModelSpec.resets).

packed      sequences of their own lengths, laid into rows of a given length
unpacked    predictions for such rows, sequence by sequence, as if each had been a row of its own
"""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.errors import ContractError, RequestError


def first_fit(lengths: np.ndarray, row: int) -> np.ndarray:
    """(n,) int64: the row that each sequence is laid into, in the order of the sequences: the first row with
    room for it, or a new one. That takes at most 1.7 times the fewest rows (Dosa and Sgall 2013).

    :param lengths: (n,) steps of the sequences, each >= 1. :param row: steps of a row.

    Raises RequestError for a sequence that is longer than a row.
    """
    found = np.zeros(len(lengths), np.int64)
    if not len(lengths):
        return found
    shortest, longest = int(lengths.min()), int(lengths.max())
    if longest > row:
        raise RequestError(
            f"a sequence has {longest} steps and a row {row}: rows that sequences are packed into must be as "
            "long as the longest sequence"
        )
    room = np.full(len(lengths), row, np.int64)
    full, rows = 0, 0  # rows before `full` have no room for any sequence; `rows` hold one
    for place, length in enumerate(lengths.tolist()):
        while room[full] < shortest:
            full += 1
        chosen = full + int(np.argmax(room[full : rows + 1] >= length))
        rows = max(rows, chosen + 1)
        room[chosen] -= length
        found[place] = chosen
    return found


def packed(split: Split, row: int) -> Split:
    """The sequences of `split`, which have a target for each step, in rows of at most `row` steps, with resets
    where each begins. Rows are filled by first_fit(); no row has padding inside. The values are copied.

    Raises RequestError for a sequence that is longer than a row, ContractError for a split that has resets.
    """
    if split.resets is not None:
        raise ContractError("this split has resets: its sequences are packed already")
    lengths = split.inputs.lengths
    rows = first_fit(lengths, row)
    order = np.argsort(rows, kind="stable")
    inputs, targets = split.inputs.select(order).flat(), split.step_targets.select(order).flat()
    begins = np.cumsum(lengths[order]) - lengths[order]
    resets = np.zeros(len(inputs), bool)
    resets[begins] = True
    steps = np.bincount(rows, weights=lengths).astype(np.int64)
    starts = np.cumsum(steps) - steps
    return Split(Ragged(inputs, starts, steps), Ragged(targets, starts, steps), resets=resets)


def unpacked(predictions: np.ndarray, split: Split) -> tuple[np.ndarray, Split]:
    """Predictions and split with one row for each sequence, in the order in which they lie in the rows of
    `split`. A split without resets is given back as it is.

    :param predictions: (n, T, ...) by step, zero beyond a row's length.
    :returns: (m, longest sequence, ...), zero beyond a sequence's length, and the split of m sequences, whose
        values are those of `split`.
    """
    marks = split.reset_steps
    if marks is None:
        return predictions, split
    marked, before = marks.flat(), np.cumsum(marks.lengths) - marks.lengths
    marked[before] = True  # a row begins with a sequence, whether the state was set before it or not
    begins = np.flatnonzero(marked)
    lengths = np.diff(begins, append=len(marked))
    row = np.searchsorted(before, begins, side="right") - 1
    place = begins - before[row]
    steps = np.arange(int(lengths.max()))
    taken = predictions[row[:, None], place[:, None] + np.minimum(steps, lengths[:, None] - 1)]
    taken[steps >= lengths[:, None]] = 0
    inputs, targets = split.inputs, split.step_targets
    return taken, Split(
        Ragged(inputs.values, inputs.starts[row] + place, lengths),
        Ragged(targets.values, targets.starts[row] + place, lengths),
    )
