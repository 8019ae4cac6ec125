"""TaskEntry, Task, LoadedTask: a benchmark task before its code, before its data, and with both loaded."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchsuite.contracts.dataset import Split
from benchsuite.contracts.file import DataFile
from benchsuite.contracts.options import Option, Options
from benchsuite.errors import PluginError, UnknownNameError
from benchsuite.schema import ARCHITECTURES, Exhibit, ModelSpec, Size
from benchsuite.schema.entry_checks import (
    check_function,
    check_known,
    check_mapping,
    check_name,
    check_not_empty,
    check_one_of,
    check_optional_text,
    check_text,
    check_tuple,
)
from benchsuite.schema.trial import Scalar

Alignments = Mapping[int, np.ndarray]
"""Row of a split -> attention (L, T) of the L tokens decoded for it on its T input steps."""


@dataclass(frozen=True, kw_only=True)
class LoadedTask(abc.ABC):
    """A task with its data: what one (task, source, options) gives, the same on every machine.

    A task makes a frozen dataclass of its own from this one. What its models and metrics need to know (the
    classes, the scale of the training split, the references of a translation) are further fields of it.

    primary             metric that ranks and that early stopping watches
    higher_is_better    whether more of it is better
    name                task and source, for messages
    train, validation, test
                        the canonical split
    vocabulary          text of each input id, from the training split only; empty where inputs are no tokens
    target_vocabulary   text of each target id; empty where targets are no token sequences
    baselines           name -> {metric: value} on the test split (naive forecast, majority class ...)
    licence             of the data
    artifacts           name -> text of what the data were made with (a trained tokeniser): stored with the
                        study, by hash
    signatures          metric -> how it is computed, where a library states that (sacreBLEU's signatures)
    origin              of inputs or targets that a floating-point formula makes (spectra of sound), so that
                        their last digits depend on the processor: what they are made of, exactly, for instance
                        a SHA-256 of the samples with the formula's settings. The digest of the data is then of
                        this text, see dataset_digest(). Empty where every machine gets the same bits
    """

    primary: ClassVar[str]
    higher_is_better: ClassVar[bool]

    name: str
    train: Split
    validation: Split
    test: Split
    # texts may be private: no message and no representation holds them
    vocabulary: tuple[str, ...] = field(default=(), repr=False)
    target_vocabulary: tuple[str, ...] = field(default=(), repr=False)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    licence: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict, repr=False)
    signatures: Mapping[str, str] = field(default_factory=dict)
    origin: str = field(default="", repr=False)

    @abc.abstractmethod
    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """The model this task asks for. Raises UnsupportedError for an architecture it has no use for."""

    @abc.abstractmethod
    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """Metrics of `predictions` compared with the targets of `split`; always contains `primary`.

        :param predictions: rows in the split's order: logits (n, C), forecasts (n, O), or by step (n, T, ...),
            zero beyond a row's length. Where targets are sequences of a length of their own: int32 (n, L), the
            decoded ids, zero after the last one. A decoder's rows end with its END unless they reached the
            limit without it; CTC's hold labels only.
        :param split: one of the task's splits, or some of its rows.

        The core adds losses, token accuracy and the share of rows without an END.
        """

    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:  # noqa: ARG002
        """What a reader should see of the test split: a few examples, a confusion matrix. None by default, and
        none where the licence or the privacy of the data forbids it.

        :param predictions: as in score().
        :param alignments: the attention of some rows; empty for models without attention.
        """
        return []


class Task(abc.ABC):
    """A benchmark task, imported; its data are not loaded yet."""

    @abc.abstractmethod
    def load(self, source: str, options: Options) -> LoadedTask:
        """Load or generate the data; equal arguments give equal data, bit for bit.

        :param source: one of the entry's sources.
        :param options: every option of the entry, checked; see TaskEntry.complete().

        Raises DataError when a file is missing or is not the pinned one, RequestError where options exclude
        each other or do not suit the data.
        """


@dataclass(frozen=True)
class TaskEntry:
    """What is known of a task without importing it: listing it reads no data and imports nothing heavy."""

    name: str
    load: Callable[[], Task]
    summary: str
    sources: Mapping[str, str]
    """Data sources by name, with one line each; which one is used is part of a trial's identity."""
    offline: tuple[str, ...]
    """The sources that need no download."""
    architectures: tuple[str, ...] = ("plain", "deep", "bidirectional", "deep_bidirectional")
    options: Mapping[str, Option] = field(default_factory=dict)
    packing: str | None = None
    """The option under which several sequences lie in one row, where it is not 0 or false: models then have
    resets (ModelSpec.resets), which a plan must know before the data are loaded."""
    files: tuple[DataFile, ...] = ()
    """Every file that any source may download."""
    requirements: tuple[str, ...] = ()
    """Distributions that every source needs."""
    source_requirements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source -> the distributions that it needs beside `requirements`."""
    extra: str | None = None
    """The extra of benchsuite (or of the plugin) that installs them."""

    def __post_init__(self) -> None:
        """Raises PluginError for a field that is not what this class says."""
        check_name("task", self.name)
        check_function(self, "load")
        check_text(self, "summary")
        check_mapping(self, "sources", str)
        check_not_empty(self, "sources")
        check_tuple(self, "offline", str)
        check_known(self, "offline", self.sources)
        check_tuple(self, "architectures", str)
        check_not_empty(self, "architectures")
        check_known(self, "architectures", ARCHITECTURES)
        check_mapping(self, "options", Option)
        if self.packing is not None:
            check_one_of(self, "packing", self.options)
        check_tuple(self, "files", DataFile)
        check_tuple(self, "requirements", str)
        check_mapping(self, "source_requirements", tuple)
        check_known(self, "source_requirements", self.sources)
        for source, names in self.source_requirements.items():
            if not all(isinstance(name, str) for name in names):
                raise PluginError(
                    f"task {self.name!r}: source_requirements[{source!r}] is {names!r}, must be a tuple of str"
                )
        check_optional_text(self, "extra")

    def required(self, source: str) -> tuple[str, ...]:
        """The distributions that the task needs to load `source`."""
        return (*self.requirements, *self.source_requirements.get(source, ()))

    def has_resets(self, options: Options) -> bool:
        """Whether the task's models have resets under `options`, which are complete."""
        return self.packing is not None and bool(options[self.packing])

    def check_source(self, source: str) -> None:
        """Raises UnknownNameError where the task has no such source."""
        if source not in self.sources:
            raise UnknownNameError(f"source of {self.name}", source, self.sources)

    def complete(self, options: Mapping[str, Scalar]) -> Options:
        """`options` checked, with the default of each one that is not given.

        Raises RequestError for an unknown name, or a value that is not allowed.
        """
        for name in options:
            if name not in self.options:
                raise UnknownNameError(f"option of {self.name}", name, self.options)
        values = {
            name: option.check(f"{name} of {self.name}", options.get(name, option.default))
            for name, option in self.options.items()
        }
        return Options(self.name, values)
