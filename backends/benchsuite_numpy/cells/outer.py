"""Sums of outer products over time: the weights' gradients."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite_numpy.runtime import Array, Namespace

COLUMNS = 256
"""Columns gathered before a product: narrow products spend their time on writing the result."""
WIDE = 96
"""A step of this width goes into a product of its own, without the copy."""


class OuterSum:
    """gradient[block] = sum over steps of gates[rows of block] @ state[rows of block]^T."""

    def __init__(
        self,
        xp: Namespace,
        dtype: str,
        gate_rows: int,
        state_rows: int,
        products: Sequence[tuple[slice, slice, Array]],
    ) -> None:
        self._xp = xp
        self._products = [(a, b, target, xp.empty(target.shape, dtype)) for a, b, target in products]
        self._gates = xp.empty((gate_rows, COLUMNS), dtype)
        self._states = xp.empty((state_rows, COLUMNS), dtype)
        self._filled = 0
        self._empty = True

    def clear(self) -> None:
        self._filled, self._empty = 0, True

    def add(self, gates: Array, state: Array) -> None:
        """One step: gates (Z, w), state (K, w). Narrow steps are copied and wait for company."""
        width = gates.shape[1]
        if width >= WIDE:
            self._multiply(gates, state)
            return
        if self._filled + width > COLUMNS:
            self._flush()
        end = self._filled + width
        self._gates[:, self._filled : end] = gates
        self._states[:, self._filled : end] = state
        self._filled = end

    def finish(self) -> None:
        if self._filled:
            self._flush()

    def _flush(self) -> None:
        self._multiply(self._gates[:, : self._filled], self._states[:, : self._filled])
        self._filled = 0

    def _multiply(self, gates: Array, state: Array) -> None:
        xp = self._xp
        for gate_rows, state_rows, target, work in self._products:
            if self._empty:
                xp.matmul(gates[gate_rows], state[state_rows].T, out=target)
            else:
                xp.matmul(gates[gate_rows], state[state_rows].T, out=work)
                xp.add(target, work, out=target)
        self._empty = False
