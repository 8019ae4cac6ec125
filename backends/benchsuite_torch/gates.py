"""One step of each cell with its derivative written by hand, for loops that autograd does not record.

Row vectors; B rows, H hidden units, G gates. A step takes gx = x Wx + b (B, G*H), gh = h Wh (for the gru
+ bh) and the state, and writes h' where it is told to. Formulas: benchsuite_torch.cells.

torch's tanh takes eight times the time of its sigmoid on a CPU, so tanh(y) = 1 - 2 sig(-2 y) is used. The
factor, an exact one, enters with the weights, once for all steps: see scaled().
"""

from __future__ import annotations

from typing import Protocol

import torch

Saved = tuple[torch.Tensor, ...]
"""What a step's backward pass needs."""

_ONE = torch.ones(())
_sigmoid_backward = torch.ops.aten.sigmoid_backward
_tanh_backward = torch.ops.aten.tanh_backward


class Gates(Protocol):
    """A cell. c is the lstm's; others hand through None. What bends by tanh comes times -2: in gx, and in gh
    unless the cell keeps the two apart (gru).

    bent  which of the gates that is
    """

    bent: int

    def forward(
        self,
        gx: torch.Tensor | None,
        gh: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        """Write h' (B, H) into `out`; the next c, and what backward() needs. gh is written over. gx may be None
        where the cell needs nothing but its sum with gh (rnn, lstm), and gh holds that already."""

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """From dL/dh' and dL/dc' (None: zero) write dL/dgx and dL/dgh, one tensor where they are equal and the
        caller likes (rnn, lstm); dL/dh but for its way through gh (None: zero), and dL/dc."""


class RnnGates:
    """h' = tanh(gx + gh) (Elman 1990)."""

    bent = 0

    def forward(
        self,
        gx: torch.Tensor | None,
        gh: torch.Tensor,
        h: torch.Tensor,  # noqa: ARG002
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        sums = gh if gx is None else gh.add_(gx)
        torch.sub(_ONE, sums.sigmoid_(), alpha=2, out=out)
        return c, (out,)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        _tanh_backward.grad_input(d, saved[0], grad_input=d_gx)
        if d_gh is not d_gx:
            d_gh.copy_(d_gx)
        return None, d_c


class LstmGates:
    """i, f, g, o; c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c') (Gers et al. 2000).

    Of g and c' the sigmoids of -2 times themselves are kept: with s the latter, y tanh = y - 2 y s, and the
    derivative of tanh is 4 s (1 - s).
    """

    bent = 2

    def forward(
        self,
        gx: torch.Tensor | None,
        gh: torch.Tensor,
        h: torch.Tensor,  # noqa: ARG002
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        assert c is not None
        sums = gh if gx is None else gh.add_(gx)
        i, f, g, o = sums.sigmoid_().chunk(4, 1)
        following = torch.addcmul(i, f, c).addcmul_(i, g, value=-2)
        bent = torch.mul(following, -2).sigmoid_()
        torch.addcmul(o, o, bent, value=-2, out=out)
        return following, (sums, c, bent)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        sums, c, bent = saved
        i, f, g, o = sums.chunk(4, 1)
        through = _sigmoid_backward(d * o, bent)
        d_c = through.mul_(4) if d_c is None else torch.add(d_c, through, alpha=4)
        hidden = c.shape[1]
        torch.addcmul(d_c, d_c, g, value=-2, out=d_gx[:, :hidden])
        torch.mul(d_c, c, out=d_gx[:, hidden : 2 * hidden])
        torch.mul(d_c, i, out=d_gx[:, 2 * hidden : 3 * hidden])
        torch.addcmul(d, d, bent, value=-2, out=d_gx[:, 3 * hidden :])
        _sigmoid_backward.grad_input(d_gx, sums, grad_input=d_gx)
        d_gx[:, 2 * hidden : 3 * hidden].mul_(4)
        if d_gh is not d_gx:
            d_gh.copy_(d_gx)
        return None, d_c.mul_(f)


class GruGates:
    """r, z, n; n = tanh(gx_n + r * gh_n); h' = n + z (h - n) (Cho et al. 2014, with reset after)."""

    bent = 2

    def forward(
        self,
        gx: torch.Tensor | None,
        gh: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        assert gx is not None
        hidden = h.shape[1]
        gates, gh_n = gh[:, : 2 * hidden], gh[:, 2 * hidden :]
        r, z = gates.add_(gx[:, : 2 * hidden]).sigmoid_().chunk(2, 1)
        n = torch.addcmul(gx[:, 2 * hidden :], r, gh_n, value=-2).sigmoid_()
        n = torch.sub(_ONE, n, alpha=2)
        apart = h - n
        torch.addcmul(n, z, apart, out=out)
        return c, (gates, gh_n, n, apart)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        gates, gh_n, n, apart = saved
        hidden = n.shape[1]
        r, z = gates.chunk(2, 1)
        kept = d * z
        d_n = d_gx[:, 2 * hidden :]
        _tanh_backward.grad_input(d - kept, n, grad_input=d_n)
        both = d_gx[:, : 2 * hidden]
        torch.mul(d_n, gh_n, out=both[:, :hidden])
        torch.mul(d, apart, out=both[:, hidden:])
        _sigmoid_backward.grad_input(both, gates, grad_input=both)
        d_gh[:, : 2 * hidden].copy_(both)
        torch.mul(d_n, r, out=d_gh[:, 2 * hidden :])
        return kept, d_c


def scaled(gates: Gates, weights: torch.Tensor, hidden: int) -> torch.Tensor:
    """A copy of weights (G*H, ...) or biases (G*H) with the rows that bend by tanh times -2."""
    found = weights.clone()
    found[gates.bent * hidden : (gates.bent + 1) * hidden] *= -2
    return found


GATES: dict[str, Gates] = {"rnn": RnnGates(), "lstm": LstmGates(), "gru": GruGates()}
