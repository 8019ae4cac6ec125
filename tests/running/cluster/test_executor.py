"""ClusterExecutor: a study run in shards is the study that one machine would have run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pluggy
import pytest
from fixtures.inline_scheduler import (
    Fate,
    InlineScheduler,
    WarmExecutor,
    cluster_executor,
    ends_after,
    vanishes,
)
from fixtures.scripted import scripted_trial

from benchsuite import hookspecs
from benchsuite.analysis.expected_time import asked_work
from benchsuite.contracts import Executor, Notice, RunOptions, StudyInfo
from benchsuite.errors import RequestError
from benchsuite.plugins import Registry
from benchsuite.running.cluster.runs import CLUSTER_FOLDER, RunFolder, ShardJobs, runs_of
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy, StudyEvent, run_study
from benchsuite.schema import Record, Status, Trial

TRIALS = [scripted_trial(seed=seed) for seed in range(6)]


def run(
    results: Path, executor: Executor, trials: Sequence[Trial] = TRIALS, seen: list[StudyEvent] | None = None
) -> StoredStudy:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    heard = [] if seen is None else seen
    with executor:
        return run_study("s", trials, executor, Registry(manager), results, on_event=heard.append)


def lasting(record: Record) -> str:
    """What of a record does not depend on when it was made, and in which process on which cores."""
    gone = ("scripted/process", "scripted/served", "scripted/cores")
    kept = record.model_copy(
        update={
            "scalars": {name: value for name, value in record.scalars.items() if name not in gone},
            "environment": {},
            "started": 0.0,
            "finished": 0.0,
            "attempt": "",
        }
    )
    return kept.model_dump_json()


def notices(seen: Sequence[StudyEvent]) -> list[str]:
    return [event.message for event in seen if isinstance(event, Notice)]


@pytest.mark.parametrize(
    ("room", "fates"),
    [(4, ()), (2, (ends_after(1), vanishes)), (1, (vanishes, ends_after(2), vanishes, ends_after(1)))],
)
def test_jobs_that_end_early_change_nothing_in_the_study(
    tmp_path: Path, room: int, fates: Sequence[Fate]
) -> None:
    alone = run(tmp_path / "alone", WarmExecutor())
    study = run(tmp_path / "cluster", cluster_executor(InlineScheduler(*fates, room=room)))
    expected = {record.trial_id: lasting(record) for record in alone.records}
    assert {record.trial_id: lasting(record) for record in study.records} == expected
    history, damage = StudyStore.open(study.folder).history()
    assert Counter(record.trial_id for record in history) == dict.fromkeys(expected, 1)
    assert damage == []
    assert all(study.series(trial.id) == alone.series(trial.id) != [] for trial in TRIALS)
    assert [path.name for path in (study.folder / CLUSTER_FOLDER).glob("*/shards")] == []


def test_a_second_run_has_nothing_to_do_and_removes_what_is_left(tmp_path: Path) -> None:
    scheduler = InlineScheduler()
    study = run(tmp_path, cluster_executor(scheduler))
    again = run(tmp_path, cluster_executor(scheduler))
    assert [one.attempt for one in again.records] == [one.attempt for one in study.records]
    assert scheduler.submitted == [(0, 1)]
    assert runs_of(study.folder) == []


def test_shards_of_one_need_are_submitted_together_as_many_as_the_scheduler_takes(tmp_path: Path) -> None:
    wide = [scripted_trial(seed=seed, threads=2) for seed in range(2)]
    scheduler = InlineScheduler()
    run(tmp_path, cluster_executor(scheduler, RunOptions(memory=2.0**30), shards=8), [*TRIALS, *wide])
    assert [(need.cores, need.memory) for need in scheduler.needs] == [
        (1, 2 << 30),
        (1, 2 << 30),
        (2, 2 << 30),
    ]
    assert scheduler.submitted == [(0, 1, 2), (3, 4, 5), (6, 7)]


def test_the_time_that_is_asked_for_follows_earlier_records(tmp_path: Path) -> None:
    """All that is allowed where nothing is known; and again where a job did not come to its end."""
    first = InlineScheduler()
    run(tmp_path, cluster_executor(first))
    second = InlineScheduler(ends_after(1), vanishes)
    run(tmp_path, cluster_executor(second), [scripted_trial(seed=seed) for seed in range(20, 26)])
    assert first.minutes == [None]
    assert second.minutes == [31, None]


@pytest.mark.parametrize(("parts", "count"), [(0.1, 1), (2.5, 3), (100, 6)])
def test_the_number_of_shards_follows_the_expected_time(tmp_path: Path, parts: float, count: int) -> None:
    """:param parts: how often the least work that a shard should have is in that of all trials."""
    scheduler = InlineScheduler(room=6)
    scheduler.least_seconds = sum(map(asked_work, TRIALS)) / parts
    run(tmp_path, cluster_executor(scheduler))
    assert sum(map(len, scheduler.submitted)) == count


class Leaves(InlineScheduler):
    """Its jobs go on when the driver is interrupted, which is as soon as it looks."""

    def states(self, submissions: Sequence[ShardJobs]) -> NoReturn:
        del submissions
        raise KeyboardInterrupt


def test_a_driver_that_was_interrupted_finds_its_jobs(tmp_path: Path) -> None:
    seen: list[StudyEvent] = []
    left = run(tmp_path, cluster_executor(Leaves(ends_after(1), vanishes)), seen=seen)
    assert (left.interrupted, len(left.records), len(left.left)) == (True, 1, 5)
    assert "`benchsuite cancel s` ends them" in notices(seen)[-1]
    (folder,) = runs_of(left.folder)
    second = InlineScheduler()
    done = run(tmp_path, cluster_executor(second), seen=seen)
    assert notices(seen)[-2:] == [
        "5 trials were submitted before, and are watched again",
        "the jobs of shards 0, 1 ended before their trials did: submitted again",
    ]
    assert second.submitted == [(0, 1)]
    assert {record.status for record in done.records} == {Status.OK}
    history, _ = StudyStore.open(done.folder).history()
    assert len(history) == len(TRIALS)
    assert not (folder.path / "shards").exists()


def test_what_the_environment_sets_goes_to_the_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", "/data")
    monkeypatch.setenv("BENCHSUITE_RESULTS", "/elsewhere")
    run(tmp_path, cluster_executor(Leaves(vanishes, vanishes)))
    (folder,) = runs_of(tmp_path / "s")
    asked = dict(folder.read().settings)
    assert asked["BENCHSUITE_DATA"] == "/data"
    assert not {"BENCHSUITE_RESULTS", "BENCHSUITE_WORKER"} & set(asked)


def test_what_was_recorded_while_nobody_watched_is_in_the_study(tmp_path: Path) -> None:
    run(tmp_path, cluster_executor(Leaves(vanishes, vanishes)))
    (folder,) = runs_of(tmp_path / "s")
    for shard in (0, 1):
        ends_after(9)(folder, shard)
    scheduler = InlineScheduler()
    assert len(run(tmp_path, cluster_executor(scheduler)).records) == len(TRIALS)
    assert scheduler.submitted == []


def test_a_trial_that_fails_is_recorded_once_and_runs_anew_when_it_is_asked_for_again(tmp_path: Path) -> None:
    trials = [scripted_trial("fail"), scripted_trial("segfault"), *TRIALS[:1]]
    study = run(tmp_path, cluster_executor(InlineScheduler(ends_after(1))), trials)
    assert Counter(record.status for record in study.records) == {Status.FAILED: 2, Status.OK: 1}
    scheduler = InlineScheduler()
    run(tmp_path, cluster_executor(scheduler), trials)
    history, _ = StudyStore.open(study.folder).history()
    assert Counter(record.trial_id for record in history) == {
        trials[0].id: 2,
        trials[1].id: 2,
        trials[2].id: 1,
    }


def test_a_shard_that_never_gets_further_is_given_up_with_its_reason(tmp_path: Path) -> None:
    scheduler = InlineScheduler(*[vanishes] * 9, room=1)
    study = run(tmp_path, cluster_executor(scheduler), TRIALS[:2])
    assert scheduler.submitted == [(0,)] * 3
    assert {(record.status, record.cause) for record in study.records} == {(Status.KILLED, "lost")}
    assert (
        "a test job of shard 0 ended 3 times without a record; what it printed is in"
        in study.records[0].reason
    )


def test_jobs_that_a_user_has_cancelled_are_not_submitted_again(tmp_path: Path) -> None:
    scheduler = InlineScheduler(ends_after(1), vanishes, room=1, last="cancelled")
    study = run(tmp_path, cluster_executor(scheduler), TRIALS[:3])
    assert scheduler.submitted == [(0,)]
    causes = Counter((record.status, record.cause) for record in study.records)
    assert causes == {(Status.OK, ""): 1, (Status.KILLED, "interrupted"): 2}


def test_cancel_ends_the_jobs_and_keeps_what_they_recorded(tmp_path: Path) -> None:
    left = run(tmp_path, cluster_executor(Leaves(ends_after(1), vanishes)))
    (folder,) = runs_of(left.folder)
    ends_after(1)(folder, 1)
    scheduler = InlineScheduler()
    executor = cluster_executor(scheduler)
    (said,) = executor.cancel(StudyInfo("s", left.folder))
    assert said.startswith(f"{folder.name} is cancelled; what its 2 shards recorded")
    assert scheduler.cancelled == [f"{folder.name}.1"]
    assert executor.cancel(StudyInfo("s", left.folder)) == []
    done = run(tmp_path, executor)
    assert {record.status for record in done.records} == {Status.OK}
    assert len(StudyStore.open(done.folder).history()[0]) == len(TRIALS)
    assert runs_of(done.folder) == []


def test_what_the_scheduler_refuses_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="the jobs are refused"):
        run(tmp_path, cluster_executor(InlineScheduler(refuse=True)))
    assert runs_of(tmp_path / "s") == []


def test_trials_without_a_study_are_refused() -> None:
    with (
        cluster_executor(InlineScheduler()) as executor,
        pytest.raises(RequestError, match="'test' runs studies, by `benchsuite run`"),
    ):
        next(iter(executor.run(TRIALS)))


def test_what_a_gpu_can_run_is_asked_where_it_is() -> None:
    trials = [
        scripted_trial("unsupported", device="gpu"),
        scripted_trial("unsupported"),
        scripted_trial(device="gpu:1"),
    ]
    with cluster_executor(InlineScheduler()) as executor:
        far, here, fine = executor.check_support(trials)
    assert (far.reason, far.fingerprint) == (None, "")
    assert here.reason
    assert (fine.reason, bool(fine.fingerprint)) == (None, True)


def test_what_shards_disagree_in_is_said(tmp_path: Path) -> None:
    seen: list[StudyEvent] = []

    def newer(folder: RunFolder, shard: int) -> None:
        ends_after(9)(folder, shard)
        path = folder.attempts(shard)[0] / "records.jsonl"
        path.write_text(path.read_text().replace('"fingerprint":"scripted-1"', '"fingerprint":"scripted-2"'))

    run(tmp_path, cluster_executor(InlineScheduler(newer)), seen=seen)
    assert any("differs" in text and "shard 0, attempt-1" in text for text in notices(seen))
