"""Attention: which of the encoder's outputs a decoder reads at a step (benchsuite.schema.Decoder).

B rows, T encoder steps, F encoder outputs, U decoder steps, H decoder hidden, A = H. Batch-major here: every
row looks at its own outputs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from benchsuite.schema.model import AttentionKind
from benchsuite_tensorflow.cells import Tensor, tanh_grad


@dataclass(frozen=True)
class Memory:
    """What the decoder looks back at.

    values  (B, T, F), the encoder's top outputs
    valid   (B, T), True on valid steps
    keys    (B, T, A), what additive attention compares with: y Wk + b, made once for all decoder steps
    """

    values: Tensor
    valid: Tensor
    keys: Tensor | None = None


def remember(kind: AttentionKind, weights: Mapping[str, Tensor], outputs: Tensor, lengths: Tensor) -> Memory:
    """The memory of an encoder's outputs (T, B, F), time-major as it writes them."""
    values = tf.transpose(outputs, [1, 0, 2])
    valid = tf.sequence_mask(lengths, tf.shape(outputs)[0])
    if kind != "additive":
        return Memory(values, valid)
    return Memory(values, valid, tf.tensordot(values, weights["attn.Wk"], 1) + weights["attn.b"])


def shares(scores: Tensor, valid: Tensor) -> Tensor:
    """softmax over the last axis, the encoder's steps; zero, not only small, where not `valid`."""
    return tf.nn.softmax(tf.where(valid, scores, tf.constant(scores.dtype.min, scores.dtype)))


def read(attention: Tensor, memory: Memory) -> Tensor:
    """The contexts (B, U, F) that attention (B, U, T) gives."""
    return attention @ memory.values


def multiplicative(weights: Mapping[str, Tensor], states: Tensor, memory: Memory) -> Tensor:
    """Attention (B, U, T) of states s_t (B, U, H): e_tj = (s_t attn.W) . y_j (Luong et al. 2015)."""
    queries = tf.tensordot(states, weights["attn.W"], 1)
    return shares(tf.matmul(queries, memory.values, transpose_b=True), memory.valid[:, None])


@dataclass(frozen=True)
class AttentionStep:
    """A step of additive attention: the attention (B, T) and the context (B, F) it gives."""

    attention: Tensor
    context: Tensor


def look(Wq: Tensor, v: Tensor, h: Tensor, memory: Memory) -> AttentionStep:
    """e_tj = v . tanh(s_{t-1} Wq + y_j Wk + b) (Bahdanau et al. 2015); h (B, H) is s_{t-1}."""
    bent = _bent(Wq, h, memory)
    scores = tf.reshape(tf.reshape(bent, [-1, bent.shape[-1]]) @ v[:, None], tf.shape(memory.valid))
    attention = shares(scores, memory.valid)
    return AttentionStep(attention, read(attention[:, None], memory)[:, 0])


@dataclass(frozen=True)
class LookBack:
    """dL/d(keys), dL/d(h Wq) and dL/dv of one step. dL/d(values) is one product over all steps, made after
    them."""

    keys: Tensor
    query: Tensor
    v: Tensor


def look_back(
    Wq: Tensor, v: Tensor, h: Tensor, memory: Memory, attention: Tensor, d_context: Tensor
) -> LookBack:
    """The backward pass of look(), from its attention and dL/d(context) (B, F)."""
    bent = _bent(Wq, h, memory)
    d_attention = tf.matmul(d_context[:, None], memory.values, transpose_b=True)[:, 0]
    # the softmax's slope: zero on padding, which has no share
    d_scores = attention * (d_attention - tf.reduce_sum(attention * d_attention, 1, keepdims=True))
    d_bent = tanh_grad(y=bent, dy=d_scores[..., None] * v)
    d_v = tf.reshape(d_scores, [1, -1]) @ tf.reshape(bent, [-1, v.shape[0]])
    return LookBack(d_bent, tf.reduce_sum(d_bent, 1), d_v[0])


def _bent(Wq: Tensor, h: Tensor, memory: Memory) -> Tensor:
    """tanh(s_{t-1} Wq + y_j Wk + b), (B, T, A)."""
    return tf.tanh((h @ Wq)[:, None] + memory.keys)
