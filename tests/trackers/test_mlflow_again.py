"""Studies that are mirrored more than once, half, at once, or by two machines: every trial has one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pluggy
import pytest
from fixtures.mirrored import everything, run, summary
from fixtures.planted import planted
from fixtures.scripted import scripted_executor, scripted_trial
from fixtures.shards import BIG, SMALL, on, write_study

from benchsuite import hookspecs
from benchsuite.contracts import Started
from benchsuite.plugins import Registry
from benchsuite.running.merge import merge_studies
from benchsuite.running.store import StudyStore
from benchsuite.running.study import run_study
from benchsuite.schema import Record, Series, Status
from benchsuite.trackers import mlflow as tracker

pytest.importorskip("mlflow")


def test_replaying_adds_nothing(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)
    run(results, [scripted_trial(), scripted_trial(seed=1)])
    before = summary(results)
    sent, lines = tracker.sync(results / "s", f"sqlite:///{results / 'mlflow.db'}")
    assert sent == 0
    assert lines[0] == "MLflow: mlflow server --backend-store-uri sqlite:///mlflow.db"
    assert summary(results) == before


def test_a_trial_that_ran_again_counts_once(results: Path) -> None:
    run(results, [scripted_trial(), scripted_trial(seed=1)])
    first = {one.info.run_id for one in everything(results)["benchsuite/scripted"]}
    run(results, [scripted_trial()], rerun="all")
    second = {one.info.run_id for one in everything(results)["benchsuite/scripted"]}
    assert len(second) == 2
    assert len(first & second) == 1
    assert len(everything(results)["benchsuite/scripted/configurations"]) == 1
    assert len(everything(results)["benchsuite/studies"]) == 1


@pytest.mark.parametrize("complete", [False, True])
def test_a_run_that_a_server_made_twice_stays_once(results: Path, complete: bool) -> None:
    """A server that hangs makes the run of a request when it goes on, whoever has given up on the request."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{results / 'mlflow.db'}"
    run(results, [scripted_trial(), scripted_trial(seed=1)])
    client = MlflowClient(uri)
    for name in ("benchsuite/scripted", "benchsuite/studies", "benchsuite/scripted/configurations"):
        first = everything(results)[name][0]
        again = client.create_run(first.info.experiment_id, tags=first.data.tags)
        if complete:
            client.set_terminated(again.info.run_id)
    assert tracker.sync(results / "s", uri)[0] == 0
    found = everything(results)
    assert [len(found[name]) for name in sorted(found) if name != "Default"] == [2, 1, 1]
    assert all(one.info.status == "FINISHED" for name in found for one in found[name])


def test_a_mirror_that_stopped_half_way_is_completed(results: Path, tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "half")
    curve = Series(name="train/loss", axis="step", x=[1, 2], y=[2.0, 1.0])
    with store.writing():
        store.describe({})
        store.append(Record(trial=scripted_trial(), status=Status.OK, started=5, finished=6, series=[curve]))
    uri = f"sqlite:///{results / 'mlflow.db'}"
    (record,) = store.latest().values()
    mirror = tracker.connect(store.folder, uri)
    mirror.start()

    def vanish(*_: object) -> None:
        raise ConnectionError("the disk went away")

    mirror._client.log_artifacts = vanish  # the points are there, the files and the status are not
    with pytest.raises(ConnectionError):
        mirror.send(record)
    (half,) = everything(results)["benchsuite/scripted"]
    assert half.info.status == "RUNNING"
    assert tracker.sync(store.folder, uri)[0] == 1
    (whole,) = everything(results)["benchsuite/scripted"]
    assert (whole.info.run_id, whole.info.status) == (half.info.run_id, "FINISHED")
    assert len(mirror._client.get_metric_history(whole.info.run_id, "train/loss")) == 2


def test_studies_of_one_name_on_two_machines_stay_apart(results: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{results / 'mlflow.db'}"
    for machine in ("one", "two"):
        store = StudyStore(tmp_path / machine / "s")
        with store.writing():
            store.describe({})
            store.append(Record(trial=scripted_trial(), status=Status.OK, started=5, finished=6))
        assert tracker.sync(store.folder, uri)[0] == 1
    assert len(everything(results)["benchsuite/scripted"]) == 2


def test_a_run_takes_its_new_name_when_the_study_grows(results: Path) -> None:
    first, second = (
        Record(trial=scripted_trial(horizon=horizon), status=Status.OK, scalars={"a": 1.0}, started=5)
        for horizon in (24, 48)
    )
    uri = f"sqlite:///{results / 'mlflow.db'}"
    store = StudyStore(results / "s")
    with store.writing():
        store.describe({})
        store.append(first)
    assert tracker.sync(store.folder, uri)[0] == 1
    [before] = [run.info.run_name for run in everything(results)["benchsuite/scripted"]]
    assert "horizon" not in before
    with store.writing():
        store.append(second)
    assert tracker.sync(store.folder, uri)[0] == 1
    runs = everything(results)["benchsuite/scripted"]
    assert sorted(run.info.run_name.rpartition(" ")[2] for run in runs) == ["horizon=24", "horizon=48"]


def test_two_studies_begun_at_once_in_a_fresh_folder_are_both_mirrored(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from benchsuite.trackers import mlflow as tracker\n"
        "from benchsuite.running.store import StudyStore\n"
        "from benchsuite.schema import Record, Status\n"
        "from fixtures.scripted import scripted_trial\n"
        "folder = Path(sys.argv[1]); store = StudyStore(folder)\n"
        "with store.writing():\n"
        "    store.describe({})\n"
        "    store.append(Record(trial=scripted_trial(), status=Status.OK, started=5, finished=6))\n"
        "print(tracker.sync(folder, f'sqlite:///{folder.parent}/mlflow.db')[0])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / name)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    ended = [process.communicate() for process in started]
    assert [out.strip() for out, _ in ended] == ["1", "1"], [error[-500:] for _, error in ended]
    found = everything(tmp_path)
    assert len(found["benchsuite/scripted"]) == len(found["benchsuite/studies"]) == 2


def test_a_study_that_is_cut_short_is_no_longer_running(results: Path) -> None:
    trials = [scripted_trial(), scripted_trial("hang")]

    def interrupt(event: Any) -> None:
        if isinstance(event, Started) and event.trial == trials[1]:
            raise KeyboardInterrupt

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(tracker, "mlflow")
    with scripted_executor() as executor:
        run_study("s", trials, executor, Registry(manager), results, on_event=interrupt)
    (parent,) = everything(results)["benchsuite/studies"]
    assert parent.info.status == "KILLED"
    run(results, [scripted_trial()], rerun="all")
    (parent,) = everything(results)["benchsuite/studies"]
    assert parent.info.status == "FINISHED"


def test_a_trial_that_two_machines_ran_has_a_run_of_each(results: Path) -> None:
    studies = [
        write_study(
            results / name, [on(facts, planted(value, seed=seed)) for seed in (0, 1)], environment=facts
        )
        for name, facts, value in (("a", BIG, 0.5), ("b", SMALL, 0.75))
    ]
    merge_studies(studies, results / "both")
    uri = f"sqlite:///{results / 'mlflow.db'}"
    assert [tracker.sync(results / "both", uri)[0] for _ in range(2)] == [4, 0]
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    for experiment, runs in (("benchsuite/digits", 4), ("benchsuite/digits/configurations", 2)):
        known = client.get_experiment_by_name(experiment)
        assert known is not None
        found = client.search_runs([known.experiment_id])
        assert len(found) == runs
        values = [run.data.metrics.get("test/accuracy") for run in found]
        assert sorted(value for value in values if value is not None) == [0.5] * (runs // 2) + [0.75] * (
            runs // 2
        )
