"""Layers and directions of the body: from the input's steps to the features that the head reads.

Everything is time-major, (T, B, ...). A backward direction is a forward one over rows reversed within their
own lengths, so that it starts at each row's last step whatever the padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import READOUTS, ModelSpec, Recurrent, Tokens
from benchsuite_tensorflow.cells import State, States, Tensor, cell_of
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.loops import Loop

Runner = Callable[[Tensor, list[Tensor], Tensor | None], tuple[Tensor, ...]]
"""(x, weights, probe) -> outputs h (T, B, H), and c where states are carried."""


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Every row of x (T, B, ...) reversed within its length; padding stays where it is."""
    return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def at_end(x: Tensor, lengths: Tensor) -> Tensor:
    """x (T, B, H) at each row's last valid step: (B, H)."""
    return tf.gather_nd(x, tf.stack([lengths - 1, tf.range(tf.size(lengths))], 1))


def valid_steps(time: Tensor, lengths: Tensor) -> Tensor:
    """True on valid steps: (T, B)."""
    return tf.range(time)[:, None] < lengths[None, :]


def without_padding(x: Tensor, lengths: Tensor) -> Tensor:
    """x (T, B, ...), zero beyond each row's length."""
    return tf.where(valid_steps(tf.shape(x)[0], lengths)[..., None], x, tf.zeros_like(x))


def attached_states(time: Tensor, lengths: Tensor, truncation: int, backward: bool, dtype: str) -> Tensor:
    """Zero where the state that enters step t = k, 2k, ... is detached, one elsewhere: (T, 1, 1), or
    (T, B, 1) in the reversed rows of the backward direction."""
    t = tf.range(time)[:, None]
    t = lengths[None, :] - 1 - t if backward else t
    cut = (t > 0) & (t % truncation == 0)
    return tf.cast(~cut, dtype)[..., None]


@dataclass
class Ran:
    """What a pass over the layers gave.

    features  what the readout reads: (B, F), or (T, B, F)
    final     final states by layer prefix, where they are carried
    outputs   the top layer's outputs (T, B, F), of any value on padding: where they were asked for
    layers    h_t (T, B, H) of every layer by prefix, of any value on padding: where they were asked for
    """

    features: Tensor
    final: States = field(default_factory=dict)
    outputs: Tensor | None = None
    layers: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Layers:
    """The recurrent body of a model.

    loop         None for the fused layers
    truncation   the recipe's; `carry` too
    top_outputs  whether the top layer's outputs are asked for in addition to the features
    """

    model: ModelSpec
    body: Recurrent
    dtype: str
    loop: Loop | None
    fused: Mapping[str, FusedLayer]
    truncation: int | None = None
    carry: bool = False
    top_outputs: bool = False

    def __call__(
        self,
        weights: Mapping[str, Tensor],
        x: Tensor,
        lengths: Tensor,
        training: bool,
        initial: Mapping[str, State] | None = None,
        probes: Mapping[str, Tensor] | None = None,
        all_layers: bool = False,
    ) -> Ran:
        """Over x (T, B, I).

        :param training: whether a backward pass may follow. :param all_layers: whether Ran.layers is asked for.
        :param probes: as in Recurrence, by prefix, in the order of the data's own steps.
        """
        layers: dict[str, Tensor] = {}
        final: States = {}
        ways = self.body.directions
        by_step = self.model.readout == "steps"
        for layer in range(self.body.layers):
            in_order = layer < self.body.layers - 1 or by_step or self.top_outputs or all_layers
            outputs, ordered = [], []
            for way in ways:
                prefix, backward = f"rnn.l{layer}.{way}", way == "bwd"
                inputs = reverse(x, lengths) if backward else x
                probe = (probes or {}).get(prefix)
                if probe is not None and backward:
                    probe = reverse(probe, lengths)
                run = self._runner(prefix, layer, lengths, backward, training, (initial or {}).get(prefix))
                emitted = run(inputs, self._weights(weights, prefix), probe)
                if self.carry:
                    final[prefix] = tuple(tf.stop_gradient(at_end(part, lengths)) for part in emitted)
                outputs.append(emitted[0])
                ordered.append(reverse(emitted[0], lengths) if backward and in_order else emitted[0])
                if all_layers:
                    layers[prefix] = ordered[-1]
            if in_order:
                x = tf.concat(ordered, 2) if len(ways) > 1 else ordered[0]
        features = self._readout(x, outputs, lengths)
        return Ran(features, final, x if by_step or self.top_outputs else None, layers)

    def _readout(self, x: Tensor, outputs: list[Tensor], lengths: Tensor) -> Tensor:
        """Features of the top outputs: x in the order of the data, `outputs` by direction in the order in which
        they were run, where the last step of a backward direction is the row's first."""
        readout = self.model.readout
        if readout == "steps":
            return x
        if readout not in READOUTS:
            raise ContractError(unknown_name("readout", readout, READOUTS))
        read = at_end if readout == "last" else self._mean
        return tf.concat([read(part, lengths) for part in outputs], 1)

    def _weights(self, weights: Mapping[str, Tensor], prefix: str) -> list[Tensor]:
        return [weights[f"{prefix}.{name}"] for name in cell_of(self.body.cell).weights]

    def _runner(
        self,
        prefix: str,
        layer: int,
        lengths: Tensor,
        backward: bool,
        training: bool,
        initial: State | None,
    ) -> Runner:
        if self.loop is None:
            return lambda x, weights, _: (self.fused[prefix](x, weights, initial),)
        cell, hidden = cell_of(self.body.cell), self.body.hidden
        to_inputs = layer > 0 or isinstance(self.model.input, Tokens)
        recurrence = Recurrence(
            cell, self.loop, hidden, to_inputs, cells=self.carry and cell.parts > 1, training=training
        )

        def run(x: Tensor, weights: list[Tensor], probe: Tensor | None) -> tuple[Tensor, ...]:
            start = initial or (tf.zeros([x.shape[1], hidden], self.dtype),) * cell.parts
            attached = None
            if self.truncation and training:
                attached = attached_states(tf.shape(x)[0], lengths, self.truncation, backward, self.dtype)
            return recurrence(x, weights, start, attached, probe)

        return run

    def _mean(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = tf.cast(valid_steps(tf.shape(x)[0], lengths), x.dtype)
        return tf.reduce_sum(x * valid[..., None], 0) / tf.cast(lengths, x.dtype)[:, None]
