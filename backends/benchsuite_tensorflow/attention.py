"""Attention of a decoder to the encoder's outputs (benchsuite.schema.Decoder).

B rows, T encoder steps, F encoder outputs, U decoder steps, H decoder hidden, A = H. Batch-major here: every
row attends to its own outputs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import ATTENTIONS
from benchsuite_tensorflow.cells import Tensor, tanh_grad


@dataclass(frozen=True)
class Memory:
    """What a decoder attends to.

    values  (B, T, F), the encoder's top outputs
    valid   (B, T), True on valid steps
    keys    (B, T, A), those of additive attention: y Wk + b, made once for all decoder steps; else None
    """

    values: Tensor
    valid: Tensor
    keys: Tensor | None = None


def make_memory(kind: str, weights: Mapping[str, Tensor], outputs: Tensor, lengths: Tensor) -> Memory | None:
    """The memory of an encoder's outputs (T, B, F) for attention of this kind; None for `none`."""
    if kind not in ATTENTIONS:
        raise ContractError(unknown_name("attention", kind, ATTENTIONS))
    if kind == "none":
        return None
    values = tf.transpose(outputs, [1, 0, 2])
    valid = tf.sequence_mask(lengths, tf.shape(outputs)[0])
    if kind != "additive":
        return Memory(values, valid)
    return Memory(values, valid, tf.tensordot(values, weights["attn.Wk"], 1) + weights["attn.b"])


def masked_softmax(scores: Tensor, valid: Tensor) -> Tensor:
    """softmax over the last axis, the encoder's steps; zero, not only small, where not `valid`."""
    return tf.nn.softmax(tf.where(valid, scores, tf.constant(scores.dtype.min, scores.dtype)))


def contexts(attention: Tensor, memory: Memory) -> Tensor:
    """The contexts (B, U, F) of attention (B, U, T)."""
    return attention @ memory.values


def multiplicative(weights: Mapping[str, Tensor], states: Tensor, memory: Memory) -> Tensor:
    """Attention (B, U, T) of states s_t (B, U, H): e_tj = (s_t attn.W) . y_j (Luong et al. 2015)."""
    queries = tf.tensordot(states, weights["attn.W"], 1)
    return masked_softmax(tf.matmul(queries, memory.values, transpose_b=True), memory.valid[:, None])


@dataclass(frozen=True)
class AttentionStep:
    """A step of additive attention: the attention (B, T) and its context (B, F)."""

    attention: Tensor
    context: Tensor


def attend(Wq: Tensor, v: Tensor, h: Tensor, memory: Memory) -> AttentionStep:
    """e_tj = v . tanh(s_{t-1} Wq + y_j Wk + b) (Bahdanau et al. 2015); h (B, H) is s_{t-1}."""
    hidden = _hidden(Wq, h, memory)
    scores = tf.reshape(tf.reshape(hidden, [-1, hidden.shape[-1]]) @ v[:, None], tf.shape(memory.valid))
    attention = masked_softmax(scores, memory.valid)
    return AttentionStep(attention, contexts(attention[:, None], memory)[:, 0])


@dataclass(frozen=True)
class AttentionGrads:
    """dL/d(keys), dL/d(h Wq) and dL/dv of one step. dL/d(values) is one product over all steps, made after
    them."""

    keys: Tensor
    query: Tensor
    v: Tensor


def attend_backward(
    Wq: Tensor, v: Tensor, h: Tensor, memory: Memory, attention: Tensor, d_context: Tensor
) -> AttentionGrads:
    """The backward pass of attend(), from its attention and dL/d(context) (B, F)."""
    hidden = _hidden(Wq, h, memory)
    d_attention = tf.matmul(d_context[:, None], memory.values, transpose_b=True)[:, 0]
    # the derivative of softmax: zero on padding, where the attention is zero
    d_scores = attention * (d_attention - tf.reduce_sum(attention * d_attention, 1, keepdims=True))
    d_hidden = tanh_grad(y=hidden, dy=d_scores[..., None] * v)
    d_v = tf.reshape(d_scores, [1, -1]) @ tf.reshape(hidden, [-1, v.shape[0]])
    return AttentionGrads(d_hidden, tf.reduce_sum(d_hidden, 1), d_v[0])


def _hidden(Wq: Tensor, h: Tensor, memory: Memory) -> Tensor:
    """tanh(s_{t-1} Wq + y_j Wk + b), (B, T, A)."""
    return tf.tanh((h @ Wq)[:, None] + memory.keys)
