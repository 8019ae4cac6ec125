"""One step of each cell with its derivative written by hand, for loops that autograd does not record.

Row vectors; B rows, H hidden units, G gates. A step takes gx = x Wx + b (B, G*H), gh = h Wh (for the gru
+ bh) and the state, and stores h' where it is told to. Formulas: benchsuite_torch.cells.

Pre-activations that go through tanh come multiplied by Tanh.factor (benchsuite_torch.tanh), which enters with
the weights, once for all steps: see scaled().
"""

from __future__ import annotations

from typing import Protocol

import torch

from benchsuite_torch.tanh import Tanh

Saved = tuple[torch.Tensor, ...]
"""What a step's backward pass needs."""
Views = tuple[torch.Tensor, ...]
"""Pre-activations (B, G*H), or their gradients, and the column blocks of them that a cell works on."""

_sigmoid_backward = torch.ops.aten.sigmoid_backward
_tanh_backward = torch.ops.aten.tanh_backward


class Gates(Protocol):
    """A cell. c is the lstm's; the others pass None through. The pre-activations of the gate that goes through
    tanh are scaled: in gx, and in gh unless the cell keeps the two apart (gru).

    tanh_gate  which of the gates that is
    """

    tanh_gate: int

    def views(self, gates: torch.Tensor) -> Views:
        """The column blocks of gates (N, G*H) that forward() and backward() want, the whole of it first."""

    def forward(
        self,
        tanh: Tanh,
        gx: Views | None,
        gh: Views,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        """Store h' (B, H) in `out`; return the next c, and what backward() needs. gh is overwritten. gx may be
        None where the cell needs only its sum with gh (rnn, lstm), and gh holds that sum already."""

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: Views, d_gh: Views
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """From dL/dh' and dL/dc' (None: zero) store dL/dgx and dL/dgh, with respect to the pre-activations
        before any scaling; d_gx and d_gh may be the same views where the two are equal (rnn, lstm). Returns
        dL/dh without its path through gh (None: zero), and dL/dc."""


def scaled(gates: Gates, tanh: Tanh, weights: torch.Tensor, hidden: int) -> torch.Tensor:
    """Weights (G*H, ...) or biases (G*H), the rows of the gate that goes through tanh times its factor."""
    if tanh.factor == 1:
        return weights
    copied = weights.clone()
    copied[gates.tanh_gate * hidden : (gates.tanh_gate + 1) * hidden] *= tanh.factor
    return copied


class RnnGates:
    """h' = tanh(gx + gh) (Elman 1990)."""

    tanh_gate = 0

    def views(self, gates: torch.Tensor) -> Views:
        return (gates,)

    def forward(
        self,
        tanh: Tanh,
        gx: Views | None,
        gh: Views,
        h: torch.Tensor,  # noqa: ARG002
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        tanh.prescaled(gh[0] if gx is None else gh[0].add_(gx[0]), out)
        return c, (out,)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: Views, d_gh: Views
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        _tanh_backward.grad_input(d, saved[0], grad_input=d_gx[0])
        if d_gh is not d_gx:
            d_gh[0].copy_(d_gx[0])
        return None, d_c


class LstmGates:
    """i, f, g, o; c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c') (Gers et al. 2000)."""

    tanh_gate = 2

    def views(self, gates: torch.Tensor) -> Views:
        return gates, *gates.chunk(4, 1)

    def forward(
        self,
        tanh: Tanh,
        gx: Views | None,
        gh: Views,
        h: torch.Tensor,  # noqa: ARG002
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        assert c is not None
        sums, i, f, z, o = gh
        if gx is not None:
            sums.add_(gx[0])
        g = tanh.prescaled(z, torch.empty_like(c))
        sums.sigmoid_()  # all four at once; g's part is not read again
        following = torch.mul(f, c).addcmul_(i, g)
        tanh_c = tanh(following, torch.empty_like(c))
        torch.mul(o, tanh_c, out=out)
        return following, (sums, i, f, g, o, c, tanh_c)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: Views, d_gh: Views
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        sums, i, f, g, o, c, tanh_c = saved
        every, d_i, d_f, d_g, d_o = d_gx
        through_h = _tanh_backward(torch.mul(d, o), tanh_c)
        d_c = through_h if d_c is None else d_c.add_(through_h)
        torch.mul(d_c, g, out=d_i)
        torch.mul(d_c, c, out=d_f)
        torch.mul(d, tanh_c, out=d_o)
        _sigmoid_backward.grad_input(every, sums, grad_input=every)  # g's part is overwritten next
        _tanh_backward.grad_input(torch.mul(d_c, i), g, grad_input=d_g)
        if d_gh is not d_gx:
            d_gh[0].copy_(every)
        return None, d_c.mul_(f)


class GruGates:
    """r, z, n; n = tanh(gx_n + r * gh_n); h' = n + z (h - n) (Cho et al. 2014, with reset after)."""

    tanh_gate = 2

    def views(self, gates: torch.Tensor) -> Views:
        r, z, n = gates.chunk(3, 1)
        return gates, gates[:, : 2 * n.shape[1]], r, z, n

    def forward(
        self,
        tanh: Tanh,
        gx: Views | None,
        gh: Views,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        assert gx is not None
        _, gates, r, z, gh_n = gh
        gates.add_(gx[1]).sigmoid_()
        n = torch.addcmul(gx[4], r, gh_n, value=tanh.factor)
        tanh.prescaled(n, n)
        difference = torch.sub(h, n)
        torch.addcmul(n, z, difference, out=out)
        return c, (gates, r, z, gh_n, n, difference)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: Views, d_gh: Views
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        gates, r, z, gh_n, n, difference = saved
        _, both, d_r, d_z, d_n = d_gx
        through_z = torch.mul(d, z)
        _tanh_backward.grad_input(torch.sub(d, through_z), n, grad_input=d_n)
        torch.mul(d_n, gh_n, out=d_r)
        torch.mul(d, difference, out=d_z)
        _sigmoid_backward.grad_input(both, gates, grad_input=both)
        d_gh[1].copy_(both)
        torch.mul(d_n, r, out=d_gh[4])
        return through_z, d_c


GATES: dict[str, Gates] = {"rnn": RnnGates(), "lstm": LstmGates(), "gru": GruGates()}
