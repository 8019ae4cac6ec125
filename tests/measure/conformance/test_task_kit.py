"""The task kit on tasks that generate sequences: a sound one passes, and each fault is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task, TaskEntry
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.conformance.tasks import check_task, perfect_predictions
from benchsuite.schema import Decoder, Dense, Exhibit, Features, ModelSpec, Recurrent, Size, Tokens

VOCABULARY = ("<pad>", "<unk>", "<s>", "</s>", "a", "b")
Change = Callable[[LoadedTask], LoadedTask]


def ragged(*rows: list[int]) -> Ragged:
    return Ragged.from_sequences([np.array(row, np.int32) for row in rows])


@dataclass(frozen=True, kw_only=True)
class CopyingData(LoadedTask):
    """Generates what it reads, by a decoder."""

    primary = "exact_match"
    higher_is_better = True

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        if architecture == "encoder_decoder":
            body, words = Recurrent(cell, size.hidden), len(VOCABULARY)
            decoder = Decoder(words, 4, body, "none", limit=3)
            return ModelSpec(Tokens(words, 4), body, Dense(words), "cross_entropy", decoder=decoder)
        raise UnsupportedError(f"no {architecture}")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        wanted = split.sequence_targets.padded(np.arange(len(split)), predictions.shape[1])
        return {self.primary: float(np.mean(np.all(predictions == wanted, axis=1)))}


class TranscribingData(CopyingData):
    """The same without a decoder: labels under CTC."""

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        if architecture == "encoder_decoder":
            return ModelSpec(Tokens(6, 4), Recurrent(cell, size.hidden), Dense(6), "ctc", "steps")
        raise UnsupportedError(f"no {architecture}")


class ShowingData(CopyingData):
    """Shows attention that does not fit its words."""

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        lines = {"source": ["a", "b", "b"], "target": ["a"], "prediction": ["a"]}
        if 0 not in alignments:
            return []
        return [Exhibit(name="row 0", kind="text", lines=lines, tables={"alignment": alignments[0].tolist()})]


class CurveData(CopyingData):
    """Shows a curve."""

    lines: ClassVar[dict[str, list[str]]]
    points: ClassVar[list[list[float]]]

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        return [Exhibit(name="by length", kind="curve", lines=self.lines, tables={"share": self.points})]


class Copying(Task):
    """Three rows; `change` spoils them."""

    kind: type[LoadedTask] = CopyingData
    targets = ragged([4, 5, 3], [5, 3], [4, 3])

    def __init__(self, change: Change = lambda data: data) -> None:
        self.change = change

    @override
    def load(self, source: str, options: Options) -> LoadedTask:
        rows = (([4, 5, 5], [5, 4], [4, 4]), ([5, 4, 5], [4, 5], [5, 5]), ([4, 4, 5], [5, 4, 4], [5, 5, 4]))
        train, validation, test = (Split(ragged(*part), self.targets, aligned=False) for part in rows)
        words = VOCABULARY
        data = self.kind(
            name="copying",
            train=train,
            validation=validation,
            test=test,
            vocabulary=words,
            target_vocabulary=words,
        )
        return self.change(data)


class Transcribing(Copying):
    kind = TranscribingData
    targets = ragged([4, 5], [5], [4])


class Showing(Copying):
    kind = ShowingData


def check(task: Task) -> None:
    card = TaskEntry("copying", lambda: task, "copies", {"s": "all"}, ("s",), ("encoder_decoder",))
    check_task(card, "s")


def targets(*rows: list[int]) -> Change:
    def change(data: LoadedTask) -> LoadedTask:
        return replace(data, train=Split(data.train.inputs, ragged(*rows), aligned=False))

    return change


def test_sound_tasks_pass() -> None:
    check(Copying())
    check(Transcribing())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (targets([4, 3], [5], [4, 3]), "does not end with END"),
        (targets([3, 3], [5, 3], [4, 3]), "more than one END"),
        (targets([2, 3], [5, 3], [4, 3]), "padding or START"),
        (targets([9, 3], [5, 3], [4, 3]), "train targets must lie in 0..5"),
        (targets([4, 4, 4, 3], [5, 3], [4, 3]), "longer than what may be generated"),
        (targets([4, 3], [5, 3]), "targets for other rows"),
        (lambda data: replace(data, target_vocabulary=VOCABULARY[:5]), "5 target words for 6 scores"),
        (lambda data: replace(data, artifacts={"tokens": 3}), "artifacts must be texts"),
        (lambda data: replace(data, signatures={"bleu": 1.0}), "signatures must be texts"),
        (
            lambda data: replace(data, train=replace(data.train, targets=data.train.inputs, aligned=True)),
            "aligned",
        ),
    ],
)
def test_a_fault_of_decoded_targets_is_named(change: Change, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check(Copying(change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (targets([0, 4], [5], [4]), "labels of train must be 1 to 5"),
        (targets([4, 6], [5], [4]), "train targets must lie in 0..5"),
        (targets([4, 5], [5, 5], [4]), "too short for CTC"),
    ],
)
def test_a_fault_of_labels_is_named(change: Change, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check(Transcribing(change))


def test_artifacts_must_be_the_same_every_time() -> None:
    count = iter(range(9))
    with pytest.raises(ConformanceError, match="different artifacts"):
        check(Copying(lambda data: replace(data, artifacts={"tokens": str(next(count))})))


def test_attention_must_fit_the_words() -> None:
    with pytest.raises(ConformanceError, match="alignment of row 0 does not fit"):
        check(Showing())


LABELS = {"x": ["length"], "y": ["share"]}


def showing(lines: dict[str, list[str]], points: list[list[float]]) -> Task:
    """A task that shows a curve."""
    shown = type("Shown", (CurveData,), {"lines": lines, "points": points})
    task: Task = type("Drawing", (Copying,), {"kind": shown})()
    return task


def test_a_sound_curve_passes() -> None:
    check(showing(LABELS, [[1.0, 0.5], [2.0, 0.25]]))


@pytest.mark.parametrize(
    ("lines", "points", "message"),
    [
        ({"x": ["length"]}, [[1.0, 0.5]], "one label for x and one for y"),
        (LABELS, [], "x ascending"),
        (LABELS, [[1.0], [2.0]], "x ascending"),
        (LABELS, [[2.0, 0.5], [1.0, 0.5]], "x ascending"),
    ],
)
def test_a_curve_needs_labels_and_points_in_order(
    lines: dict[str, list[str]], points: list[list[float]], message: str
) -> None:
    with pytest.raises(ConformanceError, match=message):
        check(showing(lines, points))


def test_perfect_predictions_by_step_stop_where_rows_do() -> None:
    inputs = Ragged.from_sequences([np.ones((2, 1), np.float32), np.ones((1, 1), np.float32)])
    body = Recurrent("gru", 4)
    classes = ModelSpec(Features(1), body, Dense(3), "cross_entropy", "steps")
    found = perfect_predictions(classes, Split(inputs, ragged([2, 0], [1])))
    assert found.tolist() == [[[0, 0, 10], [10, 0, 0]], [[0, 10, 0], [0, 0, 0]]]
    shares = ModelSpec(Features(1), body, Dense(1), "binary_cross_entropy", "steps")
    targets = Ragged.from_sequences([np.array([[0.0], [1.0]]), np.array([[0.5]])])
    assert perfect_predictions(shares, Split(inputs, targets)).tolist() == [[[-10], [10]], [[0], [0]]]
