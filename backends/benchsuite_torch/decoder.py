"""The decoder of benchsuite.schema.Decoder: bridge, embedding, recurrent layers and attention.

Without attention, and with multiplicative attention, which comes after the recurrent step, the layers run over
all steps as an encoder's do, by torch's fused layers or by a loop; the attention of all steps is then three
batched products. Additive attention has a loop of its own. Target padding is never masked: a row's padding
comes after its valid steps, and only those reach the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch.nn import functional

from benchsuite.errors import UnsupportedError
from benchsuite.schema import ModelSpec
from benchsuite_torch import attention, fused, heads, loops
from benchsuite_torch.attention import AdditiveAttention
from benchsuite_torch.cells import Advance, cell_advance
from benchsuite_torch.dropout import NO_MASKS, dropped, mask_name
from benchsuite_torch.generic import LayerCell
from benchsuite_torch.kernels.attention_loop import AdditiveLoop, AttentionDecoder
from benchsuite_torch.kernels.matmul import affine
from benchsuite_torch.layers import (
    AS_IS,
    TRANSPOSED,
    CanonicalTensor,
    CellDirection,
    LayerStates,
    NamedTensors,
    RecurrentStack,
    allocate,
    make_stack,
)
from benchsuite_torch.placement import PlacedBatch, RowLengths


class DecoderLayers:
    """Parameters and teacher-forced forward pass of a model's decoder. Encoder outputs are F wide, the
    decoder's H; it has L layers, V tokens and embeddings E wide. `own_kernels` as in heads.Head."""

    def __init__(
        self,
        model: ModelSpec,
        device: torch.device,
        dtype: torch.dtype,
        own_kernels: bool = True,
        unroll: str = "dynamic",
        resets: bool = False,
        recurrent_dropout: bool = False,
    ) -> None:
        assert model.decoder is not None
        self._own_kernels = own_kernels
        decoder, width = model.decoder, model.body.output_size
        hidden, layers = decoder.body.hidden, decoder.body.layers
        self.decoder, self.width = decoder, width
        self.bridge = allocate((width, layers * hidden), device, dtype)
        self.bridge_bias = allocate((layers * hidden,), device, dtype)
        self.attention_tensors: NamedTensors = {}
        if decoder.attention == "additive":
            self.attention_tensors = {
                "attn.Wq": CanonicalTensor(allocate((hidden, hidden), device, dtype), TRANSPOSED),
                "attn.Wk": CanonicalTensor(allocate((width, hidden), device, dtype), AS_IS[2]),
                "attn.b": CanonicalTensor(allocate((hidden,), device, dtype), AS_IS[1]),
                "attn.v": CanonicalTensor(allocate((hidden,), device, dtype), AS_IS[1]),
            }
        elif decoder.attention == "multiplicative":
            self.attention_tensors = {
                "attn.W": CanonicalTensor(allocate((hidden, width), device, dtype), AS_IS[2])
            }
        elif decoder.attention != "none":
            raise UnsupportedError(
                f"torch has no attention {decoder.attention!r}; it has none, additive, multiplicative"
            )
        self.embedding = allocate((decoder.vocabulary, decoder.embedding), device, dtype)
        inputs = decoder.embedding + (width if decoder.attention == "additive" else 0)
        self.stack = make_stack(decoder.body, inputs, device, dtype, "dec", unroll, resets, recurrent_dropout)

    def named_tensors(self) -> NamedTensors:
        return {
            "bridge.W": CanonicalTensor(self.bridge, AS_IS[2]),
            "bridge.b": CanonicalTensor(self.bridge_bias, AS_IS[1]),
            **self.attention_tensors,
            "target_embed.E": CanonicalTensor(self.embedding, AS_IS[2]),
            **self.stack.named_tensors(),
        }

    def weight(self, name: str) -> torch.Tensor:
        """A parameter of the attention, in torch's layout."""
        return self.attention_tensors[f"attn.{name}"].tensor

    def start(self, last: torch.Tensor) -> LayerStates:
        """s_0 = tanh(last bridge) of every layer, (L, B, H), from the encoder's readout (B, F); other parts
        of the state have their initial values."""
        body = self.decoder.body
        bridged = torch.addmm(self.bridge_bias, last, self.bridge).tanh()
        h = bridged.view(len(last), body.layers, body.hidden).transpose(0, 1).contiguous()
        return (h, *self.stack.initial_state(len(last))[1:])

    def features(
        self,
        y: torch.Tensor,
        last: torch.Tensor,
        placed: PlacedBatch,
        unroll: str,
        probes: loops.Probes | None = None,
        outputs: loops.Outputs | None = None,
        masks: Mapping[str, torch.Tensor] = NO_MASKS,
    ) -> torch.Tensor:
        """What the head reads at the n valid target steps, (n, H) or (n, H + F).

        :param y: the encoder's outputs (steps, B, F), arbitrary on padding. :param last: their readout (B, F).
        :param probes: is filled with what dL/dh_t is read from; not by a fused layer. :param outputs: is filled
            with the outputs (U, B, H) of every layer. :param masks: of dropout.
        """
        rows, inputs = placed.target_rows, placed.decoder_inputs
        assert rows is not None
        assert inputs is not None
        u, state = functional.embedding(inputs, self.embedding), self.start(last)
        if self.decoder.attention == "additive":
            u = dropped(u, masks, self.stack.layers[0])
            by_kernel = isinstance(self.stack, RecurrentStack) and unroll != "autograd"
            if by_kernel and not any(mask_name(layer) in masks for layer in self.stack.layers[1:]):
                found = self._additive_by_kernel(u, y, placed.rows, state, probes, outputs)
            else:
                found = self._additive_recorded(u, y, placed.rows, state, probes, outputs, masks)
            return heads.valid_only(found, rows)
        if unroll == "fused" and probes is None:
            assert isinstance(self.stack, RecurrentStack)
            s, _ = fused.run(self.stack, u, rows, None, state, masks=masks)
            if outputs is not None:
                outputs |= fused.layer_outputs(self.stack, u, rows, state)
        else:
            way = loops.recorded if unroll == "autograd" else None
            s, _ = loops.run(self.stack, u, rows, None, state, probes, False, way, outputs, masks=masks)
        if self.decoder.attention == "multiplicative":
            s = torch.cat([s, self._multiplicative(s, y, placed.rows)], dim=2)
        return heads.valid_only(s, rows)

    def _additive_by_kernel(
        self,
        u: torch.Tensor,
        y: torch.Tensor,
        rows: RowLengths,
        state: LayerStates,
        probes: loops.Probes | None,
        outputs: loops.Outputs | None,
    ) -> torch.Tensor:
        """[h_t; context_t] (U, B, H + F) by our own kernel."""
        assert isinstance(self.stack, RecurrentStack)
        memory, keys, score_mask = self._memory(y, rows)
        layers = [one for (one,) in self.stack.layers]
        cell, w_q, v = self.decoder.body.cell, self.weight("Wq"), self.weight("v")
        w_u, w_c = layers[0].w_ih.split([u.shape[2], self.width], dim=1)
        recurrent = [tensor for one in layers for tensor in (one.w_hh, one.b_hh if cell == "gru" else None)]
        weights = [*recurrent, *(tensor for one in layers[1:] for tensor in (one.w_ih, one.b_ih))]
        projected = affine(u.flatten(0, 1), w_u, layers[0].b_ih).unflatten(0, u.shape[:2])
        if outputs is not None:  # for evaluation: the autograd function would return the top layer only
            tensors = AdditiveAttention(memory, 2 * keys, score_mask, 2 * v)
            decoder = AttentionDecoder(cell, tensors, w_q, w_c, tuple(weights), state[0])
            features = decoder.forward(projected, keep=False)
            outputs |= {one.prefix: h for one, h in zip(layers, decoder.outputs, strict=True)}
            return features
        probe = None
        if probes is not None:
            zeros = [[torch.zeros_like(h, requires_grad=True) for _ in u] for h in state[0].detach()]
            probes |= {one.prefix: of_layer for one, of_layer in zip(layers, zeros, strict=True)}
            probe = torch.stack([torch.stack(of_layer) for of_layer in zeros])
        by_step: torch.Tensor = AdditiveLoop.apply(
            cell, score_mask, projected, memory, keys, state[0], probe, w_q, v, w_c, *weights
        )
        return by_step

    def _additive_recorded(
        self,
        u: torch.Tensor,
        y: torch.Tensor,
        rows: RowLengths,
        state: LayerStates,
        probes: loops.Probes | None,
        outputs: loops.Outputs | None,
        masks: Mapping[str, torch.Tensor],
    ) -> torch.Tensor:
        """The same by torch's cells, or any cell's own step, recorded by autograd step after step."""
        memory, keys, score_mask = self._memory(y, rows)
        layers = self.steppers(rows.batch, masks)
        states: list[LayerStates] = list(zip(*(part.unbind(0) for part in state), strict=True))
        features: list[torch.Tensor] = []
        emitted: list[list[torch.Tensor]] = [[] for _ in layers]
        for u_t in u:
            queries = states[-1][0] @ self.weight("Wq").t()
            context = attention.additive(queries, memory, keys, self.weight("v"), score_mask)
            x = torch.cat([u_t, context], dim=1)
            for index, (prefix, advance) in enumerate(layers):
                zeros = None
                if probes is not None:
                    zeros = torch.zeros_like(states[index][0], requires_grad=True)
                    probes.setdefault(prefix, []).append(zeros)
                if index:
                    x = dropped(x, masks, self.stack.layers[index])
                states[index], x = advance(x, states[index], zeros)
                emitted[index].append(x)
            features.append(torch.cat([x, context], dim=1))
        if outputs is not None:
            outputs |= {prefix: torch.stack(y) for (prefix, _), y in zip(layers, emitted, strict=True)}
        return torch.stack(features)

    def steppers(self, rows: int, masks: Mapping[str, torch.Tensor] = NO_MASKS) -> list[tuple[str, Advance]]:
        """For each layer its prefix and what computes one step of `rows` rows, with the masks of the hidden
        states."""
        cell = self.decoder.body.cell
        found: list[tuple[str, Advance]] = []
        for (layer,) in self.stack.layers:
            if isinstance(layer, CellDirection):
                found.append(
                    (
                        layer.prefix,
                        LayerCell(layer, rows, stepwise=True, mask=masks.get(f"{layer.prefix}.h")).advance,
                    )
                )
            else:
                found.append((layer.prefix, partial(cell_advance, cell, layer)))
        return found

    def _memory(
        self, y: torch.Tensor, rows: RowLengths
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """What additive attention reads: memory (B, T, F), its keys (B, T, A), and the mask of its scores."""
        memory = y.transpose(0, 1).contiguous()
        return memory, self.keys(memory), None if rows.full else rows.score_mask

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """memory (B, T, F) attn.Wk + attn.b: (B, T, A)."""
        w_k, b = self.weight("Wk").t(), self.weight("b")
        if not self._own_kernels:
            return functional.linear(memory, w_k, b)
        return affine(memory.flatten(0, 1), w_k, b).view(*memory.shape[:2], -1)

    def _multiplicative(self, s: torch.Tensor, y: torch.Tensor, rows: RowLengths) -> torch.Tensor:
        """context (U, B, F) of s (U, B, H) on y (steps, B, F)."""
        score_mask = None if rows.full else rows.score_mask[:, None]
        queries = s.transpose(0, 1) @ self.weight("W")
        context, _ = attention.multiplicative(queries, y.transpose(0, 1), score_mask)
        return context.transpose(0, 1)
