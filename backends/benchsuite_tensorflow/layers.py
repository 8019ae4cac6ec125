"""Layers and directions of the body: from the input's steps to the features that the head reads.

Everything is time-major, (T, B, ...). A backward direction is a forward one over rows reversed within their
own lengths, so that it starts at each row's last step whatever the padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import READOUTS, ModelSpec, Recurrent, Tokens
from benchsuite_tensorflow.cells import State, States, Tensor, cell_of
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.generic import GenericLayer, LayerSteps, weights_of
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.loops import Loop


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


def dropped(x: Tensor, masks: Mapping[str, Tensor] | None, name: str) -> Tensor:
    """x (T, B, I) times the mask `name` (B, I) at every step, where there is one."""
    return x * masks[name] if masks and name in masks else x


def attached_states(time: Tensor, lengths: Tensor, truncation: int, backward: bool) -> Tensor:
    """False where the state that enters step t = k, 2k, ... is detached, True elsewhere: (T, 1, 1), or
    (T, B, 1) in the reversed rows of the backward direction."""
    t = tf.range(time)[:, None]
    t = lengths[None, :] - 1 - t if backward else t
    cut = (t > 0) & (t % truncation == 0)
    return ~cut[..., None]


@dataclass(frozen=True)
class Given:
    """What one direction of a layer reads, in the order in which it runs.

    x         (T, B, I)
    initial   the state that was passed in; None: the cell's own
    attached  as attached_states() gives it; None: no state is detached
    probe     (T, B, H) as in LayerSteps, or None
    training  whether a backward pass may follow
    resets    (T, B) as in LayerSteps, or None
    mask      (B, H) of recurrent dropout, or None
    """

    x: Tensor
    lengths: Tensor
    initial: State | None
    attached: Tensor | None
    probe: Tensor | None
    training: bool
    resets: Tensor | None = None
    mask: Tensor | None = None


@dataclass
class Ran:
    """What a pass over the layers gave.

    features  what the readout reads: (B, F), or (T, B, F)
    final     final states by layer prefix, where they are carried
    outputs   the top layer's outputs (T, B, F), of any value on padding: where they were asked for
    layers    y_t (T, B, H) of every layer by prefix, of any value on padding: where they were asked for
    """

    features: Tensor
    final: States = field(default_factory=dict)
    outputs: Tensor | None = None
    layers: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Layers:
    """The recurrent body of a model.

    loop         of the cells with a kernel; None for the fused layers
    generic      how a layer of another cell runs; None where the cell has a kernel
    truncation   the recipe's; `carry` too
    top_outputs  whether the top layer's outputs are asked for in addition to the features
    """

    model: ModelSpec
    body: Recurrent
    dtype: str
    loop: Loop | None
    fused: Mapping[str, FusedLayer]
    generic: GenericLayer | None = None
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
        resets: Tensor | None = None,
        masks: Mapping[str, Tensor] | None = None,
    ) -> Ran:
        """Over x (T, B, I), with dropout where there are `masks`.

        :param training: whether a backward pass may follow. :param all_layers: whether Ran.layers is asked for.
        :param probes: as in Recurrence, by prefix, in the order of the data's own steps. :param resets: (T, B),
            of a forward stack whose layers run by their cell's own code.
        """
        layers: dict[str, Tensor] = {}
        final: States = {}
        ways = self.body.directions
        by_step = self.model.readout == "steps"
        for layer in range(self.body.layers):
            x = dropped(x, masks, f"rnn.l{layer}.x")
            in_order = layer < self.body.layers - 1 or by_step or self.top_outputs or all_layers
            outputs, ordered = [], []
            for way in ways:
                prefix, backward = f"rnn.l{layer}.{way}", way == "bwd"
                inputs = reverse(x, lengths) if backward else x
                probe = (probes or {}).get(prefix)
                if probe is not None and backward:
                    probe = reverse(probe, lengths)
                attached = None
                if self.truncation and training:
                    attached = attached_states(tf.shape(x)[0], lengths, self.truncation, backward)
                passed, mask = (initial or {}).get(prefix), (masks or {}).get(f"{prefix}.h")
                given = Given(inputs, lengths, passed, attached, probe, training, resets, mask)
                y, state = self._run(prefix, layer, weights_of(weights, prefix), given)
                if self.carry:
                    final[prefix] = tuple(tf.stop_gradient(part) for part in state)
                outputs.append(y)
                ordered.append(reverse(y, lengths) if backward and in_order else y)
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

    def _run(
        self, prefix: str, layer: int, weights: Mapping[str, Tensor], given: Given
    ) -> tuple[Tensor, State]:
        """Outputs y (T, B, H) of one direction, in the order in which it is run, and the final state where it
        is carried."""
        hidden, rows = self.body.hidden, given.x.shape[1]
        if self.generic is not None:
            steps = LayerSteps(
                initial=given.initial or self.generic.cell.start(rows, self.dtype),
                begins=given.initial is None,
                valid=valid_steps(tf.shape(given.x)[0], given.lengths),
                attached=given.attached,
                probe=given.probe,
                resets=given.resets,
                mask=given.mask,
            )
            return self.generic(given.x, weights, steps)
        cell = cell_of(self.body.cell)
        own = [weights[name] for name in cell.weights]
        if self.loop is None:
            outputs = self.fused[prefix](given.x, own, given.initial)
            return outputs, (at_end(outputs, given.lengths),) if self.carry else ()
        to_inputs = layer > 0 or isinstance(self.model.input, Tokens)
        recurrence = Recurrence(
            cell, self.loop, hidden, to_inputs, cells=self.carry and cell.parts > 1, training=given.training
        )
        start = given.initial or (tf.zeros([rows, hidden], self.dtype),) * cell.parts
        attached = None if given.attached is None else tf.cast(given.attached, self.dtype)
        emitted = recurrence(given.x, own, start, attached, given.probe)
        return emitted[0], tuple(at_end(part, given.lengths) for part in emitted) if self.carry else ()

    def _mean(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = tf.cast(valid_steps(tf.shape(x)[0], lengths), x.dtype)
        return tf.reduce_sum(x * valid[..., None], 0) / tf.cast(lengths, x.dtype)[:, None]
