"""Random words over a group, the same on every machine, and no word in two splits."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.data import rows_apart
from benchsuite_state_tracking.groups import Group

_SEED = 2024
_PAST = -1
"""What stands past the end of a word while words are drawn."""


def words(group: Group, count: int, lengths: tuple[int, int], part: int) -> Split:
    """`count` words of lengths[0] to lengths[1] letters, (T,) int32 each, with the state, int32, at every step.

    :param part: number of the split: 0 training, 1 validation, 2 test.

    Raises RequestError where there are too few words to keep the splits apart.
    """
    letters = len(group.names)

    def draw(random: np.random.RandomState, rows: int) -> np.ndarray:
        ends = random.randint(lengths[0], lengths[1] + 1, size=rows)
        drawn = random.randint(letters, size=(rows, lengths[1]))
        return np.where(np.arange(lengths[1]) < ends[:, None], drawn, _PAST)

    found = rows_apart(draw, count, part, _SEED)
    inside = found != _PAST
    states = group.states(found)  # past a word's end -1 picks the last letter, and the state is not read
    ends = inside.sum(axis=1)
    starts = np.cumsum(ends) - ends
    return Split(Ragged(found[inside], starts, ends), Ragged(states[inside], starts, ends))
