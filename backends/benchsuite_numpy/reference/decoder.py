"""The decoder: bridge, embedding, a stack of cells stepped with attention; the formulas are spec.Decoder's.

A row goes on beyond its target's length, on padding: nothing there is scored, so nothing comes back from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.spec import Decoder, decoder_names
from benchsuite_numpy.reference.attention import ATTENTIONS, Look, Memory, attend, attend_back
from benchsuite_numpy.reference.cells import CELLS, Kept, State
from benchsuite_numpy.reference.layers import layer_weights, zero_state


@dataclass(frozen=True)
class StepRun:
    """One step after its forward pass: what each layer kept, and the look at the memory, if there was one."""

    kept: list[Kept]
    look: Look | None


@dataclass(frozen=True)
class DecoderRun:
    """The decoder after its forward pass over the tokens (B, U) it was fed."""

    tokens: np.ndarray
    last: np.ndarray
    """(B, F): the encoder's readout."""
    memory: Memory
    initial: list[State]
    steps: list[StepRun]


def remember(
    decoder: Decoder, parameters: Mapping[str, np.ndarray], outputs: np.ndarray, mask: np.ndarray
) -> Memory:
    """The encoder's outputs (B, T, F) with the keys of the attention; without one, nothing looks back."""
    if decoder.attention == "none":
        return Memory(outputs, outputs, mask)
    return Memory(outputs, ATTENTIONS[decoder.attention].keys(parameters, outputs), mask)


def initial_states(decoder: Decoder, parameters: Mapping[str, np.ndarray], last: np.ndarray) -> list[State]:
    """s_0 = tanh(last W + b), a piece of it for each layer; an LSTM's c_0 = 0."""
    body = decoder.body
    s_0 = np.tanh(last @ parameters["bridge.W"] + parameters["bridge.b"])
    rest = zero_state(body.cell, len(last), body.hidden, s_0.dtype)[1:]
    return [(piece, *rest) for piece in np.split(s_0, body.layers, axis=1)]


def decoder_step(
    decoder: Decoder,
    parameters: Mapping[str, np.ndarray],
    memory: Memory,
    states: list[State],
    tokens: np.ndarray,
) -> tuple[list[State], np.ndarray, StepRun]:
    """The next states, what the head reads (B, H) or (B, H + F), and what the backward pass needs.

    tokens (B,): the token before this step's.
    """
    cell, look = CELLS[decoder.body.cell], None
    x = parameters["target_embed.E"][tokens]
    if decoder.attention == "additive":
        look = attend(ATTENTIONS["additive"], parameters, states[-1][0], memory)
        x = np.concatenate([x, look.context], axis=1)
    new_states, kept = [], []
    for prefix, state in zip(decoder_names(decoder), states, strict=True):
        new, of_layer = cell.forward(layer_weights(parameters, prefix), x, state)
        new_states.append(new)
        kept.append(of_layer)
        x = new[0]
    if decoder.attention == "multiplicative":
        look = attend(ATTENTIONS["multiplicative"], parameters, x, memory)
    features = x if look is None else np.concatenate([x, look.context], axis=1)
    return new_states, features, StepRun(kept, look)


def decoder_forward(
    decoder: Decoder,
    parameters: Mapping[str, np.ndarray],
    memory: Memory,
    last: np.ndarray,
    tokens: np.ndarray,
) -> tuple[np.ndarray, DecoderRun]:
    """What the head reads (B, U, H) or (B, U, H + F) when the decoder is fed `tokens` (B, U)."""
    initial = states = initial_states(decoder, parameters, last)
    features, steps = [], []
    for t in range(tokens.shape[1]):
        states, of_step, run = decoder_step(decoder, parameters, memory, states, tokens[:, t])
        features.append(of_step)
        steps.append(run)
    return np.stack(features, axis=1), DecoderRun(tokens, last, memory, initial, steps)


def decoder_backward(
    decoder: Decoder, parameters: Mapping[str, np.ndarray], run: DecoderRun, d_features: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], Parameters]:
    """From dL/d(features) (B, U, .): dL/d(last) (B, F), dL/d(encoder outputs) (B, T, F), dL/ds_t (B, U, H) by
    prefix, and gradients by canonical name."""
    body, prefixes = decoder.body, decoder_names(decoder)
    cell, attention = CELLS[body.cell], ATTENTIONS.get(decoder.attention)
    memory = run.memory
    gradients = {name: np.zeros_like(value) for name, value in parameters.items() if _is_decoders(name)}
    d_outputs, d_keys = np.zeros_like(memory.outputs), np.zeros_like(memory.keys)
    states = {prefix: np.zeros((*run.tokens.shape, body.hidden), d_features.dtype) for prefix in prefixes}
    d_states: list[State] = [tuple(np.zeros_like(part) for part in state) for state in run.initial]

    for t in reversed(range(len(run.steps))):
        step = run.steps[t]
        d_s, d_context = d_features[:, t, : body.hidden], d_features[:, t, body.hidden :]
        if attention is not None and decoder.attention == "multiplicative":
            assert step.look is not None
            d_query, *d_memory, found = attend_back(attention, parameters, step.look, memory, d_context)
            d_outputs, d_keys = d_outputs + d_memory[0], d_keys + d_memory[1]
            _add(gradients, found)
            d_s = d_s + d_query
        dx = d_s
        for layer in reversed(range(body.layers)):
            d_states[layer] = (d_states[layer][0] + dx, *d_states[layer][1:])
            states[prefixes[layer]][:, t] = d_states[layer][0]
            w = layer_weights(parameters, prefixes[layer])
            dx, d_states[layer], found = cell.backward(w, step.kept[layer], d_states[layer])
            _add(gradients, {f"{prefixes[layer]}.{name}": value for name, value in found.items()})
        np.add.at(gradients["target_embed.E"], run.tokens[:, t], dx[:, : decoder.embedding])
        if attention is not None and decoder.attention == "additive":
            assert step.look is not None
            d_context = d_context + dx[:, decoder.embedding :]
            d_query, *d_memory, found = attend_back(attention, parameters, step.look, memory, d_context)
            d_outputs, d_keys = d_outputs + d_memory[0], d_keys + d_memory[1]
            _add(gradients, found)
            # the query was the top layer's state of the step before
            d_states[-1] = (d_states[-1][0] + d_query, *d_states[-1][1:])

    if attention is not None:
        through_keys, found = attention.keys_back(parameters, memory.outputs, d_keys)
        d_outputs = d_outputs + through_keys
        _add(gradients, found)
    s_0 = np.concatenate([state[0] for state in run.initial], axis=1)
    da = np.concatenate([state[0] for state in d_states], axis=1) * (1 - s_0**2)
    _add(gradients, {"bridge.W": run.last.T @ da, "bridge.b": da.sum(0)})
    return da @ parameters["bridge.W"].T, d_outputs, states, gradients


def _is_decoders(name: str) -> bool:
    return name.split(".")[0] in ("bridge", "attn", "target_embed", "dec")


def _add(gradients: Parameters, found: Parameters) -> None:
    for name, value in found.items():
        gradients[name] += value
