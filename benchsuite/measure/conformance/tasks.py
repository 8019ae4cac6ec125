"""What every task must satisfy, checked on one of its sources."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task, TaskEntry
from benchsuite.errors import UnsupportedError
from benchsuite.measure.batching import batcher
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.provenance import dataset_digest
from benchsuite.schema import (
    CELLS,
    Convolutional,
    Decoder,
    Exhibit,
    ModelSpec,
    Size,
    Tokens,
    parameter_shapes,
)
from benchsuite.schema.trial import Scalar

SPLITS = ("train", "validation", "test")


def check_task(entry: TaskEntry, source: str) -> None:
    """The data are reproducible and well formed, every architecture gives a model that fits them, and the
    metrics tell good predictions from bad ones."""
    options = {name: option.default for name, option in entry.options.items()}
    task = entry.load()
    data = task.dataset(source, options)
    again = task.dataset(source, options)
    _demand(dataset_digest(data) == dataset_digest(again), f"{source}: two loads give different data")
    _demand(dict(data.artifacts) == dict(again.artifacts), f"{source}: two loads give different artifacts")
    _check_splits(data)
    _check_texts(data)
    models: dict[str, ModelSpec] = {}
    for architecture in entry.architectures:
        for cell in CELLS:
            model = task.model(data, architecture, cell, Size(hidden=8), options)
            _check_model(model, data, f"{source} {architecture}")
            models[architecture] = model
    _check_unknown_architecture(task, data, options)
    perfect = perfect_predictions(models[entry.architectures[0]], data.test)
    _check_scores(task, data, perfect)
    _check_exhibits(task, data, perfect)


def _demand(kept: bool, message: str) -> None:
    if not kept:
        raise ConformanceError(message)


def _check_splits(data: Dataset) -> None:
    splits: list[Split] = [getattr(data, name) for name in SPLITS]
    for name, split in zip(SPLITS, splits, strict=True):
        _demand(len(split) > 0, f"{data.name}: split {name} is empty")
        _demand(len(split.targets) == len(split.inputs), f"{data.name}: {name} has targets for other rows")
        _demand(split.aligned == data.train.aligned, f"{data.name}: {name} is aligned otherwise than train")
        if isinstance(split.targets, Ragged) and split.aligned:
            same = np.array_equal(split.targets.lengths, split.inputs.lengths)
            _demand(same, f"{data.name}: {name} has targets of other lengths than inputs")
        values = split.inputs.values
        if values.dtype.kind == "f":
            _demand(bool(np.all(np.isfinite(values))), f"{data.name}: {name} has inputs that are not finite")
    cut = batcher(data.train, [data.validation, data.test], min(8, len(data.train)), "float32")
    batch = next(cut.epoch(data.train, 0, 0))
    _demand(batch.inputs.ndim in (2, 3), f"{data.name}: inputs of shape {batch.inputs.shape}")


def _check_texts(data: Dataset) -> None:
    """What goes into a record or beside it is text by name."""
    for kind, texts in (("artifacts", data.artifacts), ("signatures", data.metadata.get("signatures", {}))):
        text = all(isinstance(part, str) for pair in texts.items() for part in pair)
        _demand(text, f"{data.name}: {kind} must be texts by name")


def _check_model(model: ModelSpec, data: Dataset, place: str) -> None:
    values = data.train.inputs.values
    if isinstance(model.input, Tokens):
        top = max(_largest(getattr(data, name).inputs) for name in SPLITS)
        _demand(values.dtype.kind == "i", f"{place}: tokens need integer inputs, got {values.dtype}")
        _demand(top < model.input.vocabulary, f"{place}: id {top} is outside the vocabulary")
    else:
        _demand(values.shape[-1] == model.input.size, f"{place}: inputs {values.shape} do not fit the model")
    if isinstance(model.body, Convolutional):
        pixels = model.body.height * model.body.width
        fits = int(data.train.inputs.lengths[0]) * model.input_size == pixels
        _demand(fits, f"{place}: the picture has not {pixels} values")
    _demand(all(min(shape) > 0 for shape in parameter_shapes(model).values()), f"{place}: an empty parameter")
    written = not data.train.aligned
    _demand(
        model.has_sequence_targets == written,
        f"{place}: targets of a length of their own need a decoder or CTC",
    )
    if model.decoder is not None:
        _check_written(model.decoder, data, place)
    elif written:
        _check_labels(model.head.outputs, data, place)


def _check_written(decoder: Decoder, data: Dataset, place: str) -> None:
    """A decoder's targets: ids of its vocabulary, one END each, and that at the end."""
    known = len(data.target_vocabulary or ())
    _demand(
        known in (0, decoder.vocabulary), f"{place}: {known} target words for {decoder.vocabulary} scores"
    )
    for name in SPLITS:
        targets: Ragged = getattr(data, name).targets
        ids = _flat(targets)
        ends, last = ids == decoder.end, np.cumsum(targets.lengths) - 1
        _demand(bool(np.all(ends[last])), f"{place}: a target of {name} does not end with END")
        _demand(int(ends.sum()) == len(targets), f"{place}: a target of {name} has more than one END")
        marks = np.isin(ids, (0, decoder.start))
        _demand(not np.any(marks), f"{place}: a target of {name} holds padding or START")
        _demand(int(ids.max()) < decoder.vocabulary, f"{place}: a target of {name} is outside the vocabulary")
    longest = int(data.train.targets.lengths.max()) if isinstance(data.train.targets, Ragged) else 0
    _demand(decoder.limit >= longest, f"{place}: a training target is longer than what may be written")


def _check_labels(classes: int, data: Dataset, place: str) -> None:
    """CTC's targets: labels without the blank, and no more of them than the inputs have room for, a blank
    between equal neighbours included."""
    for name in SPLITS:
        split: Split = getattr(data, name)
        assert isinstance(split.targets, Ragged)
        ids = _flat(split.targets)
        inside = int(ids.min()) > 0 and int(ids.max()) < classes
        _demand(inside, f"{place}: labels of {name} must be 1 to {classes - 1}")
        row = np.repeat(np.arange(len(split)), split.targets.lengths)
        equal = (ids[1:] == ids[:-1]) & (row[1:] == row[:-1])
        needed = split.targets.lengths + np.bincount(row[1:][equal], minlength=len(split))
        _demand(
            bool(np.all(needed <= split.inputs.lengths)), f"{place}: a row of {name} is too short for CTC"
        )


def _flat(ragged: Ragged) -> np.ndarray:
    """The sequences one after the other, without what lies between them."""
    before = np.cumsum(ragged.lengths) - ragged.lengths
    steps = np.arange(int(ragged.lengths.sum())) - np.repeat(before, ragged.lengths)
    flat: np.ndarray = ragged.values[np.repeat(ragged.starts, ragged.lengths) + steps]
    return flat


def _largest(ragged: Ragged) -> int:
    return int(_flat(ragged).max())


def _check_unknown_architecture(task: Task, data: Dataset, options: dict[str, Scalar]) -> None:
    try:
        task.model(data, "no_such_architecture", "lstm", Size(), options)
    except UnsupportedError:
        return
    raise ConformanceError(f"{data.name}: an unknown architecture must raise UnsupportedError")


def perfect_predictions(model: ModelSpec, split: Split) -> np.ndarray:
    """What a model that knows the targets would give Task.score(): scores of 10 for the right class and 0 for
    the others, the reals themselves, logits of -10 to 10 for what is between 0 and 1, or the targets as
    written. By step, what lies beyond a row's length is zero."""
    targets, inside = split.targets, None
    if isinstance(targets, Ragged):
        rows, lengths = np.arange(len(targets)), targets.lengths
        targets = targets.padded(rows, int(lengths.max()))
        if not split.aligned:
            return targets
        inside = np.arange(targets.shape[1]) < lengths[:, None]
    if targets.dtype.kind == "i":
        found: np.ndarray = np.eye(model.head.outputs, dtype=np.float32)[targets] * 10
    elif model.loss == "binary_cross_entropy":
        found = targets.astype(np.float32) * 20 - 10
    else:
        found = targets.astype(np.float32)
    if inside is not None:
        found[~inside] = 0
    return found


def _check_scores(task: Task, data: Dataset, perfect: np.ndarray) -> None:
    """Perfect predictions score no worse than constant ones, and every metric is a finite number."""
    by_step = isinstance(data.test.targets, Ragged) and data.test.aligned
    constant = np.zeros_like(perfect) + (perfect[:1, :1] if by_step else perfect[:1])
    good = task.score(perfect, data.test, data)
    poor = task.score(constant, data.test, data)
    _demand(task.primary in good, f"{data.name}: score() lacks the primary metric {task.primary!r}")
    for found in (good, poor):
        finite = all(np.isfinite(value) for value in found.values())
        _demand(finite, f"{data.name}: a metric is not finite in {found}")
    better = (
        good[task.primary] >= poor[task.primary]
        if task.higher_is_better
        else (good[task.primary] <= poor[task.primary])
    )
    _demand(better, f"{data.name}: perfect predictions score worse than constant ones")


def _check_exhibits(task: Task, data: Dataset, perfect: np.ndarray) -> None:
    """Exhibits are made with attention and without; one that shows it has a row of it for each token."""
    alignments: dict[int, np.ndarray] = {}
    if not data.test.aligned and isinstance(data.test.targets, Ragged):
        read, written = data.test.inputs.lengths, data.test.targets.lengths
        rows = range(min(2, len(data.test)))
        alignments = {row: np.full((written[row], read[row]), 1 / read[row]) for row in rows}
    for given in ({}, alignments):
        for exhibit in task.exhibits(perfect, data.test, data, given):
            _demand(isinstance(exhibit, Exhibit), f"{data.name}: exhibits() must give Exhibit")
            if "alignment" in exhibit.tables:
                table, lines = exhibit.tables["alignment"], exhibit.lines
                fits = len(table) == len(lines["prediction"]) and all(
                    len(row) == len(lines["source"]) for row in table
                )
                _demand(fits, f"{data.name}: the alignment of {exhibit.name} does not fit its tokens")
