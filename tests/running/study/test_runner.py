"""A study runs what is due, stores before it tells, and survives Ctrl-C, SIGKILL and broken plugins."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pluggy
import pytest
from fixtures.scripted import scripted_executor, scripted_trial, wait_until, workers

from benchsuite import hookimpl, hookspecs
from benchsuite.analysis.validity import problem_reason
from benchsuite.api.progress import finished_line
from benchsuite.contracts import Event, Executor, Finished, Started, TrialSupport
from benchsuite.errors import StoreError
from benchsuite.plugins import Registry
from benchsuite.running.matrix import Skipped
from benchsuite.running.store import StudyStore
from benchsuite.running.study import Begun, StoredStudy, StudyEvent, Warned, run_study
from benchsuite.schema import Exhibit, Record, Status, Trial
from benchsuite.schema.texts import MOST_REASON


def registry(*plugins: Any) -> Registry:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for plugin in plugins:
        manager.register(plugin, name=type(plugin).__name__)
    return Registry(manager)


class Watcher:
    """Notes what observers are told, and what the journal holds at that moment."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.stored: list[bool] = []

    @hookimpl
    def benchsuite_study_started(self, study: Any, trials: Any) -> None:
        self.told.append(f"started {study.name} {len(trials)}")

    @hookimpl
    def benchsuite_trial_finished(self, study: Any, record: Record) -> None:
        self.told.append(f"finished {record.status}")
        self.stored.append(record.trial_id in StudyStore(study.folder).latest())

    @hookimpl
    def benchsuite_study_finished(self, records: Any) -> None:
        self.told.append(f"ended {len(records)}")


class Broken:
    """Fails whenever it is told anything."""

    @hookimpl
    def benchsuite_study_started(self) -> None:
        raise ValueError("not ready")

    @hookimpl
    def benchsuite_trial_finished(self) -> None:
        raise KeyError("gone")


def study(
    results: Path, trials: list[Trial], *plugins: Any, seen: list[StudyEvent] | None = None, **options: Any
) -> StoredStudy:
    with scripted_executor() as executor:
        heard = seen if seen is not None else []
        return run_study("s", trials, executor, registry(*plugins), results, on_event=heard.append, **options)


def ran(seen: list[StudyEvent]) -> list[str]:
    return [event.trial.id for event in seen if isinstance(event, Started)]


def test_records_are_stored_before_anybody_hears_of_them(tmp_path: Path) -> None:
    watcher, seen = Watcher(), list[Any]()
    trials = [scripted_trial(), scripted_trial("segfault"), scripted_trial("unsupported")]
    found = study(tmp_path, trials, watcher, seen=seen)
    assert watcher.told == ["started s 2", "finished skipped", "finished ok", "finished failed", "ended 3"]
    assert watcher.stored == [True] * 3
    assert Counter(record.status for record in found.records) == {"ok": 1, "failed": 1, "skipped": 1}
    assert (found.left, found.interrupted) == ((), False)
    assert isinstance(seen[0], Begun)
    # a worker that died could not say what it ran; the study knows
    assert {record.fingerprint for record in found.records if record.status != "skipped"} == {"scripted-1"}


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    trials = [scripted_trial(), scripted_trial("unsupported"), scripted_trial("long")]
    skipped = [Skipped(scripted_trial("never"), "the matrix says so")]
    first = study(tmp_path, trials, skipped=skipped)
    files = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    watcher, seen = Watcher(), list[Any]()
    second = study(tmp_path, trials, watcher, seen=seen, skipped=skipped)
    assert [type(event) for event in seen] == [Begun]
    assert watcher.told == []
    assert {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()} == files
    assert [one.trial_id for one in second.records] == [one.trial_id for one in first.records]
    assert len(second.records) == 4


def test_failures_and_what_is_stale_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, new = scripted_trial(), scripted_trial("fail"), scripted_trial(seed=1)
    study(tmp_path, [good, bad])
    seen: list[StudyEvent] = []
    study(tmp_path, [good, bad, new], seen=seen)
    assert ran(seen) == [bad.id, new.id]
    seen.clear()
    study(tmp_path, [good, bad, scripted_trial(seed=2)], seen=seen, rerun="failed")
    assert ran(seen) == [bad.id]
    seen.clear()
    study(tmp_path, [good, bad], seen=seen, rerun="all")
    assert ran(seen) == [good.id, bad.id]
    monkeypatch.setenv("RIG_FINGERPRINT", "scripted-2")
    seen.clear()
    study(tmp_path, [good], seen=seen)
    assert ran(seen) == [good.id]


def test_what_was_not_asked_for_is_not_recorded(tmp_path: Path) -> None:
    done = study(tmp_path, [scripted_trial(), scripted_trial(seed=1)], rerun="failed")
    assert (done.records, done.left) == ([], ())
    assert not (tmp_path / "s" / "records.jsonl").exists()


def test_a_backend_that_crashes_fails_its_trials_once_and_hides_no_result(tmp_path: Path) -> None:
    good, bad = scripted_trial(), scripted_trial(backend="scripted_crash")
    for _ in range(2):
        study(tmp_path, [good, bad])
    records, _ = StudyStore(tmp_path / "s").history()
    assert {record.trial_id: record.status for record in records} == {
        good.id: Status.OK,
        bad.id: Status.FAILED,
    }
    assert len(records) == 2
    assert "SIGSEGV" in records[0].reason
    known = records[1].model_copy(update={"trial": bad})
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.append(known)
    seen: list[StudyEvent] = []
    study(tmp_path, [bad], seen=seen)
    assert store.latest()[bad.id].status is Status.OK
    assert any(isinstance(event, Warned) and "SIGSEGV" in event.message for event in seen)


def test_a_skip_never_hides_what_is_known(tmp_path: Path) -> None:
    trial = scripted_trial()
    study(tmp_path, [trial])
    study(tmp_path, [], skipped=[Skipped(trial, "no longer installed")])
    assert StudyStore(tmp_path / "s").latest()[trial.id].status is Status.OK
    other = scripted_trial(seed=1)
    for reason in ("one", "one", "two"):
        study(tmp_path, [], skipped=[Skipped(other, reason)])
    history, _ = StudyStore(tmp_path / "s").history()
    assert [one.reason for one in history if one.trial_id == other.id] == ["one", "two"]


def test_a_plugin_that_fails_is_named_and_nobody_suffers(tmp_path: Path) -> None:
    watcher, seen = Watcher(), list[Any]()
    found = study(tmp_path, [scripted_trial()], watcher, Broken(), seen=seen)
    warnings = [event.message for event in seen if isinstance(event, Warned)]
    assert warnings == [
        "plugin Broken failed in benchsuite_study_started: ValueError: not ready",
        "plugin Broken failed in benchsuite_trial_finished: KeyError: 'gone'",
    ]
    assert watcher.told == ["started s 1", "finished ok", "ended 1"]
    assert found.records[0].status is Status.OK


def test_an_interrupt_leaves_what_is_stored_and_says_what_is_left(tmp_path: Path) -> None:
    trials = [scripted_trial(), scripted_trial("hang"), scripted_trial(seed=1)]
    watcher = Watcher()

    def interrupt(event: StudyEvent) -> None:
        if isinstance(event, Started) and event.trial == trials[1]:
            os.kill(os.getpid(), signal.SIGINT)

    with scripted_executor() as executor:
        found = run_study("s", trials, executor, registry(watcher), tmp_path, on_event=interrupt)
    assert found.interrupted
    assert found.left == (trials[1], trials[2])
    assert [record.trial for record in found.records] == [trials[0]]
    assert watcher.told[-1] == "ended 1"
    assert wait_until(lambda: not workers())
    with StudyStore(tmp_path / "s").writing():
        pass


def test_a_parent_that_is_killed_loses_nothing_and_nothing_is_done_twice(tmp_path: Path) -> None:
    log = tmp_path / "done.log"
    trials = [scripted_trial("sleep", seed=seed, seconds=0.15, log=str(log)) for seed in range(6)]
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from fixtures.scripted import *
        from test_runner import study
        study(Path({str(tmp_path)!r}), [scripted_trial("sleep", seed=seed, seconds=0.15, log={str(log)!r})
                                        for seed in range(6)])
        """
    )
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    journal = tmp_path / "s" / "records.jsonl"
    parent = subprocess.Popen([sys.executable, "-c", script], env=environment)
    assert wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 2)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not workers(), 10)

    before = StudyStore(tmp_path / "s").latest()
    assert 2 <= len(before) < 6
    seen: list[StudyEvent] = []
    found = study(tmp_path, trials, seen=seen)
    assert sorted(ran(seen)) == sorted({trial.id for trial in trials} - set(before))
    history, damage = StudyStore(tmp_path / "s").history()
    assert not damage
    assert Counter(record.trial_id for record in history) == {trial.id: 1 for trial in trials}
    assert {record.status for record in found.records} == {Status.OK}
    # the trial in the killed run's worker may have ended unrecorded, never more than that one
    done = Counter(line.split()[0] for line in log.read_text().splitlines())
    assert set(done) == {trial.id for trial in trials}
    assert sum(done.values()) <= len(trials) + 1


def test_a_torn_line_is_reported_and_its_trial_runs_again(tmp_path: Path) -> None:
    trials = [scripted_trial(), scripted_trial(seed=1)]
    study(tmp_path, trials)
    journal = tmp_path / "s" / "records.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    seen: list[StudyEvent] = []
    found = study(tmp_path, trials, seen=seen)
    assert [type(event) for event in seen[:2]] == [Warned, Begun]
    assert "torn by a crash" in seen[0].message  # type: ignore[union-attr]
    assert ran(seen) == [trials[1].id]
    assert len(found.records) == 2


def test_a_study_that_is_being_written_is_refused(tmp_path: Path) -> None:
    with StudyStore(tmp_path / "s").writing(), pytest.raises(StoreError, match="another run"):
        study(tmp_path, [scripted_trial()])
    with pytest.raises(StoreError, match="cannot name a study"), scripted_executor() as executor:
        run_study("../s", [], executor, registry(), tmp_path)


def test_two_jobs_store_every_record_once(tmp_path: Path) -> None:
    trials = [scripted_trial(seed=seed) for seed in range(20)]
    with scripted_executor(jobs=2) as executor:
        found = run_study("s", trials, executor, registry(), tmp_path)
    assert {record.trial_id for record in found.records} == {trial.id for trial in trials}
    assert len(StudyStore(tmp_path / "s").history()[0]) == 20


def test_events_of_finished_trials_carry_the_stored_record(tmp_path: Path) -> None:
    seen: list[StudyEvent] = []
    study(tmp_path, [scripted_trial("segfault")], seen=seen)
    (finished,) = [event for event in seen if isinstance(event, Finished)]
    (stored,) = StudyStore(tmp_path / "s").latest().values()
    assert finished.record == stored


def test_trials_are_called_what_tells_them_apart_in_their_study(tmp_path: Path) -> None:
    seen: list[StudyEvent] = []
    study(tmp_path, [scripted_trial(horizon=24)])
    trials = [scripted_trial(horizon=horizon) for horizon in (48, 96)]
    found = study(tmp_path, trials, seen=seen)
    [begun] = [event for event in seen if isinstance(event, Begun)]
    everything = [scripted_trial(horizon=24), *trials]
    expected = [f"{trial.label} horizon={trial.options['horizon']}" for trial in everything]
    assert [begun.study.label(trial) for trial in everything] == expected
    assert [found.label(trial) for trial in everything] == expected


def test_bad_answers_cost_their_own_trials_and_no_resume_meets_them_again(tmp_path: Path) -> None:
    bad = ("surrogate", "deep", "blank", "essay", "segfault", "exit", "raise")
    trials = [scripted_trial(what, seconds=10_000_000) for what in bad]
    trials += [scripted_trial(seed=seed) for seed in range(3)]
    first = study(tmp_path, trials)
    assert Counter(record.status for record in first.records) == {"ok": 3, "failed": 6, "skipped": 1}
    assert all(is_told(record) for record in first.records if record.status != "ok")
    assert (tmp_path / "s" / "records.jsonl").stat().st_size < 200_000
    seen: list[StudyEvent] = []
    second = study(tmp_path, trials, seen=seen)
    assert len(ran(seen)) == 6
    assert len(second.records) == len(trials)


def is_told(record: Record) -> bool:
    """Whether every reader of the record finds a reason of one short line."""
    words = problem_reason(record)
    return bool(words.strip()) and len(words) <= MOST_REASON and bool(finished_line(record, "label"))


class OddExecutor(Executor):
    """Gives a record that no journal can hold, and a good one."""

    def describe_backends(self, backends: Any) -> Any:
        raise AssertionError(backends)

    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        return [TrialSupport(None, "f") for _ in trials]

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        odd, good = trials
        exhibit = Exhibit(name="x", kind="text", lines={"a": ["\ud83d"]})
        yield Finished(Record(trial=odd, status=Status.OK, exhibits=[exhibit]))
        yield Finished(Record(trial=good, status=Status.OK, reason="a lone \udcff"))

    def close(self) -> None:
        pass


def test_a_record_that_cannot_be_stored_is_a_failure_of_its_trial(tmp_path: Path) -> None:
    trials = [scripted_trial(), scripted_trial(seed=1)]
    found = run_study("s", trials, OddExecutor(), registry(), tmp_path)
    assert [record.status for record in found.records] == [Status.FAILED, Status.OK]
    assert "cannot be stored: UnicodeEncodeError" in found.records[0].reason
    assert found.records[1].reason == "a lone ?"
    assert [record.reason for record in StudyStore(tmp_path / "s").latest().values()] == [
        record.reason for record in found.records
    ]


def test_a_run_keeps_no_record(tmp_path: Path) -> None:
    alive: list[int] = []

    class Watch:
        @hookimpl
        def benchsuite_trial_finished(self) -> None:
            gc.collect()
            alive.append(sum(isinstance(one, Record) for one in gc.get_objects()))

    with scripted_executor() as executor:
        run_study(
            "s", [scripted_trial(seed=seed) for seed in range(12)], executor, registry(Watch()), tmp_path
        )
    assert len(alive) == 12
    assert max(alive) <= alive[0] + 1


def test_the_parent_keeps_no_curves(tmp_path: Path) -> None:
    found = study(tmp_path, [scripted_trial("long")])
    assert found.records[0].series == []
    assert len(found.series(scripted_trial("long").id)[0].x) == 30_000
