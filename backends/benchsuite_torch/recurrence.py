"""One layer read in one direction: the loop over its steps, forwards and backwards, written by hand.

Autograd would record every operation of every step, and add up the gradient of W_hh step by step. Here a step
is a product and a few passes in place, and the gradient of each weight is one product over all steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from benchsuite_torch.gates import GATES, Saved, Views, scaled
from benchsuite_torch.placement import Rows
from benchsuite_torch.products import across, linear, products
from benchsuite_torch.tanh import fastest_tanh


@dataclass
class Recurrence:
    """How a layer is read, and what the loop leaves behind.

    Of rows that come longest first a step computes those that are under way, and what lies behind a row's last
    step is zero. Of others it computes all: a row's state is zeroed until its last step is reached where the
    layer reads backwards, and what happens behind that, read forwards, cannot reach its valid outputs, so that
    nothing is masked there. Truncation detaches the state of every row; it cuts no path from the readout to a
    row that has ended.

    kept   whether a backward pass will follow
    cells  of an lstm c after every step, in the order of time, detached
    """

    cell: str
    rows: Rows
    reverse: bool
    truncation: int | None
    kept: bool = field(default_factory=torch.is_grad_enabled)
    cells: list[torch.Tensor] = field(default_factory=list)

    @property
    def order(self) -> range:
        steps = range(self.rows.steps)
        return steps[::-1] if self.reverse else steps

    @property
    def masks(self) -> list[torch.Tensor | None]:
        """By step (B, 1): zero for the rows that have not begun before it; None where all have."""
        rows = self.rows
        if not self.reverse or rows.falling:
            return [None] * rows.steps
        later = range(1, rows.steps + 1)
        return [rows.mask[t] if rows.shortest <= t < rows.steps else None for t in later]

    def detached(self, t: int) -> bool:
        """Whether the state that enters step t is cut off from the steps before."""
        return bool(self.truncation and t and t % self.truncation == 0)


class RecurrentLoop(torch.autograd.Function):  # type: ignore[misc]
    """Every h_t (T, B, H) of one layer in one direction, in the order of time."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        recurrence: Recurrence,
        x: torch.Tensor,
        w_ih: torch.Tensor,
        b_ih: torch.Tensor,
        w_hh: torch.Tensor,
        b_hh: torch.Tensor | None,
        probe: torch.Tensor | None,
        h: torch.Tensor,
        c: torch.Tensor | None,
    ) -> torch.Tensor:
        """
        x      (T, B, I), w_ih (G*H, I), b_ih (G*H)
        w_hh   (G*H, H); b_hh (G*H), of the gru
        probe  (T, B, H): zeros whose gradient is dL/dh_t, or None
        h, c   (B, H): the state before the first step
        """
        cell, rows, (width, hidden) = GATES[recurrence.cell], recurrence.rows, w_hh.shape
        read, counts, start = rows.computed(x), rows.counts, (h, c)
        tanh = fastest_tanh(rows.batch, hidden, x)
        projected = linear(read, scaled(cell, tanh, w_ih, hidden), scaled(cell, tanh, b_ih, hidden))
        by_step = products(rows.batch, hidden, width, x)
        w = by_step.prepare(scaled(cell, tanh, w_hh, hidden) if b_hh is None else w_hh)
        # views of all steps at once take a third of the time of views of each
        gx = _by_step(cell.views(projected), counts)
        in_place = b_hh is None and by_step.in_place
        outputs = x.new_empty((len(read), hidden))
        emitted = outputs.split(counts)
        saved: list[Saved] = [()] * len(counts)
        entered: list[torch.Tensor] = [h] * len(counts)
        recurrence.cells = [] if c is None else [c] * len(counts)
        masks, known = recurrence.masks, rows.batch
        for t in recurrence.order:
            if known != counts[t]:
                known = counts[t]
                h, c = _of(known, h, start[0]), None if c is None else _of(known, c, start[1])
            if (begun := masks[t]) is not None:
                h, c = h * begun, None if c is None else c * begun
            entered[t] = h
            if in_place:
                by_step.add(h, w, gx[t][0])
                c, needed = cell.forward(tanh, None, gx[t], h, c, emitted[t])
            elif b_hh is None:
                c, needed = cell.forward(
                    tanh, None, cell.views(by_step.add(h, w, gx[t][0])), h, c, emitted[t]
                )
            else:
                c, needed = cell.forward(
                    tanh, gx[t], cell.views(by_step.linear(h, w, b_hh)), h, c, emitted[t]
                )
            h = emitted[t]
            if c is not None:
                recurrence.cells[t] = c
            if recurrence.kept:
                saved[t] = needed
        ctx.recurrence, ctx.saved, ctx.probed = recurrence, saved, probe is not None
        ctx.shared, ctx.entered = b_hh is None, entered
        ctx.save_for_backward(outputs, read, w_ih, w_hh)
        return rows.spread(outputs)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        recurrence, (outputs, read, w_ih, w_hh) = ctx.recurrence, ctx.saved_tensors
        cell, rows, (width, hidden) = GATES[recurrence.cell], recurrence.rows, w_hh.shape
        counts, by_step = rows.counts, products(rows.batch, width, hidden, outputs)
        w_back = by_step.prepare(w_hh.t())
        d_gx = outputs.new_empty((len(outputs), width))
        d_gh = d_gx if ctx.shared else torch.empty_like(d_gx)
        d_probe = torch.empty_like(outputs) if ctx.probed else None
        given, to_gx = rows.computed(d).split(counts), _by_step(cell.views(d_gx), counts)
        to_gh = to_gx if ctx.shared else _by_step(cell.views(d_gh), counts)
        to_probe = () if d_probe is None else d_probe.split(counts)
        d_h: torch.Tensor | None = None
        d_c: torch.Tensor | None = None
        first, wanted = recurrence.order[0], ctx.needs_input_grad[7]
        masks = recurrence.masks
        for t in reversed(recurrence.order):
            if d_h is not None and d_h.shape[0] != counts[t]:
                d_h, d_c = _of(counts[t], d_h), None if d_c is None else _of(counts[t], d_c)
            d_out = given[t] if d_h is None else d_h.add_(given[t])
            if to_probe:
                to_probe[t].copy_(d_out)
            gx, gh = to_gx[t], to_gh[t]
            kept, d_c = cell.backward(d_out, d_c, ctx.saved[t], gx, gh)
            if recurrence.detached(t) or (t == first and not wanted):
                d_h = d_c = None
                continue
            d_h = by_step.linear(gh[0], w_back) if kept is None else by_step.add(gh[0], w_back, kept)
            if (begun := masks[t]) is not None:
                d_h, d_c = d_h.mul_(begun), None if d_c is None else d_c.mul_(begun)
        d_x = rows.spread(linear(d_gx, w_ih.t())) if ctx.needs_input_grad[1] else None
        d_ih, d_hh = across(d_gx, read), _recurrent_gradient(recurrence, d_gh, outputs, ctx.entered)
        b_ih, b_hh = d_gx.sum(0), None if ctx.shared else d_gh.sum(0)
        d_probe = None if d_probe is None else rows.spread(d_probe)
        return None, d_x, d_ih, b_ih, d_hh, b_hh, d_probe, d_h, d_c


def _by_step(views: Views, counts: list[int]) -> list[Views]:
    """Views (N, ...) of all steps as those of each."""
    return list(zip(*(view.split(counts) for view in views), strict=True))


def _of(count: int, state: torch.Tensor, start: torch.Tensor | None = None) -> torch.Tensor:
    """The first `count` rows of a state (n, H): cut where rows have ended; where there are more, theirs of
    `start`, or zero."""
    if (known := state.shape[0]) > count:
        return state[:count]
    if start is not None:
        return torch.cat([state, start[known:count]])
    return torch.nn.functional.pad(state, (0, 0, 0, count - known))


def _recurrent_gradient(
    recurrence: Recurrence, d: torch.Tensor, outputs: torch.Tensor, entered: list[torch.Tensor]
) -> torch.Tensor:
    """sum_t d_t^T h_t (G*H, H) for d (N, G*H) of all steps and the h_t that entered them, as one product."""
    rows, batch = recurrence.rows, recurrence.rows.batch
    if rows.falling or (recurrence.reverse and not rows.full):
        return across(d, torch.cat(entered))
    # the same, without a copy
    if recurrence.reverse:
        before, later, at_start = outputs[batch:], d[:-batch], d[-batch:]
    else:
        before, later, at_start = outputs[:-batch], d[batch:], d[:batch]
    return across(later, before).addmm_(at_start.t(), entered[recurrence.order[0]])
