"""What every task must satisfy, checked on one of its sources."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import LoadedTask, Ragged, Split, TaskEntry
from benchsuite.errors import UnsupportedError
from benchsuite.measure.batching import batcher
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.provenance import dataset_digest
from benchsuite.schema import (
    BUILTIN_CELLS,
    Convolutional,
    Decoder,
    Exhibit,
    ModelSpec,
    Size,
    Tokens,
    parameter_shapes,
)

SPLITS = ("train", "validation", "test")


def check_task(entry: TaskEntry, source: str) -> None:
    """The data are reproducible and well formed, every architecture gives a model that fits them, and the
    metrics tell good predictions from bad ones. Raises ConformanceError with what is not so."""
    task, again = (entry.load().load(source, entry.complete({})) for _ in range(2))
    _demand(dataset_digest(task) == dataset_digest(again), f"{source}: two loads give different data")
    _demand(dict(task.artifacts) == dict(again.artifacts), f"{source}: two loads give different artifacts")
    _check_splits(task)
    _check_texts(task)
    models: dict[str, ModelSpec] = {}
    for architecture in entry.architectures:
        for cell in BUILTIN_CELLS:
            model = task.model(architecture, cell, Size(hidden=8))
            _check_model(model, task, f"{source} {architecture}")
            models[architecture] = model
    _check_unknown_architecture(task)
    perfect = perfect_predictions(models[entry.architectures[0]], task.test)
    _check_scores(task, perfect)
    _check_exhibits(task, perfect)


def _demand(kept: bool, message: str) -> None:
    if not kept:
        raise ConformanceError(message)


def _check_splits(task: LoadedTask) -> None:
    splits = [_split(task, name) for name in SPLITS]
    for name, split in zip(SPLITS, splits, strict=True):
        _demand(len(split) > 0, f"{task.name}: split {name} is empty")
        _demand(len(split.targets) == len(split.inputs), f"{task.name}: {name} has targets for other rows")
        _demand(split.aligned == task.train.aligned, f"{task.name}: {name} is aligned otherwise than train")
        if isinstance(split.targets, Ragged) and split.aligned:
            same = np.array_equal(split.targets.lengths, split.inputs.lengths)
            _demand(same, f"{task.name}: {name} has targets of other lengths than inputs")
        values = split.inputs.values
        if values.dtype.kind == "f":
            _demand(bool(np.all(np.isfinite(values))), f"{task.name}: {name} has inputs that are not finite")
    cut = batcher(task.train, [task.validation, task.test], min(8, len(task.train)), "float32")
    batch = next(cut.epoch(task.train, 0, 0))
    _demand(batch.inputs.ndim in (2, 3), f"{task.name}: inputs of shape {batch.inputs.shape}")


def _check_texts(task: LoadedTask) -> None:
    """What is stored with a record is text by name."""
    for kind, texts in (("artifacts", task.artifacts), ("signatures", task.signatures)):
        text = all(isinstance(part, str) for pair in texts.items() for part in pair)
        _demand(text, f"{task.name}: {kind} must be texts by name")


def _check_model(model: ModelSpec, task: LoadedTask, place: str) -> None:
    values = task.train.inputs.values
    if isinstance(model.input, Tokens):
        top = max(int(_split(task, name).inputs.flat().max()) for name in SPLITS)
        _demand(values.dtype.kind == "i", f"{place}: tokens need integer inputs, got {values.dtype}")
        _demand(top < model.input.vocabulary, f"{place}: id {top} is outside the vocabulary")
    else:
        _demand(values.shape[-1] == model.input.size, f"{place}: inputs {values.shape} do not fit the model")
    if isinstance(model.body, Convolutional):
        pixels = model.body.height * model.body.width
        fits = int(task.train.inputs.lengths[0]) * model.input_size == pixels
        _demand(fits, f"{place}: the picture has not {pixels} values")
    _demand(all(min(shape) > 0 for shape in parameter_shapes(model).values()), f"{place}: an empty parameter")
    sequences = not task.train.aligned
    _demand(
        model.has_sequence_targets == sequences,
        f"{place}: targets of a length of their own need a decoder or CTC",
    )
    if model.decoder is not None:
        _check_decoded(model.decoder, task, place)
    elif sequences:
        _check_labels(model.head.outputs, task, place)


def _check_decoded(decoder: Decoder, task: LoadedTask, place: str) -> None:
    """A decoder's targets: ids of its vocabulary, one END each, and that at the end."""
    known = len(task.target_vocabulary)
    _demand(
        known in (0, decoder.vocabulary), f"{place}: {known} target words for {decoder.vocabulary} scores"
    )
    for name in SPLITS:
        targets = _split(task, name).sequence_targets
        ids = targets.flat()
        ends, last = ids == decoder.end, np.cumsum(targets.lengths) - 1
        _demand(bool(np.all(ends[last])), f"{place}: a target of {name} does not end with END")
        _demand(int(ends.sum()) == len(targets), f"{place}: a target of {name} has more than one END")
        marks = np.isin(ids, (0, decoder.start))
        _demand(not np.any(marks), f"{place}: a target of {name} holds padding or START")
        _demand(int(ids.max()) < decoder.vocabulary, f"{place}: a target of {name} is outside the vocabulary")
    longest = int(task.train.sequence_targets.lengths.max())
    _demand(decoder.limit >= longest, f"{place}: a training target is longer than what may be generated")


def _check_labels(classes: int, task: LoadedTask, place: str) -> None:
    """CTC's targets: labels without the blank, and no more of them than the inputs have room for, a blank
    between equal neighbours included."""
    for name in SPLITS:
        split = _split(task, name)
        targets = split.sequence_targets
        ids = targets.flat()
        inside = int(ids.min()) > 0 and int(ids.max()) < classes
        _demand(inside, f"{place}: labels of {name} must be 1 to {classes - 1}")
        row = np.repeat(np.arange(len(split)), targets.lengths)
        equal = (ids[1:] == ids[:-1]) & (row[1:] == row[:-1])
        needed = targets.lengths + np.bincount(row[1:][equal], minlength=len(split))
        _demand(
            bool(np.all(needed <= split.inputs.lengths)), f"{place}: a row of {name} is too short for CTC"
        )


def _split(task: LoadedTask, name: str) -> Split:
    return {"train": task.train, "validation": task.validation, "test": task.test}[name]


def _check_unknown_architecture(task: LoadedTask) -> None:
    try:
        task.model("no_such_architecture", "lstm", Size())
    except UnsupportedError:
        return
    raise ConformanceError(f"{task.name}: an unknown architecture must raise UnsupportedError")


def perfect_predictions(model: ModelSpec, split: Split) -> np.ndarray:
    """What a model that knows the targets would give LoadedTask.score(): scores of 10 for the right class and 0
    for the others, the reals themselves, logits of -10 to 10 for what is between 0 and 1, or the targets
    themselves. By step, what lies beyond a row's length is zero."""
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


def _check_scores(task: LoadedTask, perfect: np.ndarray) -> None:
    """Perfect predictions score no worse than constant ones, and every metric is a finite number."""
    by_step = isinstance(task.test.targets, Ragged) and task.test.aligned
    constant = np.zeros_like(perfect) + (perfect[:1, :1] if by_step else perfect[:1])
    good = task.score(perfect, task.test)
    poor = task.score(constant, task.test)
    _demand(task.primary in good, f"{task.name}: score() lacks the primary metric {task.primary!r}")
    for found in (good, poor):
        finite = all(np.isfinite(value) for value in found.values())
        _demand(finite, f"{task.name}: a metric is not finite in {found}")
    better = (
        good[task.primary] >= poor[task.primary]
        if task.higher_is_better
        else (good[task.primary] <= poor[task.primary])
    )
    _demand(better, f"{task.name}: perfect predictions score worse than constant ones")


def _check_exhibits(task: LoadedTask, perfect: np.ndarray) -> None:
    """Exhibits are made with attention and without; one that shows it has a row of it for each token. A curve
    has labels for its axes, and lines whose points (x, y) are in the order of x."""
    alignments: dict[int, np.ndarray] = {}
    if not task.test.aligned and isinstance(task.test.targets, Ragged):
        read, decoded = task.test.inputs.lengths, task.test.targets.lengths
        rows = range(min(2, len(task.test)))
        alignments = {row: np.full((decoded[row], read[row]), 1 / read[row]) for row in rows}
    for given in ({}, alignments):
        for exhibit in task.exhibits(perfect, task.test, given):
            _demand(isinstance(exhibit, Exhibit), f"{task.name}: exhibits() must give Exhibit")
            if "alignment" in exhibit.tables:
                table, lines = exhibit.tables["alignment"], exhibit.lines
                fits = len(table) == len(lines["prediction"]) and all(
                    len(row) == len(lines["source"]) for row in table
                )
                _demand(fits, f"{task.name}: the alignment of {exhibit.name} does not fit its tokens")
            if exhibit.kind == "curve":
                labels = all(len(exhibit.lines.get(axis, [])) == 1 for axis in ("x", "y"))
                _demand(labels, f"{task.name}: the curve {exhibit.name} needs one label for x and one for y")
                drawn = exhibit.tables and all(_is_line(points) for points in exhibit.tables.values())
                _demand(
                    bool(drawn), f"{task.name}: the curve {exhibit.name} needs points (x, y) with x ascending"
                )


def _is_line(points: list[list[float]]) -> bool:
    if not points or any(len(point) != 2 for point in points):
        return False
    return bool(np.all(np.diff(np.array(points)[:, 0]) > 0))
