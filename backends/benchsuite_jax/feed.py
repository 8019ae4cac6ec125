"""What a compiled function reads of a batch, as one tree of device arrays."""

from __future__ import annotations

from typing import NamedTuple

import jax


class Feed(NamedTuple):
    """A batch on the device. Sequences are time-major, because a scan walks the leading axis.

    inputs          (T, B, D), or (T, B) ids; pictures of the convolutional baseline (B, T, D)
    lengths         (B,), None where every row is T long
    targets         (B,), (B, O), by step (T, B, ...), or sequences of a length of their own (U, B); None for a
                    function that looks at none
    target_lengths  (B,), None where every row is U long or there are no such sequences
    """

    inputs: jax.Array
    lengths: jax.Array | None
    targets: jax.Array | None = None
    target_lengths: jax.Array | None = None

    @property
    def rows(self) -> int:
        """Rows B of a batch for a recurrent model."""
        return int(self.inputs.shape[1])

    def untaught(self) -> Feed:
        """The inputs alone."""
        return Feed(self.inputs, self.lengths)


def valid_steps(time: int, lengths: jax.Array | None) -> jax.Array | None:
    """(time, B), true on real steps; None where there is no padding."""
    return None if lengths is None else jax.numpy.arange(time)[:, None] < lengths
