"""Each check of a task sees the tasks that break its rule, in a sentence, and the other checks do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task, TaskEntry
from benchsuite.errors import BenchsuiteError, UnsupportedError
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.conformance.tasks import TASK_CHECKS, TaskUnderTest
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Recurrent, Size, Tokens

CLASSES, WIDTH, TIME = 4, 2, 3


@dataclass(frozen=True, kw_only=True)
class SoundData(LoadedTask):
    """Which of four classes a row of reals is of."""

    primary = "accuracy"
    higher_is_better = True

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        if architecture == "plain":
            return ModelSpec(Features(WIDTH), Recurrent(cell, size.hidden), Dense(CLASSES), "cross_entropy")
        raise UnsupportedError(f"no {architecture}")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {"accuracy": float(np.mean(predictions.argmax(axis=1) == split.row_targets))}


def part(seed: int, rows: int = 12) -> Split:
    inputs = np.random.default_rng(seed).normal(size=(rows, TIME, WIDTH)).astype(np.float32)
    return Split(Ragged.from_dense(inputs), np.arange(rows, dtype=np.int32) % CLASSES)


def sound(kind: type[SoundData] = SoundData, **changes: Any) -> SoundData:
    data = kind(
        name="sound",
        train=part(0, 24),
        validation=part(1),
        test=part(2),
        baselines={"most": {"accuracy": 0.25}},
    )
    return replace(data, **changes)


def with_model(**changes: Any) -> type[SoundData]:
    class Other(SoundData):
        def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
            return replace(super().model(architecture, cell, size), **changes)

    return Other


class UpsideDown(SoundData):
    higher_is_better = False


class Blind(SoundData):
    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:  # noqa: ARG002
        return {"accuracy": 0.5}


class NoPrimary(SoundData):
    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {"f1": super().score(predictions, split)["accuracy"]}


class NotFinite(SoundData):
    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {**super().score(predictions, split), "f1": float("nan")}


class WholeSplitsOnly(SoundData):
    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:  # noqa: ARG002
        return {"accuracy": float(np.mean(predictions.argmax(axis=1) == self.test.row_targets))}


class TakesAnything(SoundData):
    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:  # noqa: ARG002
        return super().model("plain", cell, size)


class NoModel(SoundData):
    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:  # noqa: ARG002
        raise KeyError(architecture)


class BadExhibits(SoundData):
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:  # noqa: ARG002
        return [Exhibit(name=str(predictions[len(split)]), kind="text")]


def targets(change: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """All splits with other targets."""
    return {
        name: replace(split, targets=change(split.row_targets))
        for name, split in (("train", part(0, 24)), ("validation", part(1)), ("test", part(2)))
    }


SCORED = {"scores", "exhibits"}
ANY_MODEL = {"models", "fit", "sequences", *SCORED}
HALF = np.concatenate([part(0, 24).inputs.to_dense()[:6], part(2).inputs.to_dense()[:6]])

FAULTS: dict[str, tuple[Callable[[], LoadedTask], str, str, set[str]]] = {
    "splits are one": (
        lambda: sound(validation=part(0, 24), test=part(0, 24)),
        "disjoint", "100% of validation is in train too", set(),
    ),
    "half of test is trained on": (
        lambda: sound(test=Split(Ragged.from_dense(HALF), part(2).targets)),
        "disjoint", "of test is in train too", set(),
    ),
    "steps for one class per row": (
        lambda: sound(with_model(readout="steps")), "fit", "the model needs one target per step", set()
    ),
    "labels from 1": (
        lambda: sound(**targets(lambda t: t + 1)), "fit", "train targets must lie in 0..3, given 1..4", SCORED
    ),
    "a head too small": (
        lambda: sound(with_model(head=Dense(2))), "fit", "train targets must lie in 0..1, given 0..3", SCORED
    ),
    "targets of reals": (
        lambda: sound(**targets(lambda t: t.astype(np.float64))), "fit", "whole numbers (n,) wanted", SCORED
    ),
    "a column of targets": (
        lambda: sound(**targets(lambda t: t[:, None])),
        "fit", "int32 (24, 1) given, whole numbers (n,) wanted", SCORED,
    ),
    "inputs of another width": (
        lambda: sound(with_model(input=Features(3))), "fit", "float32 (72, 2) given, reals (n, 3) wanted", set()
    ),
    "tokens that are reals": (
        lambda: sound(with_model(input=Tokens(5, 3))), "fit", "whole numbers (n,) wanted", set()
    ),
    "upside down": (lambda: sound(UpsideDown), "scores", "the metric is upside down", set()),
    "a metric that sees nothing": (lambda: sound(Blind), "scores", "does not tell them apart", set()),
    "no primary metric": (lambda: sound(NoPrimary), "scores", "lacks the primary metric 'accuracy'", set()),
    "a metric not finite": (lambda: sound(NotFinite), "scores", "a metric is not finite", set()),
    "a metric of whole splits": (lambda: sound(WholeSplitsOnly), "scores", "score() of a few rows", set()),
    "any architecture": (lambda: sound(TakesAnything), "models", "must raise UnsupportedError", set()),
    "a model that raises": (
        lambda: sound(NoModel), "models", "model('plain', 'rnn') raised KeyError", ANY_MODEL
    ),
    "resets that the entry does not have": (
        lambda: sound(with_model(resets=True)), "models", "resets are True, the entry says False", {"fit"}
    ),
    "a split that is empty": (
        lambda: sound(validation=part(1).select(np.arange(0))), "splits", "split validation is empty", {"fit"}
    ),
    "inputs that are no numbers": (
        lambda: sound(test=replace(part(2), inputs=Ragged.from_dense(0 * HALF + np.float32("nan")))),
        "splits", "test has inputs that are not finite", set(),
    ),
    "numbers for texts": (lambda: sound(artifacts={"tokens": 3}), "texts", "must be texts by name", set()),
    "a baseline of another metric": (
        lambda: sound(baselines={"most": {"f1": 0.1}}),
        "baselines", "baseline most lacks the primary metric", set(),
    ),
    "a baseline not finite": (
        lambda: sound(baselines={"most": {"accuracy": float("inf")}}), "baselines", "no finite number", set()
    ),
    "exhibits that raise": (lambda: sound(BadExhibits), "exhibits", "exhibits() raised IndexError", set()),
}  # fmt: skip
"""A task, the check that fails, what it says, and the checks that fail after it."""


class Given(Task):
    def __init__(self, make: Callable[[], LoadedTask]) -> None:
        self.make = make

    def load(self, source: str, options: Options) -> LoadedTask:  # noqa: ARG002
        return self.make()


def loaded(make: Callable[[], LoadedTask]) -> TaskUnderTest:
    entry = TaskEntry("given", lambda: Given(make), "a task", {"s": "all"}, ("s",), ("plain",))
    return TaskUnderTest.loaded(entry, "s")


def failures(make: Callable[[], LoadedTask]) -> dict[str, str]:
    """Messages by the names of the checks that fail, in their order."""
    under_test, found = loaded(make), {}
    for check in TASK_CHECKS:
        try:
            check(under_test)
        except BenchsuiteError as error:
            found[check.__name__.removeprefix("check_")] = str(error)
        except Exception as error:  # only after the check that explains it
            if not found:
                raise
            found[check.__name__.removeprefix("check_")] = repr(error)
    return found


def test_a_sound_task_has_no_fault() -> None:
    assert failures(sound) == {}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen_by_its_own_check(name: str) -> None:
    make, check, said, after = FAULTS[name]
    found = failures(make)
    assert next(iter(found)) == check
    assert said in found[check]
    assert found.keys() - after == {check} - after


def test_data_that_differ_between_two_loads_are_seen() -> None:
    seeds = iter(range(10, 20))
    assert failures(lambda: sound(train=part(next(seeds)))) == {
        "same_data": "s: two loads give different data"
    }


def test_a_load_that_raises_is_a_sentence() -> None:
    def broken() -> LoadedTask:
        raise KeyError("digits")

    with pytest.raises(ConformanceError, match=r"load\(\) raised KeyError: 'digits'"):
        loaded(broken)
    with pytest.raises(ConformanceError, match=r"load\(\) gave int, must be a LoadedTask"):
        loaded(lambda: 3)  # type: ignore[arg-type, return-value]


def test_pieces_of_a_stream_that_are_in_another_split_are_seen() -> None:
    class Stream(SoundData):
        def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
            plain = super().model(architecture, cell, size)
            return replace(plain, input=Tokens(9, 3), head=Dense(9), readout="steps")

        def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
            wanted = split.step_targets.padded(np.arange(len(split)), predictions.shape[1])
            return {"accuracy": float(np.mean(predictions.argmax(axis=2) == wanted))}

    ids = np.random.default_rng(0).integers(0, 9, 3000).astype(np.int32)

    def stream(start: int, stop: int) -> Split:
        one = Ragged.from_sequences([ids[start:stop]])
        return Split(one, one)

    def data(test: Split) -> LoadedTask:
        return sound(Stream, train=stream(0, 1500), validation=stream(1500, 2200), test=test)

    assert failures(lambda: data(stream(2200, 3000))) == {}
    found = failures(lambda: data(stream(1201, 2000)))
    assert found.keys() == {"disjoint"}
    assert "of test is in train too" in found["disjoint"]


def test_every_check_of_a_task_has_a_fault_that_it_sees() -> None:
    seen = {check for _, check, _, _ in FAULTS.values()} | {"same_data"}
    assert {check.__name__.removeprefix("check_") for check in TASK_CHECKS} - seen == {
        "sequences"
    }  # test_task_kit
