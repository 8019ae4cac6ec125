"""What every task must satisfy, checked on one of its sources."""

from __future__ import annotations

import numpy as np

from benchsuite.batching import batcher
from benchsuite.conformance.backend import ConformanceError
from benchsuite.contracts import Dataset, Ragged, Split, Task, TaskEntry
from benchsuite.errors import UnsupportedError
from benchsuite.provenance import dataset_digest
from benchsuite.spec import CELLS, Convolutional, ModelSpec, Size, Tokens, parameter_shapes
from benchsuite.spec.trial import Scalar


def check_task(entry: TaskEntry, source: str) -> None:
    """The data are reproducible and well formed, every architecture gives a model that fits them, and the
    metrics tell good predictions from bad ones."""
    options = {name: option.default for name, option in entry.options.items()}
    task = entry.load()
    data = task.dataset(source, options)
    again = task.dataset(source, options)
    _demand(dataset_digest(data) == dataset_digest(again), f"{source}: two loads give different data")
    _check_splits(data)
    for architecture in entry.architectures:
        for cell in CELLS:
            model = task.model(data, architecture, cell, Size(hidden=8), options)
            _check_model(model, data, f"{source} {architecture}")
    _check_unknown_architecture(task, data, options)
    _check_scores(task, data)


def _demand(kept: bool, message: str) -> None:
    if not kept:
        raise ConformanceError(message)


def _check_splits(data: Dataset) -> None:
    for name in ("train", "validation", "test"):
        split: Split = getattr(data, name)
        _demand(len(split) > 0, f"{data.name}: split {name} is empty")
        _demand(len(split.targets) == len(split.inputs), f"{data.name}: {name} has targets for other rows")
        if isinstance(split.targets, Ragged):
            same = np.array_equal(split.targets.lengths, split.inputs.lengths)
            _demand(same, f"{data.name}: {name} has targets of other lengths than inputs")
        values = split.inputs.values
        if values.dtype.kind == "f":
            _demand(bool(np.all(np.isfinite(values))), f"{data.name}: {name} has inputs that are not finite")
    cut = batcher(data.train, [data.validation, data.test], min(8, len(data.train)), "float32")
    batch = next(cut.epoch(data.train, 0, 0))
    _demand(batch.inputs.ndim in (2, 3), f"{data.name}: inputs of shape {batch.inputs.shape}")


def _check_model(model: ModelSpec, data: Dataset, place: str) -> None:
    values = data.train.inputs.values
    if isinstance(model.input, Tokens):
        top = max(int(split.inputs.values.max()) for split in (data.train, data.validation, data.test))
        _demand(values.dtype.kind == "i", f"{place}: tokens need integer inputs, got {values.dtype}")
        _demand(top < model.input.vocabulary, f"{place}: id {top} is outside the vocabulary")
    else:
        _demand(values.shape[-1] == model.input.size, f"{place}: inputs {values.shape} do not fit the model")
    if isinstance(model.body, Convolutional):
        pixels = model.body.height * model.body.width
        fits = int(data.train.inputs.lengths[0]) * model.input_size == pixels
        _demand(fits, f"{place}: the picture has not {pixels} values")
    _demand(all(min(shape) > 0 for shape in parameter_shapes(model).values()), f"{place}: an empty parameter")


def _check_unknown_architecture(task: Task, data: Dataset, options: dict[str, Scalar]) -> None:
    try:
        task.model(data, "no_such_architecture", "lstm", Size(), options)
    except UnsupportedError:
        return
    raise ConformanceError(f"{data.name}: an unknown architecture must raise UnsupportedError")


def _check_scores(task: Task, data: Dataset) -> None:
    """Perfect predictions score no worse than constant ones, and every metric is a finite number."""
    targets = data.test.targets
    if isinstance(targets, Ragged):
        return
    if targets.dtype.kind == "i":
        classes = int(max(targets.max(), 1)) + 1
        perfect = np.eye(classes, dtype=np.float32)[targets] * 10
    else:
        perfect = targets.astype(np.float32)
    good = task.score(perfect, data.test, data)
    poor = task.score(np.zeros_like(perfect) + perfect[:1], data.test, data)
    _demand(task.primary in good, f"{data.name}: score() lacks the primary metric {task.primary!r}")
    _demand(
        all(np.isfinite(value) for value in good.values()), f"{data.name}: a metric is not finite in {good}"
    )
    better = (
        good[task.primary] >= poor[task.primary]
        if task.higher_is_better
        else (good[task.primary] <= poor[task.primary])
    )
    _demand(better, f"{data.name}: perfect predictions score worse than constant ones")
