"""A decoder with additive attention: the loop over its steps, forwards and backwards, written by hand.

The next step's input needs this step's attention, so no fused layer can run it. What a loop recorded by
autograd would do at every step is done here once: the gradient of each weight is one product over all steps,
the embedded tokens enter by one product, and the (B, T, A) activations, of which every step has its own,
are not kept but worked out again in the backward pass.

tanh(x) = 2 sig(2 x) - 1, so that e = v . tanh(q + k) = 2 v . sig(2 q + 2 k) - sum(v): softmax does not see the
constant, a factor of two is exact, and torch's sigmoid takes a tenth of the time of its tanh on a CPU, at the
same accuracy. `q2` and `k2` below are the doubled sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from benchsuite_torch.gates import GATES, Gates, Saved, scaled
from benchsuite_torch.products import across, add, linear
from benchsuite_torch.tanh import fastest_tanh

_sigmoid_backward = torch.ops.aten.sigmoid_backward


@dataclass(frozen=True)
class Additive:
    """The tensors of an additive attention over B rows of T steps.

    memory  (B, T, F): what is attended to
    k2      (B, T, A), or (B, 1, T, A) for several queries a row: twice its keys
    barred  (B, T), or (B, 1, T): zero on real steps, minus infinity on padding; None where all are real
    v2      (A,): twice attn.v
    """

    memory: torch.Tensor
    k2: torch.Tensor
    barred: torch.Tensor | None
    v2: torch.Tensor

    def activations(self, q2: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """sig(q2 + k2) (B, ..., T, A) for doubled queries q2 (B, ..., 1, A)."""
        return torch.add(self.k2, q2, out=out).sigmoid_()

    def weights(self, activations: torch.Tensor) -> torch.Tensor:
        """a (..., T) of the activations (..., T, A)."""
        e = activations @ self.v2
        return (e if self.barred is None else e.add_(self.barred)).softmax(-1)


class AdditiveLoop(torch.autograd.Function):  # type: ignore[misc]
    """Every [h_t; context_t] of the top layer, (U, B, H + F)."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        cell: str,
        barred: torch.Tensor | None,
        projected: torch.Tensor,
        memory: torch.Tensor,
        keys: torch.Tensor,
        first: torch.Tensor,
        probe: torch.Tensor | None,
        w_q: torch.Tensor,
        v: torch.Tensor,
        w_c: torch.Tensor,
        *layers: torch.Tensor | None,
    ) -> torch.Tensor:
        """U steps of B rows, L layers of H units, memory of T steps and width F, attention A wide.

        projected  (U, B, G*H): the first layer's sums but for the context's part, bias included
        memory     (B, T, F), keys (B, T, A) = memory attn.Wk + attn.b, barred (B, T) or None
        first      (L, B, H): s_0. probe (L, U, B, H): zeros whose gradient is dL/dh_t of each layer, or None
        w_q        (A, H), v (A,), w_c (G*H, F): the context's columns of the first layer's weights
        layers     w_hh and b_hh (None but for the gru) of each layer, and w_ih and b_ih of each but the first
        """
        loop = _Loop(cell, Additive(memory, 2 * keys, barred, 2 * v), w_q, w_c, layers, first)
        wanted = any(ctx.needs_input_grad)
        features = loop.run(projected, wanted)
        ctx.loop = loop if wanted else None
        ctx.save_for_backward(features)
        ctx.probed = probe is not None
        return features

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        return (None, None, *ctx.loop.run_back(ctx.saved_tensors[0], d, ctx.probed))


class _Loop:
    """The state that forward and backward pass share."""

    def __init__(
        self,
        cell: str,
        attention: Additive,
        w_q: torch.Tensor,
        w_c: torch.Tensor,
        layers: tuple[torch.Tensor | None, ...],
        first: torch.Tensor,
    ) -> None:
        self.gates: Gates = GATES[cell]
        self.tanh = fastest_tanh(*first.shape[1:], first)
        self.attention, self.w_c, self.first, self.carries = attention, w_c, first, cell == "lstm"
        count = len(first)
        self.hidden = first.shape[2]
        own, upper = layers[: 2 * count], layers[2 * count :]
        self.w_hh: list[torch.Tensor] = [w for w in own[::2] if w is not None]
        self.b_hh = list(own[1::2])
        self.w_ih = [w for w in upper[::2] if w is not None]  # of the second layer and those above
        self.b_ih = [b for b in upper[1::2] if b is not None]
        # the query reads what the top layer's recurrence reads: one product gives both
        self.w_hh[-1] = torch.cat([self.w_hh[-1], 2 * w_q])
        if (b := self.b_hh[-1]) is not None:
            self.b_hh[-1] = torch.cat([b, b.new_zeros(len(w_q))])
        self.width = self.w_hh[0].shape[0] if count > 1 else self.w_hh[0].shape[0] - len(w_q)
        self.lower: list[torch.Tensor] = []
        self.saved: list[list[Saved]] = []
        self.q2: list[torch.Tensor] = []
        self.a: torch.Tensor

    def run(self, projected: torch.Tensor, keep: bool) -> torch.Tensor:
        """Features (U, B, H + F); with `keep`, what the backward pass needs stays here."""
        steps, batch = projected.shape[:2]
        attention, memory, hidden = self.attention, self.attention.memory, self.hidden
        features = projected.new_empty((steps, batch, hidden + memory.shape[2]))
        self.lower = [projected.new_empty((steps, batch, hidden)) for _ in self.first[1:]]
        # views of an alias: were what the node keeps to lead back to its output, neither would ever be freed
        emitted = [*self.lower, features.detach()[:, :, :hidden]]
        self.a = projected.new_empty((steps, batch, memory.shape[1]))
        scratch = torch.empty_like(attention.k2)
        h = list(self.first)
        c = [torch.zeros_like(one) if self.carries else None for one in h]
        own = [self._scaled(w) if b is None else w for w, b in zip(self.w_hh, self.b_hh, strict=True)]
        w_c = self._scaled(self.w_c)
        upper = [(self._scaled(w), self._scaled(b)) for w, b in zip(self.w_ih, self.b_ih, strict=True)]
        projected = projected.clone()
        projected.unflatten(2, (-1, hidden))[:, :, self.gates.tanh_gate].mul_(self.tanh.factor)
        for t in range(steps):
            sums = [linear(one, w, b) for one, w, b in zip(h, own, self.b_hh, strict=True)]
            q2 = sums[-1][:, self.width :]
            a = attention.weights(attention.activations(q2[:, None], scratch))
            context = torch.bmm(a[:, None], memory)[:, 0]
            features[t, :, hidden:] = context
            gx = add(projected[t], context, w_c)
            kept = []
            for layer, gh in enumerate(sums):
                if layer:
                    gx = linear(h[layer - 1], *upper[layer - 1])
                out = emitted[layer][t]
                gx_views, gh_views = self.gates.views(gx), self.gates.views(gh[:, : self.width])
                c[layer], saved = self.gates.forward(self.tanh, gx_views, gh_views, h[layer], c[layer], out)
                h[layer] = out
                kept.append(saved)
            if keep:
                self.a[t] = a
                self.q2.append(q2)
                self.saved.append(kept)
        return features

    def _scaled(self, weights: torch.Tensor) -> torch.Tensor:
        return scaled(self.gates, self.tanh, weights, self.hidden)

    def run_back(
        self, features: torch.Tensor, d: torch.Tensor, probed: bool
    ) -> tuple[torch.Tensor | None, ...]:
        """Gradients of forward()'s arguments from `projected` on, given dL/dfeatures."""
        steps, batch = features.shape[:2]
        attention, hidden, top = self.attention, self.hidden, len(self.first) - 1
        d_gx = [features.new_empty((steps, batch, self.width)) for _ in self.first]
        d_gh = [features.new_empty((steps, batch, len(w))) for w in self.w_hh]
        d_h = [torch.zeros_like(one) for one in self.first]
        d_c = [torch.zeros_like(one) if self.carries else None for one in self.first]
        d_context = d[:, :, hidden:].clone()
        d_k, d_v = torch.zeros_like(attention.k2), torch.zeros_like(attention.v2)
        scratch, transposed = torch.empty_like(attention.k2), attention.memory.transpose(1, 2)
        d_probe = features.new_empty((top + 1, steps, batch, hidden)) if probed else None
        for t in range(steps - 1, -1, -1):
            d_out = d_h[top].add_(d[t, :, :hidden])
            for layer in range(top, -1, -1):
                if d_probe is not None:
                    d_probe[layer, t] = d_out
                gx, gh = d_gx[layer][t], d_gh[layer][t]
                gx_views, gh_views = self.gates.views(gx), self.gates.views(gh[:, : self.width])
                kept, d_c[layer] = self.gates.backward(
                    d_out, d_c[layer], self.saved[t][layer], gx_views, gh_views
                )
                d_h[layer] = kept if layer == top else _through(kept, gh, self.w_hh[layer])
                if layer:
                    d_out = add(d_h[layer - 1], gx, self.w_ih[layer - 1].t())
            d_context[t] = context = add(d_context[t], d_gx[0][t], self.w_c.t())
            d_a = torch.bmm(context[:, None], transposed)[:, 0].mul_(self.a[t])
            d_e = d_a.addcmul_(self.a[t], d_a.sum(1, keepdim=True), value=-1)
            # sig(q2 + k2) again: keeping every step's would fill U times the memory
            active = attention.activations(self.q2[t][:, None], scratch)
            d_v.addmv_(active.flatten(0, 1).t(), d_e.flatten())
            _sigmoid_backward.grad_input(d_e[..., None].expand_as(active), active, grad_input=active)
            d_k += active
            torch.mul(active.sum(1), attention.v2, out=d_gh[top][t][:, self.width :])
            d_h[top] = _through(d_h[top], d_gh[top][t], self.w_hh[top])
        return self._gathered(features, d_gx, d_gh, torch.stack(d_h), d_context, d_k, d_v, d_probe)

    def _gathered(
        self,
        features: torch.Tensor,
        d_gx: list[torch.Tensor],
        d_gh: list[torch.Tensor],
        d_first: torch.Tensor,
        d_context: torch.Tensor,
        d_k: torch.Tensor,
        d_v: torch.Tensor,
        d_probe: torch.Tensor | None,
    ) -> tuple[torch.Tensor | None, ...]:
        """Each weight's gradient as one product over all steps."""
        hidden, width, top = self.hidden, self.width, len(self.first) - 1
        emitted = [*self.lower, features[:, :, :hidden]]
        d_memory = torch.bmm(self.a.permute(1, 2, 0), d_context.transpose(0, 1))
        d_w_c = across(d_gx[0].flatten(0, 1), features[:, :, hidden:].flatten(0, 1))
        d_w_hh = []
        for first, h, d in zip(self.first, emitted, d_gh, strict=True):
            later = across(d[1:].flatten(0, 1), h[:-1].flatten(0, 1))
            d_w_hh.append(later.addmm_(d[0].t(), first))
        found: list[torch.Tensor | None] = []
        for layer, b in enumerate(self.b_hh):
            d_b = None if b is None else d_gh[layer][:, :, :width].sum((0, 1))
            found += [d_w_hh[layer][:width], d_b]
        for layer in range(1, top + 1):
            flat = d_gx[layer].flatten(0, 1)
            found += [across(flat, emitted[layer - 1].flatten(0, 1)), flat.sum(0)]
        d_w_q = d_w_hh[top][width:].mul(2)
        d_keys = d_k.mul_(2 * self.attention.v2)
        return d_gx[0], d_memory, d_keys, d_first, d_probe, d_w_q, 2 * d_v, d_w_c, *found


def _through(kept: torch.Tensor | None, d: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """dL/dh: what the cell hands back directly, and the way through d = dL/d(h w^T)."""
    return linear(d, w.t()) if kept is None else add(kept, d, w.t())
