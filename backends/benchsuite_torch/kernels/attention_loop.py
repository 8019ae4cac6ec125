"""A decoder with additive attention: the loop over its steps, forward and backward, written by hand.

The next step's input needs this step's attention, so no fused layer can run it. What a loop recorded by
autograd would do at every step is done here once: the gradient of each weight is one product over all steps,
the embedded tokens enter by one product, and the (B, T, A) activations, of which every step has its own, are
not kept but computed again in the backward pass. Queries, keys and v are doubled: see
benchsuite_torch.attention.
"""

from __future__ import annotations

import torch

from benchsuite_torch.attention import AdditiveAttention
from benchsuite_torch.kernels.cell_steps import CELL_STEPS, CellStep, Saved, scaled
from benchsuite_torch.kernels.matmul import add, linear, weight_grad
from benchsuite_torch.kernels.tanh import chosen_tanh

_sigmoid_backward = torch.ops.aten.sigmoid_backward


class AdditiveLoop(torch.autograd.Function):  # type: ignore[misc]
    """Every [h_t; context_t] of the top layer, (U, B, H + F)."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        cell: str,
        score_mask: torch.Tensor | None,
        projected: torch.Tensor,
        memory: torch.Tensor,
        keys: torch.Tensor,
        initial: torch.Tensor,
        probe: torch.Tensor | None,
        w_q: torch.Tensor,
        v: torch.Tensor,
        w_c: torch.Tensor,
        *layers: torch.Tensor | None,
    ) -> torch.Tensor:
        """U steps of B rows, L layers of H units, memory of T steps and width F, attention A wide.

        projected  (U, B, G*H): the first layer's sums without the context's part, bias included
        memory     (B, T, F), keys (B, T, A) = memory attn.Wk + attn.b, score_mask (B, T) or None
        initial    (L, B, H): s_0
        probe      (L, U, B, H): zeros whose gradient is dL/dh_t of each layer, or None
        w_q        (A, H), v (A,), w_c (G*H, F): the context's columns of the first layer's weights
        layers     w_hh and b_hh (None except for the gru) of each layer, w_ih and b_ih of each but the first
        """
        attention = AdditiveAttention(memory, 2 * keys, score_mask, 2 * v)
        decoder = AttentionDecoder(cell, attention, w_q, w_c, layers, initial)
        needed = any(ctx.needs_input_grad)
        features = decoder.forward(projected, needed)
        ctx.decoder = decoder if needed else None
        ctx.save_for_backward(features)
        ctx.probed = probe is not None
        return features

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        return (None, None, *ctx.decoder.backward(ctx.saved_tensors[0], d, ctx.probed))


class AttentionDecoder:
    """The tensors that forward and backward pass share. After forward(), `outputs` holds h_t of each layer,
    (U, B, H)."""

    def __init__(
        self,
        cell: str,
        attention: AdditiveAttention,
        w_q: torch.Tensor,
        w_c: torch.Tensor,
        layers: tuple[torch.Tensor | None, ...],
        initial: torch.Tensor,
    ) -> None:
        self.cell: CellStep = CELL_STEPS[cell]
        count, rows, self.hidden = initial.shape
        self.tanh = chosen_tanh(rows, self.hidden, initial)
        self.attention, self.w_c, self.initial, self.has_c = attention, w_c, initial, cell == "lstm"
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
        self.outputs: list[torch.Tensor] = []
        self.saved: list[list[Saved]] = []
        self.queries2: list[torch.Tensor] = []
        self.weights: torch.Tensor

    def forward(self, projected: torch.Tensor, keep: bool) -> torch.Tensor:
        """Features (U, B, H + F); with `keep`, what the backward pass needs stays here."""
        steps, batch = projected.shape[:2]
        attention, memory, hidden = self.attention, self.attention.memory, self.hidden
        features = projected.new_empty((steps, batch, hidden + memory.shape[2]))
        lower = [projected.new_empty((steps, batch, hidden)) for _ in self.initial[1:]]
        # a view of an alias: if what the node keeps led back to its output, neither would ever be freed
        self.outputs = [*lower, features.detach()[:, :, :hidden]]
        self.weights = projected.new_empty((steps, batch, memory.shape[1]))
        scratch = torch.empty_like(attention.keys2)
        h = list(self.initial)
        c = [torch.zeros_like(one) if self.has_c else None for one in h]
        own = [self._scaled(w) if b is None else w for w, b in zip(self.w_hh, self.b_hh, strict=True)]
        w_c = self._scaled(self.w_c)
        upper = [(self._scaled(w), self._scaled(b)) for w, b in zip(self.w_ih, self.b_ih, strict=True)]
        projected = projected.clone()
        projected.unflatten(2, (-1, hidden))[:, :, self.cell.tanh_gate].mul_(self.tanh.factor)
        for t in range(steps):
            sums = [linear(one, w, b) for one, w, b in zip(h, own, self.b_hh, strict=True)]
            queries2 = sums[-1][:, self.width :]
            weights = attention.weights(attention.activations(queries2[:, None], scratch))
            context = torch.bmm(weights[:, None], memory)[:, 0]
            features[t, :, hidden:] = context
            gx = add(projected[t], context, w_c)
            saved_by_layer = []
            for layer, gh in enumerate(sums):
                if layer:
                    gx = linear(h[layer - 1], *upper[layer - 1])
                out = self.outputs[layer][t]
                gx_views, gh_views = self.cell.views(gx), self.cell.views(gh[:, : self.width])
                c[layer], saved = self.cell.forward(self.tanh, gx_views, gh_views, h[layer], c[layer], out)
                h[layer] = out
                saved_by_layer.append(saved)
            if keep:
                self.weights[t] = weights
                self.queries2.append(queries2)
                self.saved.append(saved_by_layer)
        return features

    def _scaled(self, weights: torch.Tensor) -> torch.Tensor:
        return scaled(self.cell, self.tanh, weights, self.hidden)

    def backward(
        self, features: torch.Tensor, d: torch.Tensor, probed: bool
    ) -> tuple[torch.Tensor | None, ...]:
        """Gradients with respect to AdditiveLoop's arguments from `projected` on, given dL/dfeatures."""
        steps, batch = features.shape[:2]
        attention, hidden, top = self.attention, self.hidden, len(self.initial) - 1
        d_gx = [features.new_empty((steps, batch, self.width)) for _ in self.initial]
        d_gh = [features.new_empty((steps, batch, len(w))) for w in self.w_hh]
        d_h = [torch.zeros_like(one) for one in self.initial]
        d_c = [torch.zeros_like(one) if self.has_c else None for one in self.initial]
        d_context = d[:, :, hidden:].clone()
        d_keys, d_v = torch.zeros_like(attention.keys2), torch.zeros_like(attention.v2)
        scratch, transposed = torch.empty_like(attention.keys2), attention.memory.transpose(1, 2)
        d_probe = features.new_empty((top + 1, steps, batch, hidden)) if probed else None
        for t in range(steps - 1, -1, -1):
            d_out = d_h[top].add_(d[t, :, :hidden])
            for layer in range(top, -1, -1):
                if d_probe is not None:
                    d_probe[layer, t] = d_out
                gx, gh = d_gx[layer][t], d_gh[layer][t]
                gx_views, gh_views = self.cell.views(gx), self.cell.views(gh[:, : self.width])
                saved = self.saved[t][layer]
                direct, d_c[layer] = self.cell.backward(d_out, d_c[layer], saved, gx_views, gh_views)
                d_h[layer] = direct if layer == top else _through(direct, gh, self.w_hh[layer])
                if layer:
                    d_out = add(d_h[layer - 1], gx, self.w_ih[layer - 1].t())
            d_context[t] = context = add(d_context[t], d_gx[0][t], self.w_c.t())
            weights = self.weights[t]
            d_weights = torch.bmm(context[:, None], transposed)[:, 0].mul_(weights)
            d_scores = d_weights.addcmul_(weights, d_weights.sum(1, keepdim=True), value=-1)
            # the activations again: keeping every step's would fill U times the memory
            active = attention.activations(self.queries2[t][:, None], scratch)
            d_v.addmv_(active.flatten(0, 1).t(), d_scores.flatten())
            _sigmoid_backward.grad_input(d_scores[..., None].expand_as(active), active, grad_input=active)
            d_keys += active
            torch.mul(active.sum(1), attention.v2, out=d_gh[top][t][:, self.width :])
            d_h[top] = _through(d_h[top], d_gh[top][t], self.w_hh[top])
        return self._gradients(features, d_gx, d_gh, torch.stack(d_h), d_context, d_keys, d_v, d_probe)

    def _gradients(
        self,
        features: torch.Tensor,
        d_gx: list[torch.Tensor],
        d_gh: list[torch.Tensor],
        d_initial: torch.Tensor,
        d_context: torch.Tensor,
        d_keys: torch.Tensor,
        d_v: torch.Tensor,
        d_probe: torch.Tensor | None,
    ) -> tuple[torch.Tensor | None, ...]:
        """Each weight's gradient as one product over all steps."""
        hidden, width, top = self.hidden, self.width, len(self.initial) - 1
        outputs = [*self.outputs[:-1], features[:, :, :hidden]]
        d_memory = torch.bmm(self.weights.permute(1, 2, 0), d_context.transpose(0, 1))
        d_w_c = weight_grad(d_gx[0].flatten(0, 1), features[:, :, hidden:].flatten(0, 1))
        d_w_hh = []
        for initial, h, d in zip(self.initial, outputs, d_gh, strict=True):
            later = weight_grad(d[1:].flatten(0, 1), h[:-1].flatten(0, 1))
            d_w_hh.append(later.addmm_(d[0].t(), initial))
        by_layer: list[torch.Tensor | None] = []
        for layer, b in enumerate(self.b_hh):
            d_b = None if b is None else d_gh[layer][:, :, :width].sum((0, 1))
            by_layer += [d_w_hh[layer][:width], d_b]
        for layer in range(1, top + 1):
            flat = d_gx[layer].flatten(0, 1)
            by_layer += [weight_grad(flat, outputs[layer - 1].flatten(0, 1)), flat.sum(0)]
        d_w_q = d_w_hh[top][width:].mul(2)
        d_keys = d_keys.mul_(2 * self.attention.v2)
        return d_gx[0], d_memory, d_keys, d_initial, d_probe, d_w_q, 2 * d_v, d_w_c, *by_layer


def _through(direct: torch.Tensor | None, d: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """dL/dh: what the cell returned directly, and the path through d = dL/d(h w^T)."""
    return linear(d, w.t()) if direct is None else add(direct, d, w.t())
