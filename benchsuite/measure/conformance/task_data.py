"""What the data of a task, and its models, must satisfy: each check raises ConformanceError with what is not
so."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchsuite.contracts import LoadedTask, Ragged, Split, TaskEntry
from benchsuite.contracts.checks import check_data, model_problem
from benchsuite.errors import BenchsuiteError, UnsupportedError
from benchsuite.measure.batching import batcher
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.provenance import dataset_digest
from benchsuite.schema import BUILTIN_CELLS, Convolutional, Decoder, ModelSpec, Recipe, Size, parameter_shapes

SPLITS = ("train", "validation", "test")
MOST_SHARED = 0.05
"""Share of a split's rows that may be rows of another one: real data repeat themselves now and then."""
STREAM_ROWS, PIECE = 8, 64
"""A split of so few rows is compared in pieces of so many steps."""


@dataclass(frozen=True)
class TaskUnderTest:
    """A source of a task, loaded twice."""

    entry: TaskEntry
    source: str
    task: LoadedTask
    again: LoadedTask

    @classmethod
    def loaded(cls, entry: TaskEntry, source: str) -> TaskUnderTest:
        """Raises ConformanceError where load() fails otherwise than the contract says."""
        with calling("load()"):
            task, again = (entry.load().load(source, entry.complete({})) for _ in range(2))
        demand(isinstance(task, LoadedTask), f"load() gave {type(task).__name__}, must be a LoadedTask")
        return cls(entry, source, task, again)

    @cached_property
    def models(self) -> dict[str, ModelSpec]:
        """By architecture, with the last of the built-in cells."""
        found = {}
        for architecture in self.entry.architectures:
            for cell in BUILTIN_CELLS:
                call = f"model({architecture!r}, {cell!r})"
                with calling(call):
                    model = self.task.model(architecture, cell, Size(hidden=8))
                demand(
                    isinstance(model, ModelSpec), f"{call} gave {type(model).__name__}, must be a ModelSpec"
                )
                found[architecture] = model
        return found

    def splits(self) -> dict[str, Split]:
        return {name: getattr(self.task, name) for name in SPLITS}


def demand(kept: bool, message: str) -> None:
    """Raise ConformanceError with the message unless `kept`."""
    if not kept:
        raise ConformanceError(message)


@contextlib.contextmanager
def calling(what: str) -> Iterator[None]:
    """What a plugin's own code raises, as a sentence that names the call."""
    try:
        yield
    except BenchsuiteError:
        raise
    except Exception as error:
        raise ConformanceError(f"{what} raised {type(error).__name__}: {error}") from error


def check_same_data(found: TaskUnderTest) -> None:
    """Two loads give the same data, bit for bit, and the same artifacts."""
    task, again, source = found.task, found.again, found.source
    demand(dataset_digest(task) == dataset_digest(again), f"{source}: two loads give different data")
    demand(dict(task.artifacts) == dict(again.artifacts), f"{source}: two loads give different artifacts")


def check_splits(found: TaskUnderTest) -> None:
    """Every split has rows, a target for each, and finite numbers; all splits are aligned alike, and
    batches can be cut from them."""
    task = found.task
    for name, split in found.splits().items():
        demand(len(split) > 0, f"{task.name}: split {name} is empty")
        demand(len(split.targets) == len(split.inputs), f"{task.name}: {name} has targets for other rows")
        demand(split.aligned == task.train.aligned, f"{task.name}: {name} is aligned otherwise than train")
        if isinstance(split.targets, Ragged) and split.aligned:
            same = np.array_equal(split.targets.lengths, split.inputs.lengths)
            demand(same, f"{task.name}: {name} has targets of other lengths than inputs")
        targets = split.targets.values if isinstance(split.targets, Ragged) else split.targets
        for what, values in (("inputs", split.inputs.values), ("targets", targets)):
            finite = values.dtype.kind != "f" or bool(np.all(np.isfinite(values)))
            demand(finite, f"{task.name}: {name} has {what} that are not finite")
    cut = batcher(task.train, [task.validation, task.test], min(8, len(task.train)), "float32")
    batch = next(cut.epoch(task.train, 0, 0))
    demand(batch.inputs.ndim in (2, 3), f"{task.name}: inputs of shape {batch.inputs.shape}")


def check_disjoint(found: TaskUnderTest) -> None:
    """No split holds rows of another one, inputs and target alike, but for a few."""
    splits = found.splits()
    for name, other in (("validation", "train"), ("test", "train"), ("test", "validation")):
        share = _shared(splits[name], splits[other])
        demand(
            share <= MOST_SHARED,
            f"{found.task.name}: {share:.0%} of {name} is in {other} too; splits must not overlap",
        )


def _shared(split: Split, other: Split) -> float:
    """Share of the rows of `split` that are in `other`; of a few long rows, the share of their pieces."""
    if not len(split) or not len(other):
        return 0.0
    if len(split) > STREAM_ROWS or int(split.inputs.lengths.min()) < 2 * PIECE:
        known = set(_digests(other))
        return float(np.mean([digest in known for digest in _digests(split)]))
    whole = np.ascontiguousarray(other.inputs.flat()).tobytes()
    steps = split.inputs.flat()
    pieces = [
        np.ascontiguousarray(steps[start : start + PIECE]) for start in range(0, len(steps) - PIECE, PIECE)
    ]
    chosen = pieces[:: max(1, len(pieces) // 100)]
    return float(np.mean([piece.tobytes() in whole for piece in chosen]))


def _digests(split: Split) -> Iterator[bytes]:
    for row in range(len(split)):
        digest = hashlib.blake2b(np.ascontiguousarray(split.inputs[row]).tobytes(), digest_size=16)
        digest.update(np.ascontiguousarray(split.targets[row]).tobytes())
        yield digest.digest()


def check_texts(found: TaskUnderTest) -> None:
    """What is stored with a record is text by name."""
    task = found.task
    for kind, texts in (("artifacts", task.artifacts), ("signatures", task.signatures)):
        text = all(isinstance(part, str) for pair in texts.items() for part in pair)
        demand(text, f"{task.name}: {kind} must be texts by name")


def check_models(found: TaskUnderTest) -> None:
    """Every architecture of the entry gives a model that can be computed, with resets as the entry says;
    another one is refused by UnsupportedError."""
    resets = found.entry.has_resets(found.entry.complete({}))
    for architecture, model in found.models.items():
        place = f"{found.source} {architecture}"
        problem = model_problem(model, Recipe())
        demand(problem is None, f"{place}: {problem}")
        demand(
            all(min(shape) > 0 for shape in parameter_shapes(model).values()), f"{place}: an empty parameter"
        )
        demand(model.resets == resets, f"{place}: resets are {model.resets}, the entry says {resets}")
    with calling("model('no_such_architecture')"):
        try:
            found.task.model("no_such_architecture", "lstm", Size())
        except UnsupportedError:
            return
    raise ConformanceError(f"{found.task.name}: an unknown architecture must raise UnsupportedError")


def check_fit(found: TaskUnderTest) -> None:
    """Inputs and targets of every split are what each architecture's model reads: widths, dtypes, ids and
    classes in range, one target per row or per step."""
    for architecture, model in found.models.items():
        place = f"{found.source} {architecture}"
        try:
            check_data(model, found.task)
        except BenchsuiteError as error:
            raise ConformanceError(f"{place}: {error}") from None
        if isinstance(model.body, Convolutional):
            pixels = model.body.height * model.body.width
            fits = int(found.task.train.inputs.lengths[0]) * model.input_size == pixels
            demand(fits, f"{place}: the picture has not {pixels} values")


def check_sequences(found: TaskUnderTest) -> None:
    """Targets of a length of their own: a decoder's are ids of its vocabulary with one END each, at the end;
    CTC's are labels without the blank that the inputs have room for."""
    for architecture, model in found.models.items():
        place = f"{found.source} {architecture}"
        if found.task.train.aligned or not model.has_sequence_targets:
            continue
        if model.decoder is not None:
            _check_decoded(model.decoder, found, place)
        else:
            _check_labels(model.head.outputs, found, place)


def _check_decoded(decoder: Decoder, found: TaskUnderTest, place: str) -> None:
    known = len(found.task.target_vocabulary)
    demand(known in (0, decoder.vocabulary), f"{place}: {known} target words for {decoder.vocabulary} scores")
    for name, split in found.splits().items():
        targets = split.sequence_targets
        ids = targets.flat()
        ends, last = ids == decoder.end, np.cumsum(targets.lengths) - 1
        demand(bool(np.all(ends[last])), f"{place}: a target of {name} does not end with END")
        demand(int(ends.sum()) == len(targets), f"{place}: a target of {name} has more than one END")
        marks = np.isin(ids, (0, decoder.start))
        demand(not np.any(marks), f"{place}: a target of {name} holds padding or START")
    longest = int(found.task.train.sequence_targets.lengths.max())
    demand(decoder.limit >= longest, f"{place}: a training target is longer than what may be generated")


def _check_labels(classes: int, found: TaskUnderTest, place: str) -> None:
    """A blank between equal neighbours takes a step of the inputs too."""
    for name, split in found.splits().items():
        targets = split.sequence_targets
        ids = targets.flat()
        demand(int(ids.min()) > 0, f"{place}: labels of {name} must be 1 to {classes - 1}; 0 is the blank")
        row = np.repeat(np.arange(len(split)), targets.lengths)
        equal = (ids[1:] == ids[:-1]) & (row[1:] == row[:-1])
        needed = targets.lengths + np.bincount(row[1:][equal], minlength=len(split))
        demand(bool(np.all(needed <= split.inputs.lengths)), f"{place}: a row of {name} is too short for CTC")
