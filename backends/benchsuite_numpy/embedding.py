"""The embedding of ids packed by step, and its gradient."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.errors import ContractError
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.plans import Plan


@dataclass(frozen=True)
class Ids:
    """The ids that a loop reads, on the device, and in which order their gradients are summed.

    ids       (N,): those of step 0, then those of step 1 ..., N the sum of the plan's widths
    order     packed positions sorted by id, so that the rows of one id are one segment; None on a GPU
    starts    where each segment begins
    distinct  the segments' ids
    """

    ids: Array
    order: np.ndarray | None = None
    starts: np.ndarray | None = None
    distinct: np.ndarray | None = None


def place_ids(ids: np.ndarray, plan: Plan, vocabulary: int, place: DeviceContext) -> Ids:
    """Pack ids (B, T), rows in the plan's order. Raises ContractError for an id out of range."""
    packed = np.concatenate([ids[:width, t] for t, width in enumerate(plan.widths)])
    if int(packed.min()) < 0 or int(packed.max()) >= vocabulary:
        raise ContractError(f"ids must lie in 0..{vocabulary - 1}, given {packed.min()}..{packed.max()}")
    if place.on_gpu:
        return Ids(place.xp.asarray(packed))
    order = np.argsort(packed, kind="stable")
    distinct, starts = np.unique(packed[order], return_index=True)
    return Ids(packed, order, starts, distinct)


class Embedding:
    """Rows of the table `name` (V, E)."""

    def __init__(self, place: DeviceContext, flat: ParameterBuffer, name: str) -> None:
        self._xp, self._on_gpu = place.xp, place.on_gpu
        self._table, self._gradient = flat.value[name], flat.gradient[name]
        self._arena = Workspace(place.xp, str(flat.values.dtype))

    def forward(self, ids: Ids, plan: Plan) -> list[Array]:
        """For every t: the rows of the ids there, (E, width)."""
        rows = self._arena.view("rows", (len(ids.ids), self._table.shape[1]))
        self.take(ids.ids, rows)
        return [rows[a:b].T for a, b in itertools.pairwise(plan.width_ends)]

    def take(self, ids: Array, out: Array) -> None:
        """Rows (n, E) of ids (n,) that are known to lie in the vocabulary."""
        if self._on_gpu:
            out[...] = self._table[ids]
        else:  # `clip` writes to `out` without a buffer
            self._xp.take(self._table, ids, axis=0, out=out, mode="clip")

    def backward(self, ids: Ids, plan: Plan, slopes: Sequence[Sequence[Array]]) -> None:
        """The table's gradient. Each of `slopes` gives, for every t, dL/d(row) (E, width), to be added up."""
        rows = self._arena.view("rows", (len(ids.ids), self._table.shape[1]))
        for t, (a, b) in enumerate(itertools.pairwise(plan.width_ends)):
            part = rows[a:b].T
            part[...] = slopes[0][t]
            for other in slopes[1:]:
                self._xp.add(part, other[t], out=part)
        self._gradient[...] = 0
        if ids.order is None:
            self._xp.add.at(self._gradient, ids.ids, rows)
        else:
            self._gradient[ids.distinct] = self._xp.add.reduceat(rows[ids.order], ids.starts, axis=0)
