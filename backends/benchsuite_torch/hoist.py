"""The gradient of W_hh as one product over all steps, instead of one product and one sum a step."""

from __future__ import annotations

import torch

from benchsuite_torch.placement import Rows


class Recurrence:
    """What the steps of one layer and direction leave behind for the gradient of W_hh: every h_t, and which
    ones a backward layer zeroed before use."""

    def __init__(self, first: torch.Tensor, rows: Rows, reverse: bool) -> None:
        self.first, self.rows, self.reverse = first.detach(), rows, reverse
        self.emitted: torch.Tensor | None = None

    def weight_gradient(self, d: torch.Tensor) -> torch.Tensor:
        """sum_t d_t^T h_before_t (G*H, H) for d (steps, B, G*H): one product instead of one a step."""
        assert self.emitted is not None
        if self.reverse:
            before = self.emitted[1:]
            if not self.rows.full:
                before = before * self.rows.mask[1:]
            later, at_start = d[:-1], d[-1]
        else:
            before, later, at_start = self.emitted[:-1], d[1:], d[0]
        return torch.addmm(at_start.t() @ self.first, later.flatten(0, 1).t(), before.flatten(0, 1))


class Hoist(torch.autograd.Function):  # type: ignore[misc]
    """The identity on `base` (steps, B, G*H), to which every step adds h W_hh with W_hh detached: base_t has
    the gradient of that sum, so W_hh's is worked out here for all steps at once."""

    @staticmethod
    def forward(base: torch.Tensor, _: torch.Tensor, __: Recurrence) -> torch.Tensor:
        return base.view_as(base)

    @staticmethod
    def setup_context(
        ctx: torch.autograd.function.FunctionCtx,
        inputs: tuple[torch.Tensor, torch.Tensor, Recurrence],
        _: torch.Tensor,
    ) -> None:
        ctx.recurrence = inputs[2]

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        return d, ctx.recurrence.weight_gradient(d), None
