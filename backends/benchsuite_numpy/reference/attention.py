"""Attention: the two scores, and the context that their softmax over the valid steps weighs.

B rows, T encoder steps y_j of width F, H hidden units of the decoder. A score compares a query (B, H) with
keys, one for each encoder step, which do not change while the decoder generates.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters

Weights = Mapping[str, np.ndarray]
"""The model's parameters by canonical name."""


class Attention(abc.ABC):
    """A score e (B, T) of a query against every encoder step, and its derivative."""

    @abc.abstractmethod
    def keys(self, w: Weights, y: np.ndarray) -> np.ndarray:
        """What queries are compared with, of the encoder's outputs y (B, T, F)."""

    @abc.abstractmethod
    def keys_back(self, w: Weights, y: np.ndarray, d_keys: np.ndarray) -> tuple[np.ndarray, Parameters]:
        """dL/dy and the weights' gradients from dL/d(keys)."""

    @abc.abstractmethod
    def energies(self, w: Weights, query: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """e (B, T)."""

    @abc.abstractmethod
    def energies_back(
        self, w: Weights, query: np.ndarray, keys: np.ndarray, d_e: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Parameters]:
        """dL/d(query), dL/d(keys) and the weights' gradients from dL/de."""


class Additive(Attention):
    """e_j = v . tanh(query Wq + y_j Wk + b) (Bahdanau et al. 2015, appendix A.1.2); keys (B, T, H)."""

    def keys(self, w: Weights, y: np.ndarray) -> np.ndarray:
        found: np.ndarray = y @ w["attn.Wk"] + w["attn.b"]
        return found

    def keys_back(self, w: Weights, y: np.ndarray, d_keys: np.ndarray) -> tuple[np.ndarray, Parameters]:
        gradients = {"attn.Wk": np.einsum("btf,bth->fh", y, d_keys), "attn.b": d_keys.sum((0, 1))}
        return d_keys @ w["attn.Wk"].T, gradients

    def energies(self, w: Weights, query: np.ndarray, keys: np.ndarray) -> np.ndarray:
        hidden = np.tanh((query @ w["attn.Wq"])[:, None] + keys)
        found: np.ndarray = hidden @ w["attn.v"]
        return found

    def energies_back(
        self, w: Weights, query: np.ndarray, keys: np.ndarray, d_e: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Parameters]:
        # computed again: kept for every step it would be the largest array of all
        hidden = np.tanh((query @ w["attn.Wq"])[:, None] + keys)
        d_keys = d_e[..., None] * w["attn.v"] * (1 - hidden**2)
        d_projected = d_keys.sum(1)
        gradients = {"attn.Wq": query.T @ d_projected, "attn.v": np.einsum("bt,bth->h", d_e, hidden)}
        return d_projected @ w["attn.Wq"].T, d_keys, gradients


class Multiplicative(Attention):
    """e_j = (query W) . y_j (Luong et al. 2015, "general"); the keys are the outputs themselves."""

    def keys(self, w: Weights, y: np.ndarray) -> np.ndarray:  # noqa: ARG002
        return y

    def keys_back(
        self,
        w: Weights,  # noqa: ARG002
        y: np.ndarray,  # noqa: ARG002
        d_keys: np.ndarray,
    ) -> tuple[np.ndarray, Parameters]:
        return d_keys, {}

    def energies(self, w: Weights, query: np.ndarray, keys: np.ndarray) -> np.ndarray:
        found: np.ndarray = ((query @ w["attn.W"])[:, None] * keys).sum(2)
        return found

    def energies_back(
        self, w: Weights, query: np.ndarray, keys: np.ndarray, d_e: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Parameters]:
        projected = query @ w["attn.W"]
        d_projected = (d_e[..., None] * keys).sum(1)
        d_keys = d_e[..., None] * projected[:, None]
        return d_projected @ w["attn.W"].T, d_keys, {"attn.W": query.T @ d_projected}


ATTENTIONS: dict[str, Attention] = {"additive": Additive(), "multiplicative": Multiplicative()}


@dataclass(frozen=True)
class Memory:
    """What the decoder attends to: the encoder's outputs, their keys, and which steps are valid."""

    outputs: np.ndarray
    """(B, T, F)"""
    keys: np.ndarray
    mask: np.ndarray
    """(B, T)"""


@dataclass(frozen=True)
class AttentionStep:
    """Attention at one step: the query (B, H), its weights a (B, T) and the context (B, F)."""

    query: np.ndarray
    weights: np.ndarray
    context: np.ndarray


def attend(attention: Attention, w: Weights, query: np.ndarray, memory: Memory) -> AttentionStep:
    """a = softmax of e over the valid steps, context = sum_j a_j y_j."""
    e = np.where(memory.mask, attention.energies(w, query, memory.keys), -np.inf)
    exponentials = np.exp(e - e.max(axis=1, keepdims=True))
    a = exponentials / exponentials.sum(axis=1, keepdims=True)
    return AttentionStep(query, a, (a[..., None] * memory.outputs).sum(1))


def attend_back(
    attention: Attention, w: Weights, step: AttentionStep, memory: Memory, d_context: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Parameters]:
    """dL/d(query), dL/d(outputs), dL/d(keys) and the weights' gradients from dL/d(context)."""
    a = step.weights
    d_outputs = a[..., None] * d_context[:, None]
    d_a = (d_context[:, None] * memory.outputs).sum(2)
    d_e = a * (d_a - (a * d_a).sum(axis=1, keepdims=True))
    d_query, d_keys, gradients = attention.energies_back(w, step.query, memory.keys, d_e)
    return d_query, d_outputs, d_keys, gradients
