"""The shape of a loop over time: rows sorted by length, and how many of them each step computes.

Sorted by falling length, the rows that are live at step t are the first `live[t]` ones, so a loop over time
works on prefixes and needs no mask.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ALIGN = 4
"""Rows are computed in groups of so many: whole vectors, and fewer different widths."""


@dataclass(frozen=True)
class Plan:
    """The shape of a loop over time.

    rows    B
    live    for every step of the loop, how many rows are not yet over; never rising
    widths  for every step, how many rows are computed: `live`, rounded up (dynamic), or B (static)
    """

    rows: int
    live: tuple[int, ...]
    widths: tuple[int, ...]

    @property
    def time(self) -> int:
        return len(self.live)

    @property
    def full(self) -> bool:
        """Whether every row is live at every step."""
        return self.live[-1] == self.rows

    @cached_property
    def live_ends(self) -> list[int]:
        """Where each step's rows begin when the live rows of all steps are packed; one more for the end."""
        return [0, *np.cumsum(self.live).tolist()]

    @cached_property
    def width_ends(self) -> list[int]:
        """The same for the computed rows."""
        return [0, *np.cumsum(self.widths).tolist()]

    @cached_property
    def endings(self) -> list[slice]:
        """For every step t: the rows whose last step is t."""
        return [slice(b, a) for a, b in itertools.pairwise([*self.live, 0])]


def plan_for(lengths: np.ndarray, time: int, static: bool) -> Plan:
    """The loop over a batch padded to `time`: all of it, or only to the longest row."""
    steps = time if static else int(lengths.max())
    live = (lengths[:, None] > np.arange(steps)).sum(axis=0).tolist()
    rows = len(lengths)
    widths = steps * [rows] if static else [min(rows, -(-here // ALIGN) * ALIGN) for here in live]
    return Plan(rows, tuple(live), tuple(widths))


@dataclass(frozen=True)
class Ordered:
    """Rows in the order that a plan wants.

    plan   the loop over them
    time   the length that the batch was padded to
    order  the batch's row in each place, on the host
    """

    plan: Plan
    time: int
    order: np.ndarray

    @cached_property
    def inverse(self) -> np.ndarray:
        """For each row of the batch: its place here."""
        return np.argsort(self.order)

    @cached_property
    def packed_places(self) -> np.ndarray:
        """For every live position, packed step after step: the row's place."""
        return np.concatenate([np.arange(live) for live in self.plan.live])

    @cached_property
    def packed_times(self) -> np.ndarray:
        """For every packed live position: its step."""
        return np.repeat(np.arange(self.plan.time), self.plan.live)

    def unpacked(self, packed: np.ndarray) -> np.ndarray:
        """(B, time, O) in the batch's own row order from packed (N, O), zero beyond each row's length."""
        found = np.zeros((self.plan.rows, self.time, packed.shape[1]), packed.dtype)
        found[self.order[self.packed_places], self.packed_times] = packed
        return found

    def unrolled(self, by_step: Sequence[np.ndarray]) -> np.ndarray:
        """(B, time, H) in the batch's own row order from (H, live rows) for every step."""
        found = np.zeros((self.plan.rows, self.time, by_step[0].shape[0]), by_step[0].dtype)
        for t, part in enumerate(by_step):
            found[self.order[: part.shape[1]], t] = part.T
        return found
