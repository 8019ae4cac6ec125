"""Batch: what one optimiser step sees, in NumPy, the same for every backend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """B padded sequences of at most T steps.

    inputs   (B, T, D) in the trial's dtype, or (B, T) int32 ids; zero beyond a row's length
    lengths  (B,) int32, 1 <= length <= T
    targets  cross-entropy: int32 (B,) or (B, T); regression: (B, O) or (B, T, O) in the trial's dtype.
             Per-step targets are zero beyond a row's length. A decoder's and CTC's: int32 (B, U), zero beyond
             a row's own target length
    fresh    True: the recurrent states start at zero. False (streams, `recipe.carry`): they start at the
             final states of the previous step, detached. Only the forward direction can be carried.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    fresh: bool = True
    target_lengths: np.ndarray | None = None
    """(B,) int32, 1 <= length <= U: where targets are sequences of a length of their own."""

    def decoder_inputs(self, start: int) -> np.ndarray:
        """(B, U) int32: the token before each target, `start` before the first (teacher forcing)."""
        return np.concatenate([np.full_like(self.targets[:, :1], start), self.targets[:, :-1]], axis=1)

    @property
    def size(self) -> int:
        """Rows, B."""
        return int(self.inputs.shape[0])

    @property
    def time(self) -> int:
        """Padded length, T."""
        return int(self.inputs.shape[1])

    @property
    def valid_steps(self) -> int:
        """Real time steps: the sum of the lengths."""
        return int(self.lengths.sum())
