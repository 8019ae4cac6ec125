"""Ragged, Split: examples of different lengths in flat arrays; neither padding nor overlap costs memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.errors import ContractError

GATHERED_BYTES = 512
"""Longest padded sequence that is gathered step by step; longer ones are copied one at a time, which needs no
index of every step."""


@dataclass(frozen=True)
class Ragged:
    """n sequences inside one flat array: sequence i is values[starts[i] : starts[i] + lengths[i]].

    values   (N,) int32 ids or (N, D) reals
    starts   (n,) int64; windows of one series may overlap, which costs no copy
    lengths  (n,) int64, each >= 1
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def __post_init__(self) -> None:
        if self.starts.shape != self.lengths.shape or self.starts.ndim != 1:
            raise ContractError(
                f"Ragged: starts {self.starts.shape} and lengths {self.lengths.shape} must be equal (n,)"
            )
        if len(self.lengths) and int(self.lengths.min()) < 1:
            raise ContractError("Ragged: every sequence needs at least one step; drop empty examples")
        if len(self.starts) and (
            int(self.starts.min()) < 0 or int((self.starts + self.lengths).max()) > len(self.values)
        ):
            raise ContractError("Ragged: a sequence reaches outside `values`")

    @classmethod
    def from_sequences(cls, sequences: Sequence[np.ndarray]) -> Ragged:
        """Join separate arrays, each (length,) or (length, D)."""
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        return cls(np.concatenate(list(sequences)), starts, lengths)

    @classmethod
    def from_dense(cls, values: np.ndarray) -> Ragged:
        """n sequences of equal length: values (n, T) or (n, T, D); a view, no copy."""
        n, time = values.shape[:2]
        starts = np.arange(n, dtype=np.int64) * time
        return cls(values.reshape(n * time, *values.shape[2:]), starts, np.full(n, time, np.int64))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> np.ndarray:
        start = int(self.starts[index])
        sequence: np.ndarray = self.values[start : start + int(self.lengths[index])]
        return sequence

    def padded(self, rows: np.ndarray, time: int) -> np.ndarray:
        """Rows `rows` as one array (len(rows), time, ...), zero beyond each length."""
        lengths = self.lengths[rows]
        if time * self.values[:1].nbytes > GATHERED_BYTES:
            whole = np.zeros((len(rows), time, *self.values.shape[1:]), self.values.dtype)
            for row, start, length in zip(whole, self.starts[rows].tolist(), lengths.tolist(), strict=True):
                row[:length] = self.values[start : start + length]
            return whole
        steps = np.arange(time)
        index = self.starts[rows][:, None] + np.minimum(steps, lengths[:, None] - 1)
        taken: np.ndarray = self.values[index]
        if int(lengths.min()) < time:
            taken[steps >= lengths[:, None]] = 0
        return taken

    def to_dense(self) -> np.ndarray:
        """Sequences of equal length as one array (n, T, ...), a copy. Raises ContractError for other ones."""
        time = int(self.lengths[0])
        if not np.all(self.lengths == time):
            raise ContractError(
                f"Ragged: lengths are {self.lengths.min()} to {self.lengths.max()}, not equal"
            )
        return self.padded(np.arange(len(self)), time)

    def flat(self) -> np.ndarray:
        """The sequences one after the other, (sum of lengths, ...), without what lies between them; a copy."""
        before = np.cumsum(self.lengths) - self.lengths
        steps = np.arange(int(self.lengths.sum())) - np.repeat(before, self.lengths)
        flat: np.ndarray = self.values[np.repeat(self.starts, self.lengths) + steps]
        return flat

    def select(self, rows: np.ndarray) -> Ragged:
        """The same values, fewer sequences; no copy of the values."""
        return Ragged(self.values, self.starts[rows], self.lengths[rows])


@dataclass(frozen=True)
class Split:
    """Examples of one split. `targets`: (n,) int32 classes, (n, O) reals, or Ragged.

    aligned  for Ragged targets: True where there is one for each input step; False where they are sequences of
             a length of their own, for a decoder (each ends with its END) or for CTC (no blanks)
    resets   for a model with resets: (N,) bool, as long as inputs.values, true where a new sequence begins;
             else None

    A task knows which kind of targets it has and reads them by row_targets, step_targets or sequence_targets,
    each of which raises ContractError for a split of another kind.
    """

    inputs: Ragged
    targets: np.ndarray | Ragged
    aligned: bool = True
    resets: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.resets is not None and (
            self.resets.dtype != bool or self.resets.shape != self.inputs.values.shape[:1]
        ):
            raise ContractError(
                f"Split: resets are {self.resets.dtype} {self.resets.shape}, must be bool "
                f"{self.inputs.values.shape[:1]}, one for each step of the inputs' values"
            )
        if not self.aligned and not isinstance(self.targets, Ragged):
            raise ContractError("Split: targets of a length of their own must be Ragged")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def row_targets(self) -> np.ndarray:
        """One target for each row: (n,) int32 classes or (n, O) reals."""
        if isinstance(self.targets, Ragged):
            raise self._other("one for each row")
        return self.targets

    @property
    def step_targets(self) -> Ragged:
        """One target for each input step: (N,) int32 classes or (N, O) reals in all."""
        if not isinstance(self.targets, Ragged) or not self.aligned:
            raise self._other("one for each input step")
        return self.targets

    @property
    def sequence_targets(self) -> Ragged:
        """A target sequence of a length of its own for each row: (N,) int32 ids in all."""
        if not isinstance(self.targets, Ragged) or self.aligned:
            raise self._other("sequences of a length of their own")
        return self.targets

    def _other(self, wanted: str) -> ContractError:
        kind = "one for each row"
        if isinstance(self.targets, Ragged):
            kind = "one for each input step" if self.aligned else "sequences of a length of their own"
        return ContractError(f"Split: targets are {kind}, not {wanted}")

    @property
    def reset_steps(self) -> Ragged | None:
        """The resets as sequences, row by row; None where there are none."""
        if self.resets is None:
            return None
        return Ragged(self.resets, self.inputs.starts, self.inputs.lengths)

    def select(self, rows: np.ndarray) -> Split:
        """The given rows; the values are not copied."""
        targets = self.targets.select(rows) if isinstance(self.targets, Ragged) else self.targets[rows]
        return Split(self.inputs.select(rows), targets, self.aligned, self.resets)
