"""The MLflow mirror over a real SQLite store: what it holds of a study, and what that costs."""

from __future__ import annotations

import contextlib
import math
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fixtures.mirrored import everything, run
from fixtures.scripted import scripted_trial

from benchsuite.contracts import StudyInfo
from benchsuite.running.store import StudyStore
from benchsuite.schema import Record, Series, Status
from benchsuite.trackers import mlflow as tracker

pytest.importorskip("mlflow")


def test_a_new_database_keeps_a_write_ahead_log_and_an_old_one_its_own_way(tmp_path: Path) -> None:
    modes = {}
    for name in ("old", "new"):
        path = tmp_path / f"{name}.db"
        if name == "old":
            sqlite3.connect(path).execute("CREATE TABLE kept (x)").connection.close()
        tracker.connect(tmp_path / "s", f"sqlite:///{path}")
        with contextlib.closing(sqlite3.connect(path)) as connection:
            (modes[name],) = connection.execute("PRAGMA journal_mode").fetchone()
    assert modes == {"old": "delete", "new": "wal"}


def test_a_study_is_laid_out_for_comparison(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mlflow import MlflowClient

    trials = [
        scripted_trial("long"),
        scripted_trial("long", seed=1),
        scripted_trial("segfault"),
        scripted_trial("unsupported"),
    ]
    study, warnings = run(results, trials)
    assert warnings == []
    found = everything(results)
    assert sorted(found) == [
        "Default",
        "benchsuite/scripted",
        "benchsuite/scripted/configurations",
        "benchsuite/studies",
    ]
    (parent,) = found["benchsuite/studies"]
    first, second, failed = found["benchsuite/scripted"]
    assert (parent.info.run_name, parent.info.status) == ("s", "FINISHED")
    assert parent.data.metrics == {
        "trials/ok": 2,
        "trials/failed": 1,
        "trials/skipped": 1,
        "parity/breaches": 0,
    }
    assert (first.info.status, failed.info.status) == ("FINISHED", "FAILED")
    assert first.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert "SIGSEGV" in failed.data.tags["benchsuite.reason"]
    assert (first.data.params["cell"], second.data.params["seed"]) == ("rnn", "1")
    assert first.data.metrics["test/accuracy"] == 0.5
    assert math.isnan(first.data.metrics["train/loss"])
    assert "train/worst" not in first.data.metrics
    assert first.data.tags["benchsuite.infinite"] == "train/worst"

    client = MlflowClient(f"sqlite:///{results / 'mlflow.db'}")
    curve = client.get_metric_history(first.info.run_id, "train/loss_by_step")
    assert len(curve) == 499
    assert max(point.step for point in curve) == 29_999
    files = {one.path for one in client.list_artifacts(first.info.run_id)}
    assert files == {"record.json", "series.parquet"}
    saved = client.download_artifacts(first.info.run_id, "record.json")
    assert Record.model_validate_json(Path(saved).read_bytes()).trial == trials[0]
    assert first.info.artifact_uri.startswith((results / "mlartifacts" / "benchsuite" / "scripted").as_uri())

    (mean,) = [
        run for run in found["benchsuite/scripted/configurations"] if run.data.params["option.do"] == "long"
    ]
    assert mean.data.metrics["test/accuracy"] == pytest.approx(0.505)
    assert mean.data.metrics["test/accuracy_low"] < 0.5
    assert mean.data.metrics["seeds/n"] == 2
    assert "seed" not in mean.data.params
    files = {one.path for one in client.list_artifacts(parent.info.run_id)}
    assert files == {"configurations.csv", "study.json"}
    table = client.download_artifacts(parent.info.run_id, "configurations.csv")
    assert "test/accuracy,0.505" in Path(table).read_text()

    printed = capsys.readouterr().out
    assert f"mlflow server --backend-store-uri sqlite:///{results / 'mlflow.db'}" in printed
    assert f"/#/experiments/{first.info.experiment_id}/runs?workflowType=machine_learning" in printed
    assert printed.count("http") == 1
    assert len(study.records) == 4


def test_a_study_of_which_nothing_ran_announces_no_page(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(results, [scripted_trial("unsupported")])
    assert "then open" not in capsys.readouterr().out
    run(results, [scripted_trial("unsupported"), scripted_trial()])
    announced = capsys.readouterr().out.splitlines()
    assert len(announced) == 2
    assert announced[-1].startswith("then open: http")


def test_the_plugin_imports_no_mlflow_and_says_which_extra_is_missing(tmp_path: Path) -> None:
    script = (
        "import sys; import benchsuite.trackers.mlflow as tracker; from pathlib import Path\n"
        "assert not {'mlflow', 'sqlalchemy'} & set(sys.modules)\n"
        "sys.modules['mlflow'] = None\n"
        "from benchsuite.contracts import StudyInfo\n"
        "tracker.benchsuite_study_started(StudyInfo('s', Path(sys.argv[1]) / 's'), [])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pip install 'benchsuite[mlflow]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


class Counting:
    """Passes calls on to a client and counts them, and the points they hold."""

    def __init__(self, client: Any) -> None:
        self.client, self.calls, self.most_points = client, Counter[str](), 0

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            if name == "log_batch":
                self.most_points = max(self.most_points, len(arguments[1]))
            return getattr(self.client, name)(*arguments, **named)

        return call


def test_a_trial_costs_four_requests_of_bounded_size(results: Path) -> None:
    store = StudyStore(results / "s")
    steps = list(map(float, range(2_000)))
    curves = [Series(name=f"probe/curve_{place}", axis="step", x=steps, y=steps) for place in range(8)]
    scalars = {f"probe/figure_{place}": float(place) for place in range(60)}
    with store.writing():
        store.describe({})
        for seed in range(3):
            trial = scripted_trial(seed=seed)
            store.append(Record(trial=trial, status=Status.OK, scalars=scalars, series=curves, started=5))
    mirror = tracker.connect(store.folder, tracker.tracking_uri(StudyInfo("s", store.folder)))
    mirror.start()
    first, *others = store.latest().values()
    mirror.send(first)
    counting = mirror._client = Counting(mirror._client)
    for record in others:
        assert mirror.send(record)
    assert counting.calls == {"create_run": 2, "log_batch": 2, "log_artifacts": 2, "set_terminated": 2}
    assert 500 < counting.most_points <= 700


def test_a_database_lies_where_its_path_says(
    tmp_path: Path, empty_database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    odd = tmp_path / "50% a?b#c %41 &d"
    odd.mkdir()
    shutil.copy(empty_database, odd / "mlflow.db")
    _, warnings = run(odd, [scripted_trial()])
    assert warnings == []
    assert list((tmp_path / "here").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["here", odd.name])
    shutil.copy(odd / "mlflow.db", tmp_path / "mlflow.db")
    wal = odd / "mlflow.db-wal"
    if wal.exists():
        shutil.copy(wal, tmp_path / "mlflow.db-wal")
    assert len(everything(tmp_path)["benchsuite/scripted"]) == 1
    command = capsys.readouterr().out.splitlines()[0]
    uri = shlex.split(command)[-1]
    assert tracker.sync(odd / "s", uri)[0] == 0
