"""What the author of this plugin tests: its own data, its own hooks. Run it where the plugin is installed."""

from __future__ import annotations

import gc
from pathlib import Path

import benchsuite_example as plugin
import numpy as np
import pytest
from benchsuite_example.task import SIZES

from benchsuite.contracts import LoadedTask, Phase, Split, StudyInfo
from benchsuite.errors import RequestError
from benchsuite.plugins import registry
from benchsuite.schema import Record, Status, Trial


def trial(task: str = "parity_bits", hidden: int = 8) -> Trial:
    given = {"task": task, "source": "generated", "cell": "gru", "architecture": "plain", "backend": "numpy"}
    return Trial.model_validate({**given, "size": {"hidden": hidden}})


def data(shortest: int = 6, longest: int = 12) -> LoadedTask:
    entry = registry().task("parity_bits")
    return entry.load().load("generated", entry.complete({"shortest": shortest, "longest": longest}))


def splits(task: LoadedTask) -> dict[str, Split]:
    return {"train": task.train, "validation": task.validation, "test": task.test}


def test_the_plugin_is_found() -> None:
    owner = registry().owners["task:parity_bits"]
    assert (owner.name, owner.distribution, owner.version) == ("parity_bits", "benchsuite-example", "1.0.0")
    assert not owner.problem


def test_targets_are_parities() -> None:
    for name, split in splits(data()).items():
        assert len(split) == SIZES[name]
        for row, target in enumerate(split.row_targets):
            assert target == np.sum(split.inputs[row] > 0) % 2


def test_no_sequence_is_in_two_splits() -> None:
    seen = [split.inputs[row].tobytes() for split in splits(data()).values() for row in range(len(split))]
    assert len(set(seen)) == len(seen) == sum(SIZES.values())


@pytest.mark.parametrize(("shortest", "longest"), [(6, 12), (12, 12), (50, 60)])
def test_lengths_are_those_asked_for(shortest: int, longest: int) -> None:
    lengths = data(shortest, longest).train.inputs.lengths
    assert (lengths.min(), lengths.max()) == (shortest, longest)


@pytest.mark.parametrize(("shortest", "longest"), [(0, 9), (9, 8), (9, 61), (2, 4)])
def test_impossible_lengths_are_refused(shortest: int, longest: int) -> None:
    with pytest.raises(RequestError, match="parity_bits"):
        data(shortest, longest)


def test_the_bits_solved_are_those_of_the_longest_sequence() -> None:
    task = data(6, 12)
    predictions = np.eye(2)[task.test.row_targets]
    assert task.score(predictions, task.test) == {"accuracy": 1.0, "bits_solved": 12.0}
    predictions[0] = predictions[0, ::-1]
    assert task.score(predictions, task.test)["bits_solved"] == 0.0


def test_a_single_unit_is_skipped_with_a_reason() -> None:
    skip = registry().hook.benchsuite_skip_trial
    assert "at least 2 hidden units" in skip(trial=trial(hidden=1))
    assert skip(trial=trial(hidden=2)) is None
    assert skip(trial=trial("another", hidden=1)) is None


def test_the_probe_counts_collections() -> None:
    (probe,) = plugin.benchsuite_probes(trial())
    with Phase([probe], "train"):
        gc.collect()
    gc.collect()
    found = probe.scalars()
    assert found["collector/train_pauses"] == 1
    assert found["collector/train_seconds"] > 0
    assert not list(plugin.benchsuite_probes(trial("another")))


def test_finished_trials_are_listed(tmp_path: Path) -> None:
    study = StudyInfo("mine", tmp_path)
    for task in ("parity_bits", "another"):
        record = Record(trial=trial(task), status=Status.OK, scalars={"test/accuracy": 0.75})
        registry().hook.benchsuite_trial_finished(study=study, record=record)
    assert (tmp_path / "parity_bits.csv").read_text().split() == [f"{trial().id},gru,ok,0.75"]
