"""A layer of any cell: a loop over steps in the cell's own words, recorded by autograd.

T steps, B rows, I inputs, H hidden units; N rows of all steps that are computed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.profiler import record_function

from benchsuite.errors import ContractError
from benchsuite.schema.cells import AffineCell, Array, Cell, naming_cell, step_kernel
from benchsuite.schema.cells.cell import affine_step
from benchsuite_torch.kernels import factors
from benchsuite_torch.layers import CellDirection, LayerStates
from benchsuite_torch.operations import TORCH_OPERATIONS as XP
from benchsuite_torch.placement import Resets, RowLengths
from benchsuite_torch.runtime import CELL_LOOP


@dataclass(frozen=True)
class Reading:
    """How a layer reads a batch.

    fresh           whether the state before the first step is the cell's initial one, and was not passed in
    truncation      the state that enters step k, 2k, ... is detached
    resets          where the state is set to its initial values before the step
    recurrent_mask  (B, H): what the hidden state is multiplied with where a step's products read it
    """

    rows: RowLengths
    fresh: bool
    truncation: int | None = None
    resets: Resets | None = None
    recurrent_mask: torch.Tensor | None = None

    def detached(self, t: int) -> bool:
        return bool(self.truncation and t and t % self.truncation == 0)

    def entering(self, x: torch.Tensor) -> torch.Tensor:
        """The rows of x (T, B, I) that are computed, (N, I). Those on padding are zero, because the cell's
        derivative might be infinite at what is there."""
        rows = self.rows
        if rows.full or rows.longest_first:
            return rows.pack(x)
        return torch.where(rows.valid, x, 0.0).flatten(0, 1)

    def begins(self, reverse: bool) -> torch.Tensor:
        """(N, 1): one where the state before the step is the initial one, else zero."""
        rows = self.rows
        first = torch.zeros((rows.steps, rows.batch, 1), dtype=rows.dtype, device=rows.device)
        if self.fresh:
            if not reverse:
                first[0] = 1
            elif rows.full:
                first[-1] = 1
            else:
                first.flatten(0, 1)[rows.last_index] = 1
        if self.resets is not None:
            first = torch.where(self.resets.mask, 1.0, first)
        return rows.pack(first)


OneStep = Callable[[torch.Tensor, torch.Tensor, LayerStates], LayerStates]
"""The state after a step, not checked, from u, h and the state before it."""


class LayerCell:
    """A layer's cell and weights, for one pass over a batch of `rows` rows. What the cell gives is checked; an
    error that its code raises names it.

    :param stepwise: whether inputs() and output(), too, are called step by step. :param mask: recurrent_mask of
        Reading, for advance().
    """

    def __init__(
        self,
        layer: CellDirection,
        rows: int,
        stepwise: bool = False,
        mask: torch.Tensor | None = None,
    ) -> None:
        self._mask = mask
        self.name, self.cell, self._hidden = layer.name, layer.cell, layer.hidden
        self._by_step = {key: factors.by_step(w, rows) for key, w in layer.weights.items()}
        kernel = step_kernel(self.name, "torch")
        self.step: OneStep = (
            partial(self.cell.step, XP, self._by_step) if kernel is None else partial(kernel, layer.weights)
        )
        self.affine = (
            isinstance(self.cell, AffineCell) and type(self.cell).step is AffineCell.step and not kernel
        )
        self._at_once = (
            self._by_step if stepwise else {key: factors.at_once(w) for key, w in layer.weights.items()}
        )

    @property
    def has_output(self) -> bool:
        """Whether its output is something else than the first part of its state."""
        return type(self.cell).output is not Cell.output

    def inputs(self, x: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
        """u (N, U) for x (N, I) and begins (N, 1)."""
        with naming_cell(self.name, "inputs()"):
            u = self.cell.inputs(XP, self._at_once, x, begins)
            if not isinstance(u, torch.Tensor) or u.shape[:-1] != x.shape[:1] or u.dtype != x.dtype:
                raise ContractError(f"gave {_described(u)}, must be {x.dtype} ({len(x)}, any)")
            return u

    def restarted(self, where: torch.Tensor, state: LayerStates) -> LayerStates:
        """The state, set to the initial values in the rows of `where` (B, 1)."""
        parts = zip(self.cell.state, state, strict=True)
        return tuple(torch.where(where, part.initial, values) for part, values in parts)

    def elements(self, u: torch.Tensor) -> tuple[LayerStates, LayerStates]:
        """a and b of an affine cell, parts (N, H)."""
        assert isinstance(self.cell, AffineCell)
        with naming_cell(self.name, "elements()"):
            a, b = self.cell.elements(XP, self._at_once, u)
            return self.checked(a, len(u), u.dtype), self.checked(b, len(u), u.dtype)

    def output(self, u: torch.Tensor, state: LayerStates) -> torch.Tensor:
        """y (N, H) after steps that read u (N, U) and left `state`, parts (N, H)."""
        if not self.has_output:
            return state[0]
        with naming_cell(self.name, "output()"):
            y = self.cell.output(XP, self._at_once, u, state)
            return self.checked((y,), len(u), u.dtype, count=1)[0]

    def advance(
        self, x: torch.Tensor, state: LayerStates, probe: torch.Tensor | None
    ) -> tuple[LayerStates, torch.Tensor]:
        """One step of rows x (B, I) that do not begin with it: the state, and the output y (B, H)."""
        u, mask = self.inputs(x, x.new_zeros((len(x), 1))), self._mask
        with naming_cell(self.name, "step()"):
            after = self.step(u, state[0] if mask is None else state[0] * mask, state)
            after = self.checked(after, len(x), x.dtype)
        if probe is not None:
            after = (after[0] + probe, *after[1:])
        return after, self.output(u, after)

    def checked(self, parts: object, rows: int, dtype: torch.dtype, count: int | None = None) -> LayerStates:
        """`parts`, if they are as many as the state's, (rows, H) and of this dtype."""
        wanted, shape = len(self.cell.state) if count is None else count, (rows, self._hidden)
        if not isinstance(parts, tuple) or len(parts) != wanted:
            given = f"{len(parts)} parts" if isinstance(parts, tuple) else type(parts).__name__
            raise ContractError(f"gave {given}, must be a tuple of {wanted}")
        for part in parts:
            if not isinstance(part, torch.Tensor) or part.shape != shape or part.dtype != dtype:
                raise ContractError(f"gave {_described(part)}, must be {dtype} {shape}")
        return parts


def _described(value: Array) -> str:
    if isinstance(value, torch.Tensor):
        return f"{value.dtype} {tuple(value.shape)}"
    return type(value).__name__


def run_layer(
    layer: CellDirection,
    x: torch.Tensor,
    reading: Reading,
    state: LayerStates,
    probe: list[torch.Tensor] | None,
    final: bool,
) -> tuple[torch.Tensor, LayerStates | None]:
    """y (T, B, H) for x (T, B, I), arbitrary on padding, and with `final` the state at each row's own end.

    Where the longest rows come first a step computes only the rows that have not ended. Otherwise a row's state
    is kept on its padding.
    """
    with record_function(CELL_LOOP):
        cell, rows = LayerCell(layer, len(state[0])), reading.rows
        u = cell.inputs(reading.entering(x), reading.begins(layer.reverse))
        step = _stepper(cell, u, rows.batch_sizes)
        with naming_cell(cell.name, "step()"):
            left, end = _loop(cell, step, reading, layer.reverse, state, probe)
        wanted = left if cell.has_output else [each[:1] for each in left]
        after = tuple(torch.cat(part) for part in zip(*wanted, strict=True))
        return rows.unpack(cell.output(u, after)), end if final else None


Stepper = Callable[[int, torch.Tensor, LayerStates], LayerStates]
"""The state after step t, from h and the state before it."""


def _stepper(cell: LayerCell, u: torch.Tensor, sizes: list[int]) -> Stepper:
    """Of an affine cell, a and b are computed at once for all steps."""
    if not cell.affine:
        by_step, one_step = u.split(sizes), cell.step
        return lambda t, h, state: one_step(by_step[t], h, state)
    a, b = (list(zip(*(part.split(sizes) for part in parts), strict=True)) for parts in cell.elements(u))
    if len(cell.cell.state) == 1:
        return lambda t, _, state: (torch.addcmul(b[t][0], a[t][0], state[0]),)
    return lambda t, _, state: affine_step(a[t], b[t], state)


def _loop(
    cell: LayerCell,
    step: Stepper,
    reading: Reading,
    reverse: bool,
    state: LayerStates,
    probe: list[torch.Tensor] | None,
) -> tuple[list[LayerStates], LayerStates]:
    """What each step left, in the order of time, and the state at each row's own end."""
    rows, initial = reading.rows, state
    sizes, live, mask = rows.batch_sizes, rows.live_steps, reading.recurrent_mask
    resets = None if reading.resets is None else reading.resets.by_step
    left: list[LayerStates] = [state] * rows.steps
    ended: list[LayerStates] = []
    order = range(rows.steps)[::-1] if reverse else range(rows.steps)
    if rows.full and not reading.truncation and resets is None and mask is None and probe is None:
        first, *others = order
        left[first] = state = cell.checked(step(first, state[0], state), rows.batch, initial[0].dtype)
        for t in others:  # nothing but steps: what is asked below takes as long as an operation
            left[t] = state = step(t, state[0], state)
        return left, state
    for t in order:
        if (known := len(state[0])) > (size := sizes[t]):
            if not reverse:
                ended.append(tuple(part[size:] for part in state))
            state = tuple(part[:size] for part in state)
        elif known < size:
            state = tuple(
                torch.cat([part, one[known:size]]) for part, one in zip(state, initial, strict=True)
            )
        if reading.detached(t):
            state = tuple(part.detach() for part in state)
        if resets is not None and (again := resets[t]) is not None:
            state = cell.restarted(again[:size], state)
        h = state[0] if mask is None else state[0] * mask[:size]
        after = step(t, h, state)
        if t == order[0]:
            cell.checked(after, size, h.dtype)
        if probe is not None:
            after = (after[0] + probe[t][:size], *after[1:])
        left[t] = after
        state = after if (valid := live[t]) is None else _kept(valid, after, state)
    end = tuple(torch.cat(part) for part in zip(state, *reversed(ended), strict=True)) if ended else state
    return left, end


def _kept(valid: torch.Tensor, after: LayerStates, before: LayerStates) -> LayerStates:
    """`after` where a step is valid, else `before`: not by a product, because a part may be infinite."""
    return tuple(torch.where(valid, new, old) for new, old in zip(after, before, strict=True))
