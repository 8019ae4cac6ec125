"""One step of each cell with its derivative written by hand, for loops that autograd does not record.

Row vectors; B rows, H hidden units, G gates. A step takes gx = x Wx + b (B, G*H), gh = h Wh (for the gru
+ bh) and the state, and writes h' where it is told to. Formulas: benchsuite_torch.cells.
"""

from __future__ import annotations

from typing import Protocol

import torch

Saved = tuple[torch.Tensor, ...]
"""What a step's backward pass needs."""

_sigmoid_backward = torch.ops.aten.sigmoid_backward
_tanh_backward = torch.ops.aten.tanh_backward


class Gates(Protocol):
    """A cell. c is the lstm's; others hand through None."""

    def forward(
        self,
        gx: torch.Tensor,
        gh: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        """Write h' (B, H) into `out`; the next c, and what backward() needs. gh may be written over."""

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """From dL/dh' and dL/dc' write dL/dgx and dL/dgh; dL/dh but for its way through gh (None: zero), and
        dL/dc."""


class RnnGates:
    """h' = tanh(gx + gh)."""

    def forward(
        self,
        gx: torch.Tensor,
        gh: torch.Tensor,
        h: torch.Tensor,  # noqa: ARG002
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        torch.tanh(gh.add_(gx), out=out)
        return c, (out,)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        _tanh_backward.grad_input(d, saved[0], grad_input=d_gx)
        d_gh.copy_(d_gx)
        return None, d_c


class LstmGates:
    """i, f, g, o; c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c')."""

    def forward(
        self,
        gx: torch.Tensor,
        gh: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        assert c is not None
        sums, hidden = gh.add_(gx), h.shape[1]
        sums[:, : 2 * hidden].sigmoid_()
        sums[:, 2 * hidden : 3 * hidden].tanh_()
        sums[:, 3 * hidden :].sigmoid_()
        i, f, g, o = sums.chunk(4, 1)
        following = torch.addcmul(f * c, i, g)
        bent = following.tanh()
        torch.mul(o, bent, out=out)
        return following, (sums, c, bent)

    def backward(
        self, d: torch.Tensor, d_c: torch.Tensor | None, saved: Saved, d_gx: torch.Tensor, d_gh: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        assert d_c is not None
        sums, c, bent = saved
        i, f, g, o = sums.chunk(4, 1)
        d_c = d_c + _tanh_backward(d * o, bent)
        hidden = c.shape[1]
        torch.mul(d_c, g, out=d_gx[:, :hidden])
        torch.mul(d_c, c, out=d_gx[:, hidden : 2 * hidden])
        both = d_gx[:, : 2 * hidden]
        _sigmoid_backward.grad_input(both, sums[:, : 2 * hidden], grad_input=both)
        _tanh_backward.grad_input(d_c * i, g, grad_input=d_gx[:, 2 * hidden : 3 * hidden])
        _sigmoid_backward.grad_input(d * bent, o, grad_input=d_gx[:, 3 * hidden :])
        d_gh.copy_(d_gx)
        return None, d_c.mul_(f)


class GruGates:
    """r, z, n; n = tanh(gx_n + r * gh_n); h' = n + z (h - n)."""

    def forward(
        self,
        gx: torch.Tensor,
        gh: torch.Tensor,
        h: torch.Tensor,
        c: torch.Tensor | None,
        out: torch.Tensor,
    ) -> tuple[torch.Tensor | None, Saved]:
        hidden = h.shape[1]
        gates, gh_n = gh[:, : 2 * hidden], gh[:, 2 * hidden :]
        r, z = gates.add_(gx[:, : 2 * hidden]).sigmoid_().chunk(2, 1)
        n = torch.addcmul(gx[:, 2 * hidden :], r, gh_n).tanh_()
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


GATES: dict[str, Gates] = {"rnn": RnnGates(), "lstm": LstmGates(), "gru": GruGates()}
