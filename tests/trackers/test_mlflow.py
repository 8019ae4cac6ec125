"""The MLflow mirror over a real SQLite store, a server that is absent, and one that goes away."""

from __future__ import annotations

import contextlib
import http.server
import math
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest
from fixtures.planted import planted
from fixtures.scripted import scripted_executor, scripted_trial
from fixtures.shards import BIG, SMALL, on, write_study

from benchsuite import hookspecs
from benchsuite.contracts import Started, StudyInfo
from benchsuite.errors import RequestError, StoreError
from benchsuite.plugins import Registry
from benchsuite.running.merge import merge_studies
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy, Warned, run_study
from benchsuite.schema import Record, Series, Status, Trial
from benchsuite.trackers import mlflow as tracker
from benchsuite.trackers import sender

pytest.importorskip("mlflow")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables: making them takes seconds, so it is done once and copied."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def results(tmp_path: Path, empty_database: Path) -> Path:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return tmp_path


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


def run(
    results: Path, trials: list[Trial], uri: str | None = None, **options: Any
) -> tuple[StoredStudy, list[str]]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(tracker, "mlflow")
    heard: list[Any] = []
    with scripted_executor() as executor:
        settings = {} if uri is None else {"tracking_uri": uri}
        found = run_study(
            "s",
            trials,
            executor,
            Registry(manager),
            results,
            settings=settings,
            on_event=heard.append,
            **options,
        )
    return found, [event.message for event in heard if isinstance(event, Warned)]


def everything(results: Path) -> dict[str, list[Any]]:
    """Experiment name -> its runs that are not deleted, oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{results / 'mlflow.db'}")
    return {
        one.name: client.search_runs([one.experiment_id], order_by=["attributes.start_time ASC"])
        for one in client.search_experiments()
    }


def summary(results: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: [(run.info.run_id, run.info.status, run.data.metrics.keys(), run.data.params) for run in runs]
        for name, runs in everything(results).items()
    }


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


def test_none_mirrors_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, warnings = run(tmp_path, [scripted_trial()], "none")
    assert warnings == []
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://127.0.0.1:9", "no MLflow server answers at http://127.0.0.1:9"),
        ("nonsense://x", "not mirrored to MLflow"),
    ],
)
def test_a_store_that_is_absent_is_one_warning_and_no_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str, message: str
) -> None:
    begin = time.monotonic()
    study, _ = run(tmp_path, [scripted_trial(), scripted_trial(seed=1)], uri)
    assert time.monotonic() - begin < 30
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert f"benchsuite sync {tmp_path / 's'} --tracking-uri {uri}" in lines[0]
    assert {record.status for record in study.records} == {Status.OK}
    with pytest.raises(RequestError):
        tracker.sync(tmp_path / "s", uri)


@pytest.fixture
def dying_server() -> Iterator[str]:
    """An HTTP server that is healthy and answers every other request with an error."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_fails_does_not_hold_the_study_up(
    tmp_path: Path, dying_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.monotonic()
    study, warnings = run(tmp_path, [scripted_trial()], dying_server)
    assert time.monotonic() - begin < 30
    assert warnings == []
    assert capsys.readouterr().err.count("warning: not mirrored to MLflow") == 1
    assert study.records[0].status is Status.OK


def test_sync_needs_a_study(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no study"):
        tracker.sync(tmp_path / "none", "sqlite:///x.db")


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


@pytest.mark.parametrize("content", [b"no database at all " * 100, None])
def test_a_database_that_cannot_be_opened_holds_nothing_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is None:
        (tmp_path / "mlflow.db").mkdir()
    else:
        (tmp_path / "mlflow.db").write_bytes(content)
    begin = time.monotonic()
    study, _ = run(tmp_path, [scripted_trial()])
    assert time.monotonic() - begin < 12
    assert study.records[0].status is Status.OK
    assert "SQLite cannot open" in capsys.readouterr().err


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


def test_no_password_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, [scripted_trial()], "http://me:secret@127.0.0.1:9")
    printed = capsys.readouterr()
    assert "me:***@127.0.0.1" in printed.err
    assert "secret" not in printed.err + printed.out
    with pytest.raises(RequestError) as caught:
        tracker.sync(tmp_path / "s", "http://me:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)


def test_a_slow_server_delays_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "START_SECONDS", 0.5)
    monkeypatch.setattr(sender, "FINISH_SECONDS", 1.0)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            time.sleep(2.0)
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    begin = time.monotonic()
    study, _ = run(
        tmp_path, [scripted_trial(seed=seed) for seed in range(8)], f"http://127.0.0.1:{server.server_port}"
    )
    assert time.monotonic() - begin < 10
    assert len(study.records) == 8
    server.shutdown()
    server.server_close()


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
