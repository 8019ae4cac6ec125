"""Task: a data set, the model shapes it needs, its metrics."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts.dataset import Dataset, Split
from benchsuite.data.file import DataFile
from benchsuite.schema import Exhibit, ModelSpec, Size
from benchsuite.schema.trial import Scalar


@dataclass(frozen=True)
class Option:
    """One setting of a task: its default, what it says, and its allowed values (None: any of that type)."""

    default: Scalar
    help: str
    choices: tuple[Scalar, ...] | None = None


class Task(abc.ABC):
    """A benchmark task. Options arrive complete: every option of the entry has a value."""

    primary: str
    """The metric that ranks and that early stopping watches."""
    higher_is_better: bool

    @abc.abstractmethod
    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Load or generate the data; equal arguments give equal data, bit for bit.

        Raises DataError when a file is missing or is not the pinned one.
        """

    @abc.abstractmethod
    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """The model this task asks for. Raises UnsupportedError for an architecture it has no use for."""

    @abc.abstractmethod
    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """Metrics of `predictions` (rows in the split's order: logits (n, C), forecasts (n, O), or by step
        (n, T, ...)) against the split's targets; always contains `primary`.

        Where targets are sequences of a length of their own, predictions are what was written: int32 (n, L)
        ids, zero after the last one. A decoder's rows end with its END unless they never ended; CTC's hold
        labels alone. Losses, token accuracy and the share that never ended are added by the core."""

    def exhibits(
        self,
        predictions: np.ndarray,  # noqa: ARG002
        split: Split,  # noqa: ARG002
        dataset: Dataset,  # noqa: ARG002
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """What a reader should see of the test split: a few examples, a confusion matrix. None by default, and
        none where the licence or the privacy of the data forbids it.

        :param alignments: row -> attention (L, T) of what was written for it on the row's valid steps.
        """
        return []


@dataclass(frozen=True)
class TaskEntry:
    """The cheap card of a task: listing it reads no data and imports nothing heavy."""

    name: str
    load: Callable[[], Task]
    summary: str
    sources: Mapping[str, str]
    """Data sources by name, with one line each; which one is used is part of a trial's identity."""
    offline: tuple[str, ...]
    """The sources that need no download."""
    architectures: tuple[str, ...] = ("plain", "deep", "bidirectional", "deep_bidirectional")
    options: Mapping[str, Option] = field(default_factory=dict)
    files: tuple[DataFile, ...] = ()
    """Every file that any source may download."""
    requirements: tuple[str, ...] = ()
    """Distributions that load() needs."""
    extra: str | None = None
    """The extra of benchsuite (or of the plugin) that installs them."""
