"""The decoder of benchsuite.schema.Decoder: bridge, embedding, recurrent layers and attention.

Without attention, and with multiplicative attention, which comes after the recurrent step, the layers run over
all steps as an encoder's do, by torch's fused layers or by the loop; the attention of all steps is then three
batched products. Additive attention has a loop of its own. Target padding is never masked: a row's padding
comes after its real steps, and only those reach the head.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.schema import ModelSpec
from benchsuite_torch import fused, heads, loops
from benchsuite_torch.additive import AdditiveLoop
from benchsuite_torch.placement import Placed, Rows
from benchsuite_torch.products import affine
from benchsuite_torch.stack import RecurrentStack, State
from benchsuite_torch.weights import AS_IS, TRANSPOSED, Slot, Slots, allocate


class DecoderLayers:
    """Parameters and teacher-forced forward pass of a model's decoder. Encoder outputs are F wide, the
    decoder's H; it has L layers, V tokens and embeddings E wide."""

    def __init__(self, model: ModelSpec, device: torch.device, dtype: torch.dtype) -> None:
        assert model.decoder is not None
        decoder, width = model.decoder, model.body.output_size
        hidden, layers = decoder.body.hidden, decoder.body.layers
        self.decoder, self.width = decoder, width
        self.bridge = allocate((width, layers * hidden), device, dtype)
        self.bridge_bias = allocate((layers * hidden,), device, dtype)
        self.attention: Slots = {}
        if decoder.attention == "additive":
            self.attention = {
                "attn.Wq": Slot(allocate((hidden, hidden), device, dtype), TRANSPOSED),
                "attn.Wk": Slot(allocate((width, hidden), device, dtype), AS_IS[2]),
                "attn.b": Slot(allocate((hidden,), device, dtype), AS_IS[1]),
                "attn.v": Slot(allocate((hidden,), device, dtype), AS_IS[1]),
            }
        elif decoder.attention == "multiplicative":
            self.attention = {"attn.W": Slot(allocate((hidden, width), device, dtype), AS_IS[2])}
        self.embedding = allocate((decoder.vocabulary, decoder.embedding), device, dtype)
        inputs = decoder.embedding + (width if decoder.attention == "additive" else 0)
        self.stack = RecurrentStack(decoder.body, inputs, device, dtype, prefix="dec")

    def slots(self) -> Slots:
        return {
            "bridge.W": Slot(self.bridge, AS_IS[2]),
            "bridge.b": Slot(self.bridge_bias, AS_IS[1]),
            **self.attention,
            "target_embed.E": Slot(self.embedding, AS_IS[2]),
            **self.stack.slots(),
        }

    def weight(self, name: str) -> torch.Tensor:
        """A parameter of the attention, in torch's layout."""
        return self.attention[f"attn.{name}"].tensor

    def start(self, last: torch.Tensor) -> State:
        """s_0 = tanh(last bridge) of every layer, (L, B, H), from the encoder's readout (B, F); c_0 = 0."""
        body = self.decoder.body
        bent = torch.addmm(self.bridge_bias, last, self.bridge).tanh()
        h = bent.view(len(last), body.layers, body.hidden).transpose(0, 1).contiguous()
        return (h, torch.zeros_like(h)) if body.cell == "lstm" else (h,)

    def features(
        self, y: torch.Tensor, last: torch.Tensor, placed: Placed, fuse: bool, taps: loops.Taps | None = None
    ) -> torch.Tensor:
        """What the head reads at the n valid target steps, (n, H) or (n, H + F).

        :param y: the encoder's outputs (steps, B, F), arbitrary on padding. :param last: their readout (B, F).
        :param taps: collects every emitted h_t; not by a fused layer.
        """
        written, fed = placed.written, placed.fed
        assert written is not None
        assert fed is not None
        u, state = functional.embedding(fed, self.embedding), self.start(last)
        if self.decoder.attention == "additive":
            return heads.only_real(self._additive(u, y, placed.rows, state, taps), written)
        if fuse:
            s, _ = fused.run(self.stack, u, written, None, state)
        else:
            s, _ = loops.run(self.stack, u, written, None, state, taps)
        if self.decoder.attention == "multiplicative":
            s = torch.cat([s, self._multiplicative(s, y, placed.rows)], dim=2)
        return heads.only_real(s, written)

    def _additive(
        self, u: torch.Tensor, y: torch.Tensor, rows: Rows, state: State, taps: loops.Taps | None
    ) -> torch.Tensor:
        memory = y.transpose(0, 1).contiguous()
        layers = [one for (one,) in self.stack.layers]
        w_u, w_c = layers[0].w_ih.split([u.shape[2], self.width], dim=1)
        gru = self.decoder.body.cell == "gru"
        recurrent = [tensor for one in layers for tensor in (one.w_hh, one.b_hh if gru else None)]
        upper = [tensor for one in layers[1:] for tensor in (one.w_ih, one.b_ih)]
        probe = None
        if taps is not None:
            emitted = [[torch.zeros_like(h, requires_grad=True) for _ in u] for h in state[0].detach()]
            taps |= {one.prefix: zeros for one, zeros in zip(layers, emitted, strict=True)}
            probe = torch.stack([torch.stack(zeros) for zeros in emitted])
        features: torch.Tensor = AdditiveLoop.apply(
            self.decoder.body.cell,
            None if rows.full else rows.barred,
            affine(u.flatten(0, 1), w_u, layers[0].b_ih).unflatten(0, u.shape[:2]),
            memory,
            self.keys(memory),
            state[0],
            probe,
            self.weight("Wq"),
            self.weight("v"),
            w_c,
            *recurrent,
            *upper,
        )
        return features

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """memory (B, T, F) attn.Wk + attn.b: (B, T, A)."""
        flat = affine(memory.flatten(0, 1), self.weight("Wk").t(), self.weight("b"))
        return flat.view(*memory.shape[:2], -1)

    def _multiplicative(self, s: torch.Tensor, y: torch.Tensor, rows: Rows) -> torch.Tensor:
        """context (U, B, F) of s (U, B, H) on y (steps, B, F): e = (s attn.W) y^T (Luong et al. 2015)."""
        barred = None if rows.full else rows.barred[:, None]
        context, _ = attend(s.transpose(0, 1) @ self.weight("W"), y.transpose(0, 1), barred)
        return context.transpose(0, 1)


def attend(
    queries: torch.Tensor, memory: torch.Tensor, barred: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """context (B, U, F) and weights (B, U, T) of queries (B, U, F) on memory (B, T, F); `barred` (B, 1, T)."""
    e = torch.bmm(queries, memory.transpose(1, 2))
    a = (e if barred is None else e + barred).softmax(2)
    return torch.bmm(a, memory), a
