"""One layer read in one direction: the loop over its steps, forward and backward, written by hand.

Autograd would record every operation of every step, and add up the gradient of W_hh step by step. Here a step
is one product and a few passes in place, and the gradient of each weight is one product over all steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from benchsuite_torch.kernels.cell_steps import CELL_STEPS, Saved, Views, scaled
from benchsuite_torch.kernels.matmul import chosen_matmul, linear, weight_grad
from benchsuite_torch.kernels.tanh import chosen_tanh
from benchsuite_torch.placement import RowLengths


@dataclass
class LoopConfig:
    """How a layer is read, and what the loop leaves behind.

    Where the longest rows come first, a step computes only the rows that have not ended, and outputs beyond a
    row's last step are zero. Otherwise it computes all rows: read backward, a row's state is set to zero
    until its last step is reached; read forward, nothing is masked, because what happens beyond a row's last
    step cannot reach its valid outputs. Truncation detaches the state of every row; it cuts no path from the
    readout to a row that has ended.

    for_backward  whether a backward pass will follow
    cells         an lstm's c after every step, in the order of time, detached
    """

    cell: str
    rows: RowLengths
    reverse: bool
    truncation: int | None
    for_backward: bool = field(default_factory=torch.is_grad_enabled)
    cells: list[torch.Tensor] = field(default_factory=list)

    @property
    def order(self) -> range:
        """The steps, in the order they are computed."""
        steps = range(self.rows.steps)
        return steps[::-1] if self.reverse else steps

    @property
    def masks(self) -> list[torch.Tensor | None]:
        """For each step (B, 1): zero for the rows that have not begun before it; None where all have."""
        return self.rows.begun_masks if self.reverse else [None] * self.rows.steps

    def detached(self, t: int) -> bool:
        """Whether the state that enters step t is cut off from the steps before."""
        return bool(self.truncation and t and t % self.truncation == 0)


class RecurrentLoop(torch.autograd.Function):  # type: ignore[misc]
    """Every h_t (T, B, H) of one layer in one direction, in the order of time."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        config: LoopConfig,
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
        cell, rows, (width, hidden) = CELL_STEPS[config.cell], config.rows, w_hh.shape
        tanh = chosen_tanh(rows.batch, hidden, x)
        packed, sizes, initial = rows.pack(x), rows.batch_sizes, (h, c)
        projected = linear(packed, scaled(cell, tanh, w_ih, hidden), scaled(cell, tanh, b_ih, hidden))
        matmul = chosen_matmul(rows.batch, hidden, width, x)
        w = matmul.prepare(scaled(cell, tanh, w_hh, hidden) if b_hh is None else w_hh)
        # views of all steps at once take a third of the time of views of each
        gx = _by_step(cell.views(projected), sizes)
        in_place = b_hh is None and matmul.in_place
        outputs = x.new_empty((len(packed), hidden))
        h_after = outputs.split(sizes)
        saved: list[Saved] = [()] * len(sizes)
        h_before: list[torch.Tensor] = [h] * len(sizes)
        config.cells = [] if c is None else [c] * len(sizes)
        masks, size = config.masks, rows.batch
        for t in config.order:
            if size != sizes[t]:
                size = sizes[t]
                h, c = _resized(h, size, initial[0]), None if c is None else _resized(c, size, initial[1])
            if (mask := masks[t]) is not None:
                h, c = h * mask, None if c is None else c * mask
            h_before[t] = h
            if in_place:
                matmul.add(h, w, gx[t][0])
                c, needed = cell.forward(tanh, None, gx[t], h, c, h_after[t])
            elif b_hh is None:
                sums = cell.views(matmul.add(h, w, gx[t][0]))
                c, needed = cell.forward(tanh, None, sums, h, c, h_after[t])
            else:
                gh = cell.views(matmul.linear(h, w, b_hh))
                c, needed = cell.forward(tanh, gx[t], gh, h, c, h_after[t])
            h = h_after[t]
            if c is not None:
                config.cells[t] = c
            if config.for_backward:
                saved[t] = needed
        ctx.config, ctx.saved, ctx.h_before = config, saved, h_before
        ctx.probed, ctx.one_bias = probe is not None, b_hh is None
        ctx.save_for_backward(outputs, packed, w_ih, w_hh)
        return rows.unpack(outputs)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        config, (outputs, packed, w_ih, w_hh) = ctx.config, ctx.saved_tensors
        cell, rows, (width, hidden) = CELL_STEPS[config.cell], config.rows, w_hh.shape
        sizes, matmul = rows.batch_sizes, chosen_matmul(rows.batch, width, hidden, outputs)
        w_back = matmul.prepare(w_hh.t())
        # dL/dgx and dL/dgh are equal where the cell only sees their sum
        d_gx = outputs.new_empty((len(outputs), width))
        d_gh = d_gx if ctx.one_bias else torch.empty_like(d_gx)
        d_probe = torch.empty_like(outputs) if ctx.probed else None
        d_outputs, d_gx_by_step = rows.pack(d).split(sizes), _by_step(cell.views(d_gx), sizes)
        d_gh_by_step = d_gx_by_step if ctx.one_bias else _by_step(cell.views(d_gh), sizes)
        d_probe_by_step = () if d_probe is None else d_probe.split(sizes)
        d_h: torch.Tensor | None = None
        d_c: torch.Tensor | None = None
        first, initial_needed = config.order[0], ctx.needs_input_grad[7]
        masks = config.masks
        for t in reversed(config.order):
            if d_h is not None and d_h.shape[0] != sizes[t]:
                d_h, d_c = _resized(d_h, sizes[t]), None if d_c is None else _resized(d_c, sizes[t])
            d_out = d_outputs[t] if d_h is None else d_h.add_(d_outputs[t])
            if d_probe_by_step:
                d_probe_by_step[t].copy_(d_out)
            gx, gh = d_gx_by_step[t], d_gh_by_step[t]
            direct, d_c = cell.backward(d_out, d_c, ctx.saved[t], gx, gh)
            if config.detached(t) or (t == first and not initial_needed):
                d_h = d_c = None
                continue
            d_h = matmul.linear(gh[0], w_back) if direct is None else matmul.add(gh[0], w_back, direct)
            if (mask := masks[t]) is not None:
                d_h, d_c = d_h.mul_(mask), None if d_c is None else d_c.mul_(mask)
        d_x = rows.unpack(linear(d_gx, w_ih.t())) if ctx.needs_input_grad[1] else None
        d_w_ih, d_w_hh = weight_grad(d_gx, packed), _recurrent_grad(config, d_gh, outputs, ctx.h_before)
        d_b_ih, d_b_hh = d_gx.sum(0), None if ctx.one_bias else d_gh.sum(0)
        d_probe = None if d_probe is None else rows.unpack(d_probe)
        return None, d_x, d_w_ih, d_b_ih, d_w_hh, d_b_hh, d_probe, d_h, d_c


def _by_step(views: Views, sizes: list[int]) -> list[Views]:
    """Views (N, ...) of all steps as those of each step."""
    return list(zip(*(view.split(sizes) for view in views), strict=True))


def _resized(state: torch.Tensor, size: int, initial: torch.Tensor | None = None) -> torch.Tensor:
    """The first `size` rows of a state (n, H). More rows than n begin with those of `initial`, or with zero."""
    if (known := state.shape[0]) > size:
        return state[:size]
    if initial is not None:
        return torch.cat([state, initial[known:size]])
    return torch.nn.functional.pad(state, (0, 0, 0, size - known))


def _recurrent_grad(
    config: LoopConfig, d: torch.Tensor, outputs: torch.Tensor, h_before: list[torch.Tensor]
) -> torch.Tensor:
    """sum_t d_t^T h_t (G*H, H) for d (N, G*H) of all steps and the h_t that entered them, as one product."""
    rows, batch = config.rows, config.rows.batch
    if rows.longest_first or (config.reverse and not rows.full):
        return weight_grad(d, torch.cat(h_before))
    # the same, without a copy
    if config.reverse:
        before, later, at_start = outputs[batch:], d[:-batch], d[-batch:]
    else:
        before, later, at_start = outputs[:-batch], d[batch:], d[:batch]
    return weight_grad(later, before).addmm_(at_start.t(), h_before[config.order[0]])
