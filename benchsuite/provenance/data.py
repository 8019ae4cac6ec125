"""A digest of a data set's content."""

from __future__ import annotations

import hashlib

import numpy as np

from benchsuite.contracts import Dataset, Ragged


def dataset_digest(dataset: Dataset) -> str:
    """SHA-256 over the arrays of all splits and the vocabulary; equal content, equal digest."""
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.validation, dataset.test):
        for part in (split.inputs, split.targets):
            arrays = [part.values, part.starts, part.lengths] if isinstance(part, Ragged) else [part]
            for array in arrays:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
    digest.update("\0".join(dataset.vocabulary or ()).encode())
    return digest.hexdigest()
