"""Attention: scores of the encoder's steps, their softmax, and the context, which is the mean of the encoder's
outputs by these weights.

B rows, T encoder steps, F encoder outputs, A = H decoder hidden, U decoder steps. Encoder steps are row-major
here, (B, T, ...): each row's products are then products of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import ATTENTIONS


class Memory(NamedTuple):
    """What a decoder attends to.

    outputs  y, the encoder's, (B, T, F), zero on padding
    keys     y attn.Wk + attn.b, (B, T, A), made once for all decoder steps; None where not additive
    valid    (B, T), None where nothing is padded
    """

    outputs: jax.Array
    keys: jax.Array | None
    valid: jax.Array | None

    def repeated(self, width: int) -> Memory:
        """Each row `width` times in succession."""
        return Memory(*(None if part is None else jnp.repeat(part, width, axis=0) for part in self))


def make_memory(
    kind: str, p: Mapping[str, jax.Array], outputs: jax.Array, valid: jax.Array | None
) -> Memory | None:
    """The memory of encoder outputs (T, B, F), valid (T, B), for attention of this kind; None for `none`."""
    if kind not in ATTENTIONS:
        raise ContractError(unknown_name("attention", kind, ATTENTIONS))
    if kind == "none":
        return None
    y = outputs.swapaxes(0, 1)
    keys = None
    if kind == "additive":
        rows, time, width = y.shape
        keys = (y.reshape(rows * time, width) @ p["attn.Wk"] + p["attn.b"]).reshape(rows, time, -1)
    return Memory(y, keys, None if valid is None else valid.T)


def attend(p: Mapping[str, jax.Array], memory: Memory, query: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Context (B, F) and attention (B, T) of query s_{t-1} (B, H), additive (Bahdanau et al. 2015):
    e_j = v . tanh(query Wq + y_j Wk + b)."""
    found: tuple[jax.Array, jax.Array] = _attend(p["attn.v"], memory, query @ p["attn.Wq"])
    return found


@partial(jax.checkpoint, prevent_cse=False)
def _attend(v: jax.Array, memory: Memory, query: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The backward pass computes tanh of (B, T, A) again: stored for every step it would be the largest array
    of all, and reading it back costs more (a seventh of a step's time at B = 128, T = U = 16, A = 256)."""
    assert memory.keys is not None
    attention = masked_softmax(jnp.tanh(query[:, None] + memory.keys) @ v, memory.valid)
    return jnp.einsum("bt,btf->bf", attention, memory.outputs), attention


def multiplicative(
    p: Mapping[str, jax.Array], memory: Memory, states: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Contexts (U, B, F) and attention (U, B, T) of states s_t (U, B, H): e_j = (s_t W) . y_j
    (Luong et al. 2015, "general")."""
    steps, rows, hidden = states.shape
    queries = (states.reshape(steps * rows, hidden) @ p["attn.W"]).reshape(steps, rows, -1)
    attention = masked_softmax(jnp.einsum("ubf,btf->ubt", queries, memory.outputs), memory.valid)
    return jnp.einsum("ubt,btf->ubf", attention, memory.outputs), attention


def masked_softmax(scores: jax.Array, valid: jax.Array | None) -> jax.Array:
    """softmax over the last axis, over the valid steps only; zero on the others."""
    return jax.nn.softmax(scores if valid is None else jnp.where(valid, scores, -jnp.inf))
