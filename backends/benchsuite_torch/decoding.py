"""TorchDecoding: one token at a time, for every hypothesis of every row at once."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from benchsuite.contracts import Advance, Decoding
from benchsuite_torch import runtime
from benchsuite_torch.attention import AdditiveAttention, multiplicative
from benchsuite_torch.decoder import DecoderLayers
from benchsuite_torch.heads import Head
from benchsuite_torch.layers import LayerStates
from benchsuite_torch.placement import RowLengths


class TorchDecoding(Decoding):
    """The encoder's outputs are held once per row, whatever the number of hypotheses; only the decoder's
    states, (L, N, H), follow the hypotheses."""

    def __init__(
        self,
        layers: DecoderLayers,
        head: Head,
        y: torch.Tensor,
        last: torch.Tensor,
        rows: RowLengths,
        width: int,
        aligned: bool,
        settings: runtime.Settings,
    ) -> None:
        """:param y: encoder outputs (steps, B, F). :param last: their readout (B, F)."""
        self._layers, self._head, self._rows, self._width = layers, head, rows, width
        self._settings = settings
        self._aligned = aligned and layers.decoder.attention != "none"
        self._memory = y.transpose(0, 1).contiguous()
        self._score_mask = None if rows.full else rows.score_mask[:, None]
        self._state: LayerStates = tuple(part.repeat_interleave(width, 1) for part in layers.start(last))
        if layers.decoder.attention == "additive":
            keys2 = 2 * layers.keys(self._memory)
            v2 = 2 * layers.weight("v")
            self._additive = AdditiveAttention(self._memory, keys2[:, None], self._score_mask, v2)
            self._w_q2 = 2 * layers.weight("Wq").t()

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        runtime.apply(self._settings)
        with torch.inference_mode():
            return self._advance(tokens, parents, k)

    def _advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        device, layers = self._memory.device, self._layers
        state = self._state
        if not np.array_equal(parents, np.arange(len(parents))):
            chosen = torch.as_tensor(parents, dtype=torch.int64, device=device)
            state = tuple(part.index_select(1, chosen) for part in state)
        x = functional.embedding(torch.as_tensor(tokens, device=device), layers.embedding)
        weights = context = None
        if layers.decoder.attention == "additive":
            context, weights = self._additive_step(state[0][-1])
            x = torch.cat([x, context], dim=1)
        self._state, features = _step(layers, x, state)
        if layers.decoder.attention == "multiplicative":
            context, weights = self._multiplicative_step(features)
        if context is not None:
            features = torch.cat([features, context], dim=1)
        log_p = self._head(features).log_softmax(1)
        best, ids = log_p.topk(min(k, log_p.shape[1]))
        return Advance(
            best.double().cpu().numpy(),
            ids.to(torch.int32).cpu().numpy(),
            self._alignment(weights) if weights is not None and self._aligned else None,
        )

    def _additive_step(self, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Additive attention before the step: context (N, F) and weights (B, width, T) of s (N, H)."""
        queries2 = (s @ self._w_q2).unflatten(0, (-1, self._width))
        weights = self._additive.weights(self._additive.activations(queries2[:, :, None]))
        return torch.bmm(weights, self._memory).flatten(0, 1), weights

    def _multiplicative_step(self, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Multiplicative attention after the step, likewise."""
        queries = (s @ self._layers.weight("W")).unflatten(0, (-1, self._width))
        context, weights = multiplicative(queries, self._memory, self._score_mask)
        return context.flatten(0, 1), weights

    def _alignment(self, weights: torch.Tensor) -> np.ndarray:
        padded = functional.pad(weights.flatten(0, 1), (0, self._rows.time - self._rows.steps))
        alignment: np.ndarray = padded.cpu().numpy()
        return alignment


def _step(layers: DecoderLayers, x: torch.Tensor, state: LayerStates) -> tuple[LayerStates, torch.Tensor]:
    """The state (L, N, H) after one step of all layers on x (N, I), and what the top layer gives (N, H)."""
    after: list[LayerStates] = []
    for index, (_, advance) in enumerate(layers.steppers(len(x))):
        own, x = advance(x, tuple(part[index] for part in state), None)
        after.append(own)
    return tuple(torch.stack(part) for part in zip(*after, strict=True)), x
