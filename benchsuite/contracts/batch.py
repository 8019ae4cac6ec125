"""Batch: what one optimiser step sees, in NumPy, the same for every backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

NO_TARGETS = np.zeros(0)
"""The targets of a batch that has none: it can be predicted, not trained on."""


def valid_mask(lengths: np.ndarray, time: int) -> np.ndarray:
    """(B, time) bool, true before each row's length. :param lengths: (B,) integers."""
    valid: np.ndarray = np.arange(time) < lengths[:, None]
    return valid


@dataclass(frozen=True)
class Batch:
    """B padded sequences of at most T steps.

    inputs   (B, T, D) in the trial's dtype, or (B, T) int32 ids
    lengths  (B,) int32, 1 <= length <= T
    targets  cross-entropy: int32 (B,) or (B, T); regression and binary cross-entropy: (B, O) or (B, T, O) in
             the trial's dtype. A decoder's and CTC's: int32 (B, U). NO_TARGETS: none

    Beyond a row's length (targets: beyond its target length) is padding. The batches of training hold zeros
    there, but a program must not depend on it: any finite number or valid id changes no result.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray = field(default_factory=lambda: NO_TARGETS)
    target_lengths: np.ndarray | None = None
    """(B,) int32, 1 <= length <= U: where targets are sequences of a length of their own, else None."""
    resets: np.ndarray | None = None
    """(B, T) bool: where the state of every layer is set to its initial values before the step, whatever the
    state was before, one that was passed in too. Where the model has no resets, None. On padding it changes no
    result."""

    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Dropout: name -> (B, units), in the trial's dtype, zero or 1 / (1 - p), named as schema.mask_widths() has
    it. step() and gradients() multiply by them, at all steps of a row alike; predict(), outputs() and
    decoding() do not look at them. Empty: nothing is dropped."""

    ragged: bool = False
    """Whether the data have rows of several lengths. Some batches then have padding, also where this one has
    none: a program that is compiled without masks for it would be compiled once more for the others. False too
    where that is not known."""
    ragged_targets: bool = False
    """The same of targets of a length of their own."""

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
    def sequences(self) -> int:
        """Sequences that the rows hold: one each, and where there are resets one more for each reset after a
        row's first step."""
        if self.resets is None:
            return self.size
        inside = valid_mask(self.lengths, self.time)
        return self.size + int(np.count_nonzero((self.resets & inside)[:, 1:]))

    @property
    def valid_steps(self) -> int:
        """Real time steps: the sum of the lengths."""
        return int(self.lengths.sum())
