"""What a record says about its data: a digest of the content, what they were made with, how they are scored."""

from __future__ import annotations

import hashlib

import numpy as np

from benchsuite.contracts import LoadedTask, Ragged

SHIFT = 0.05
"""Of the deviation of all values: steps in which the digest of computed values takes the mean of a column."""
OCTAVE = 8
"""Parts of a factor of two by which their deviation is told."""


def dataset_digest(task: LoadedTask) -> str:
    """SHA-256 over the arrays of all splits and the vocabulary; equal content, equal digest.

    Values that a floating-point formula makes differ in their last digits between processors, and no rounding
    puts that right: of a million values some always lie next to a boundary. Where a task states their `origin`,
    the digest is of that text, of every integer, length and shape, and of the means of the real values'
    columns, so coarsely that rounding errors leave them as they are and another formula does not.
    """
    digest = hashlib.sha256(task.origin.encode())
    for split in (task.train, task.validation, task.test):
        parts = [split.inputs, split.targets, *([] if split.resets is None else [split.resets])]
        for part in parts:
            arrays = [part.values, part.starts, part.lengths] if isinstance(part, Ragged) else [part]
            for array in arrays:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                if task.origin and array.dtype.kind == "f":
                    digest.update(_coarse(array).tobytes())
                else:
                    digest.update(np.ascontiguousarray(array).data)
    for vocabulary in (task.vocabulary, task.target_vocabulary):
        digest.update("\0".join(vocabulary).encode())
    return digest.hexdigest()


def _coarse(values: np.ndarray) -> np.ndarray:
    """Where the values (N, ...) of each column lie on average, and how far all of them spread: (columns + 1,)
    int64, little-endian."""
    columns = values.reshape(len(values), -1)
    means = columns.mean(axis=0, dtype=np.float64)
    deviation = float(columns.std(dtype=np.float64)) or 1.0
    found: np.ndarray = np.rint([*(means / (SHIFT * deviation)), OCTAVE * np.log2(deviation)]).astype("<i8")
    return found


def text_digest(text: str) -> str:
    """SHA-256 of a text: the name under which a study keeps an artifact."""
    return hashlib.sha256(text.encode()).hexdigest()


def data_facts(task: LoadedTask) -> dict[str, str]:
    """`data.rows`: sequences of the three splits; `data.steps`: the shortest and the longest of the training
    split. `artifact.<name>`: the hash of each thing the data were made with; `metric.<name>`: the signature
    of each metric that has one (sacreBLEU's, for example)."""
    splits = {"training": task.train, "validation": task.validation, "test": task.test}
    lengths = task.train.inputs.lengths
    low, high = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    found = {
        "data.rows": ", ".join(f"{len(split):,} {name}" for name, split in splits.items()),
        "data.steps": str(low) if low == high else f"{low} to {high}",
    }
    found |= {f"artifact.{name}": text_digest(text) for name, text in task.artifacts.items()}
    return found | {f"metric.{name}": text for name, text in task.signatures.items()}
