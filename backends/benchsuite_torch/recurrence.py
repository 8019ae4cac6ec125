"""One layer read in one direction: the loop over its steps, forwards and backwards, written by hand.

Autograd would record every operation of every step, and add up the gradient of W_hh step by step. Here a step
is a product and a few passes in place, and the gradient of each weight is one product over all steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from benchsuite_torch.gates import GATES, Saved
from benchsuite_torch.placement import Rows


@dataclass
class Recurrence:
    """How a layer is read, and what the loop leaves behind.

    A row's state is zeroed until its last step is reached where the layer reads backwards. What happens behind
    a row's last step, read forwards, cannot reach its valid outputs, so nothing is masked there; and
    truncation, which detaches the state of every row, cuts no path from the readout to a row that has ended.

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

    def begun(self, t: int) -> torch.Tensor | None:
        """(B, 1): zero for the rows that have not begun before step t; None where there are none."""
        before = t + 1
        if self.reverse and self.rows.shortest <= before < self.rows.steps:
            return self.rows.mask[before]
        return None

    def detached(self, t: int) -> bool:
        """Whether the state that enters step t is cut off from the steps before."""
        return bool(self.truncation and t and t % self.truncation == 0)


class RecurrentLoop(torch.autograd.Function):  # type: ignore[misc]
    """Every h_t (T, B, H) of one layer in one direction, in the order of time."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        recurrence: Recurrence,
        projected: torch.Tensor,
        w_hh: torch.Tensor,
        b_hh: torch.Tensor | None,
        probe: torch.Tensor | None,
        h: torch.Tensor,
        c: torch.Tensor | None,
    ) -> torch.Tensor:
        """
        projected  (T, B, G*H): x Wx + b, written over by all cells but the gru
        w_hh       (G*H, H); b_hh (G*H), of the gru
        probe      (T, B, H): zeros whose gradient is dL/dh_t, or None
        h, c       (B, H): the state before the first step
        """
        gates = GATES[recurrence.cell]
        outputs = projected.new_empty((*projected.shape[:2], h.shape[1]))
        # views of an alias: were what the node keeps to lead back to its output, neither would ever be freed
        emitted, w = outputs.detach(), w_hh.t()
        saved: list[Saved] = [()] * len(projected)
        recurrence.cells = [] if c is None else [c] * len(projected)
        ctx.first = h
        for t in recurrence.order:
            if (begun := recurrence.begun(t)) is not None:
                h, c = h * begun, None if c is None else c * begun
            if b_hh is None:
                gx, gh = None, projected[t].addmm_(h, w)
            else:
                gx, gh = projected[t], torch.addmm(b_hh, h, w)
            c, needed = gates.forward(gx, gh, h, c, emitted[t])
            h = emitted[t]
            if c is not None:
                recurrence.cells[t] = c
            if recurrence.kept:
                saved[t] = needed
        ctx.recurrence, ctx.saved, ctx.probed = recurrence, saved, probe is not None
        ctx.shared = b_hh is None
        ctx.save_for_backward(outputs, w_hh)
        return outputs

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        recurrence, (outputs, w_hh) = ctx.recurrence, ctx.saved_tensors
        gates = GATES[recurrence.cell]
        d_gx = outputs.new_empty((*outputs.shape[:2], len(w_hh)))
        d_gh = d_gx if ctx.shared else torch.empty_like(d_gx)
        d_probe = torch.empty_like(outputs) if ctx.probed else None
        d_h: torch.Tensor | None = None
        d_c: torch.Tensor | None = None
        first, wanted = recurrence.order[0], ctx.needs_input_grad[5]
        for t in reversed(recurrence.order):
            d_out = d[t] if d_h is None else d_h.add_(d[t])
            if d_probe is not None:
                d_probe[t] = d_out
            gx = d_gx[t]
            gh = gx if ctx.shared else d_gh[t]
            kept, d_c = gates.backward(d_out, d_c, ctx.saved[t], gx, gh)
            if recurrence.detached(t) or (t == first and not wanted):
                d_h = d_c = None
                continue
            d_h = torch.mm(gh, w_hh) if kept is None else torch.addmm(kept, gh, w_hh)
            if (begun := recurrence.begun(t)) is not None:
                d_h, d_c = d_h.mul_(begun), None if d_c is None else d_c.mul_(begun)
        d_w = _weight_gradient(recurrence, d_gh, outputs, ctx.first)
        d_b = None if ctx.shared else d_gh.sum((0, 1))
        return None, d_gx, d_w, d_b, d_probe, d_h, d_c


def _weight_gradient(
    recurrence: Recurrence, d: torch.Tensor, outputs: torch.Tensor, first: torch.Tensor
) -> torch.Tensor:
    """sum_t d_t^T h_before_t (G*H, H) for d (T, B, G*H), as one product."""
    if recurrence.reverse:
        before, later, at_start = outputs[1:], d[:-1], d[-1]
        if not recurrence.rows.full:
            before = before * recurrence.rows.mask[1:]
    else:
        before, later, at_start = outputs[:-1], d[1:], d[0]
    return torch.addmm(at_start.t() @ first, later.flatten(0, 1).t(), before.flatten(0, 1))
