"""The decoder: bridge, embedding, a stack of cells stepped with attention; the formulas are schema.Decoder's.

A row goes on beyond its target's length, on padding: nothing there is scored, so nothing comes back from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import Decoder, decoder_names
from benchsuite_numpy.reference.attention import ATTENTIONS, AttentionStep, Memory, attend, attend_back
from benchsuite_numpy.reference.cells import CellState, Residuals
from benchsuite_numpy.reference.generic import reference_cell
from benchsuite_numpy.reference.layers import initial_state, layer_weights


@dataclass(frozen=True)
class StepRun:
    """One step after its forward pass: each layer's output (B, H), what its backward pass needs, and the
    attention, if there is one."""

    outputs: list[np.ndarray]
    kept: list[Residuals]
    attention_step: AttentionStep | None


@dataclass(frozen=True)
class DecoderRun:
    """The decoder after its forward pass over the tokens (B, U) it was fed."""

    tokens: np.ndarray
    last: np.ndarray
    """(B, F): the encoder's readout."""
    memory: Memory
    initial: list[CellState]
    steps: list[StepRun]
    masks: Mapping[str, np.ndarray]


def remember(
    decoder: Decoder, parameters: Mapping[str, np.ndarray], outputs: np.ndarray, mask: np.ndarray
) -> Memory:
    """The encoder's outputs (B, T, F) with the keys of the attention; without one, nothing is compared."""
    if decoder.attention == "none":
        return Memory(outputs, outputs, mask)
    return Memory(outputs, ATTENTIONS[decoder.attention].keys(parameters, outputs), mask)


def initial_states(
    decoder: Decoder, parameters: Mapping[str, np.ndarray], last: np.ndarray
) -> list[CellState]:
    """s_0 = tanh(last W + b), a piece of it for the h of each layer; other parts have their initial values."""
    body = decoder.body
    s_0 = np.tanh(last @ parameters["bridge.W"] + parameters["bridge.b"])
    rest = initial_state(reference_cell(body.cell), len(last), body.hidden, s_0.dtype)[1:]
    return [(piece, *rest) for piece in np.split(s_0, body.layers, axis=1)]


def decoder_step(
    decoder: Decoder,
    parameters: Mapping[str, np.ndarray],
    memory: Memory,
    states: list[CellState],
    tokens: np.ndarray,
    masks: Mapping[str, np.ndarray],
) -> tuple[list[CellState], np.ndarray, StepRun]:
    """The next states, what the head reads (B, H) or (B, H + F), and what the backward pass needs.

    tokens (B,): the token before this step's. masks: of dropout by name (`dec.l0.x`, `dec.l0.fwd.h`).
    """
    attention_step = None
    begins = np.zeros((len(tokens), 1), states[0][0].dtype)  # the first state is the bridge's
    x = parameters["target_embed.E"][tokens] * masks.get("dec.l0.x", 1)
    if decoder.attention == "additive":
        attention_step = attend(ATTENTIONS["additive"], parameters, states[-1][0], memory)
        x = np.concatenate([x, attention_step.context], axis=1)
    new_states, outputs, kept = [], [], []
    for layer, (prefix, state) in enumerate(zip(decoder_names(decoder), states, strict=True)):
        if layer:
            x = x * masks.get(f"dec.l{layer}.x", 1)
        mask = masks.get(f"{prefix}.h")
        cell = reference_cell(decoder.body.cell, mask is not None)
        new, x, of_layer = cell.forward(layer_weights(parameters, prefix), x, state, begins, mask)
        new_states.append(new)
        outputs.append(x)
        kept.append(of_layer)
    if decoder.attention == "multiplicative":
        attention_step = attend(ATTENTIONS["multiplicative"], parameters, x, memory)
    features = x if attention_step is None else np.concatenate([x, attention_step.context], axis=1)
    return new_states, features, StepRun(outputs, kept, attention_step)


def decoder_forward(
    decoder: Decoder,
    parameters: Mapping[str, np.ndarray],
    memory: Memory,
    last: np.ndarray,
    tokens: np.ndarray,
    masks: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, DecoderRun]:
    """What the head reads (B, U, H) or (B, U, H + F) when the decoder is fed `tokens` (B, U)."""
    initial = states = initial_states(decoder, parameters, last)
    features, steps = [], []
    for t in range(tokens.shape[1]):
        states, of_step, run = decoder_step(decoder, parameters, memory, states, tokens[:, t], masks)
        features.append(of_step)
        steps.append(run)
    return np.stack(features, axis=1), DecoderRun(tokens, last, memory, initial, steps, masks)


def decoder_backward(
    decoder: Decoder, parameters: Mapping[str, np.ndarray], run: DecoderRun, d_features: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], Parameters]:
    """From dL/d(features) (B, U, .): dL/d(last) (B, F), dL/d(encoder outputs) (B, T, F), dL/ds_t (B, U, H) by
    prefix, and gradients by canonical name."""
    body, prefixes = decoder.body, decoder_names(decoder)
    masks, back = run.masks, _Back(decoder, parameters, run.memory)
    states = {prefix: np.zeros((*run.tokens.shape, body.hidden), d_features.dtype) for prefix in prefixes}
    d_states: list[CellState] = [tuple(np.zeros_like(part) for part in state) for state in run.initial]
    for t in reversed(range(len(run.steps))):
        kept, attention_step = run.steps[t].kept, run.steps[t].attention_step
        dx, d_context = d_features[:, t, : body.hidden], d_features[:, t, body.hidden :]
        if decoder.attention == "multiplicative" and attention_step is not None:
            # the query was the top layer's output at this step
            dx = dx + back.attended(attention_step, d_context)
        for layer in reversed(range(body.layers)):
            w = layer_weights(parameters, prefixes[layer])
            cell = reference_cell(body.cell, f"{prefixes[layer]}.h" in masks)
            found = cell.backward(w, kept[layer], d_states[layer], dx)
            dx, d_states[layer], states[prefixes[layer]][:, t] = found.dx, found.before, found.hidden
            if layer:
                dx = dx * masks.get(f"dec.l{layer}.x", 1)
            back.add({f"{prefixes[layer]}.{name}": value for name, value in found.weights.items()})
        d_token = dx[:, : decoder.embedding] * masks.get("dec.l0.x", 1)
        np.add.at(back.gradients["target_embed.E"], run.tokens[:, t], d_token)
        if decoder.attention == "additive" and attention_step is not None:
            # the query was the top layer's state of the step before
            d_query = back.attended(attention_step, d_context + dx[:, decoder.embedding :])
            d_states[-1] = (d_states[-1][0] + d_query, *d_states[-1][1:])
    s_0 = np.concatenate([state[0] for state in run.initial], axis=1)
    da = np.concatenate([state[0] for state in d_states], axis=1) * (1 - s_0**2)
    back.add({"bridge.W": run.last.T @ da, "bridge.b": da.sum(0)})
    return da @ parameters["bridge.W"].T, back.through_memory(), states, back.gradients


class _Back:
    """What comes back, summed over the steps: the parameters' gradients, dL/d(outputs) and dL/d(keys)."""

    def __init__(self, decoder: Decoder, parameters: Mapping[str, np.ndarray], memory: Memory) -> None:
        self._attention, self._parameters, self._memory = decoder.attention, parameters, memory
        self._d_outputs: np.ndarray = np.zeros_like(memory.outputs)
        self._d_keys: np.ndarray = np.zeros_like(memory.keys)
        own = ("bridge", "attn", "target_embed", "dec")
        self.gradients = {
            name: np.zeros_like(value) for name, value in parameters.items() if name.split(".")[0] in own
        }

    def add(self, found: Parameters) -> None:
        """Gradients of one step."""
        for name, value in found.items():
            self.gradients[name] += value

    def attended(self, attention_step: AttentionStep, d_context: np.ndarray) -> np.ndarray:
        """dL/d(query) of the attention at one step, from dL/d(context)."""
        d_query, d_outputs, d_keys, found = attend_back(
            ATTENTIONS[self._attention], self._parameters, attention_step, self._memory, d_context
        )
        self._d_outputs += d_outputs
        self._d_keys += d_keys
        self.add(found)
        return d_query

    def through_memory(self) -> np.ndarray:
        """dL/d(encoder outputs) (B, T, F), by what was weighed and by the keys it was weighed with."""
        if self._attention == "none":
            return self._d_outputs
        attention = ATTENTIONS[self._attention]
        by_keys, found = attention.keys_back(self._parameters, self._memory.outputs, self._d_keys)
        self.add(found)
        self._d_outputs += by_keys
        return self._d_outputs
