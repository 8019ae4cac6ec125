"""What a record says of its data: a digest of their content, what they were made with, how they are scored."""

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
    for vocabulary in (dataset.vocabulary, dataset.target_vocabulary):
        digest.update("\0".join(vocabulary or ()).encode())
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text: the name under which a study keeps an artifact."""
    return hashlib.sha256(text.encode()).hexdigest()


def data_facts(dataset: Dataset) -> dict[str, str]:
    """`artifact.<name>`: the hash of each thing the data were made with; `metric.<name>`: the signatures that
    a task states in metadata["signatures"] (sacreBLEU's, for example)."""
    found = {f"artifact.{name}": text_digest(text) for name, text in dataset.artifacts.items()}
    signatures = dataset.metadata.get("signatures", {})
    return found | {f"metric.{name}": str(text) for name, text in signatures.items()}
