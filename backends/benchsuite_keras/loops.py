"""Keras' cells in keras.layers.RNN with a zero added to every h_t: the derivative of a loss by it is
dL/dh_t."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from benchsuite_keras import layers
from benchsuite_keras.model import Network
from benchsuite_keras.runtime import Tensor


class ProbedCell(keras.layers.Layer):  # type: ignore[misc]
    """`cell`, whose inputs are followed by the probe of the step, and whose h has the probe added."""

    def __init__(self, cell: Any) -> None:
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.built = cell, True
        self.state_size, self.output_size = cell.state_size, cell.output_size

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, list[Tensor]]:
        x, probe = inputs[:, : -self.output_size], inputs[:, -self.output_size :]
        h, after = self.cell(x, states)
        _, *others = after if isinstance(after, list | tuple) else [after]
        h = h + probe
        return h, [h, *others]

    def get_initial_state(self, batch_size: Any = None) -> Any:
        return self.cell.get_initial_state(batch_size=batch_size)


class Probed:
    """The cells of a network, over the same variables, by a loop of their own.

    It is no Keras layer, so that the network's variables remain the network's.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = [
            {
                f"rnn.l{index}.{direction}": keras.layers.RNN(
                    ProbedCell(one.cell),
                    return_sequences=True,
                    go_backwards=direction == "bwd",
                    zero_output_for_mask=True,
                    dtype=one.dtype_policy,
                )
                for direction, one in layers.directions(layer).items()
            }
            for index, layer in enumerate(network.recurrent)
        ]

    @property
    def widths(self) -> dict[str, int]:
        """Layer prefix -> units of h."""
        return {
            prefix: layer.cell.output_size
            for by_prefix in self._layers
            for prefix, layer in by_prefix.items()
        }

    def __call__(
        self, inputs: Mapping[str, Tensor], probes: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Scores, and h_t (B, T, H) of every layer and direction, zero on padding.

        :param inputs: as the network's. :param probes: (B, T, H) by layer prefix.
        """
        network, mask = self._network, inputs.get("mask")
        x = inputs["sequences"]
        if network.embedding is not None:
            x = network.embedding(x)
        outputs: dict[str, Tensor] = {}
        for by_prefix in self._layers:
            parts = []
            for prefix, layer in by_prefix.items():
                y = layer(ops.concatenate([x, probes[prefix]], axis=-1), mask=mask)
                outputs[prefix] = ops.flip(y, axis=1) if layer.go_backwards else y
                parts.append(outputs[prefix])
            x = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        if network.readout == "mean":
            x = network.pooling(x, mask=mask)
        elif network.readout == "last":
            # where a row ends: it is valid there, and the step after it is not
            ends = parts[0][:, -1] if mask is None else _at_ends(parts[0], mask)
            x = ends if len(parts) == 1 else ops.concatenate([ends, parts[1][:, 0]], axis=-1)
        return network.head(x), outputs


def _at_ends(y: Tensor, mask: Tensor) -> Tensor:
    """(B, H): y at each row's last valid step."""
    valid = ops.cast(mask, y.dtype)
    after = ops.pad(valid[:, 1:], [[0, 0], [0, 1]])
    return ops.sum(y * (valid - after)[:, :, None], axis=1)
