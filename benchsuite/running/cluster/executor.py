"""ClusterExecutor: cuts trials into shards, has a scheduler run them, and reads what they record."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from benchsuite.analysis.agreement import disagreements, plugin_versions
from benchsuite.analysis.expected_time import asked_work, seconds_of_all
from benchsuite.contracts import (
    BackendInfo,
    Event,
    Executor,
    Finished,
    Notice,
    RunOptions,
    StudyInfo,
    TrialSupport,
)
from benchsuite.contracts.study import RESULTS_VARIABLE
from benchsuite.errors import RequestError
from benchsuite.running.cluster.runs import ClusterRun, RunFolder, runs_of
from benchsuite.running.cluster.scheduler import Need, Scheduler, shard_need
from benchsuite.running.cluster.sizing import shard_count
from benchsuite.running.cluster.watch import RunWatch
from benchsuite.running.executors.guardian import VARIABLE as WORKER_MARK
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.running.shards import cut_trials
from benchsuite.running.shards.weights import MICROSECONDS
from benchsuite.running.store import StudyStore
from benchsuite.running.study.past import PastTimes
from benchsuite.schema import Record, Trial

WATCH_SECONDS, SHARD_SECONDS = 0.3, 0.005
"""How long to wait before the files are looked at again: the more shards there are, the longer."""


class ClusterExecutor(Executor):
    """Runs trials on the nodes of a cluster that share a folder with this machine.

    Each shard runs on a node with the local executor and writes a study of its own in the results folder. Its
    records are yielded as they are written, with curves and exhibits, so that the study that is being run has
    every one of them when it ends.

    shards  how many shards to make; None for as many as the scheduler can run at the same time and the trials'
            expected time is worth

    What can run is asked of this machine's backends; for devices other than the CPU it is asked where the
    trials run.
    """

    def __init__(
        self,
        name: str,
        options: RunOptions,
        scheduler: Scheduler,
        shards: int | None = None,
        local: Executor | None = None,
    ) -> None:
        """:param local: who asks this machine's backends, by default the local executor."""
        # cores are asked for before a node is known: one trial at a time where nothing else is asked
        options = replace(options, jobs=options.jobs or 1)
        self._name, self._options, self._scheduler, self._shards = name, options, scheduler, shards
        self._local = LocalExecutor(options) if local is None else local
        self._study: StudyInfo | None = None
        self._watches: list[RunWatch] = []

    def describe_backends(self, backends: Sequence[str]) -> list[BackendInfo]:
        return self._local.describe_backends(backends)

    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        found = self._local.check_support(list(map(_on_cpu, trials)))
        return [
            replace(one, reason=None)
            if one.reason and not one.broken and _on_cpu(trial) is not trial
            else one
            for trial, one in zip(trials, found, strict=True)
        ]

    def join(self, study: StudyInfo) -> None:
        self._study = study

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        if self._study is None:
            raise RequestError(
                f"the executor {self._name!r} runs studies, by `benchsuite run`; here give --executor local"
            )
        store = StudyStore(self._study.folder)
        records, _ = store.history()
        known = {(record.trial_id, record.attempt) for record in records}
        due = {trial.id: trial for trial in trials}
        others: list[RunWatch] = []
        for folder in runs_of(self._study.folder):
            watch = RunWatch(folder, self._scheduler, known)
            goes_on = watch.run.executor == self._name and not folder.cancelled
            (self._watches if goes_on else others).append(watch)
        for watch in (*others, *self._watches):
            for event in watch.poll():  # what was recorded while nobody watched
                if isinstance(event, Finished):
                    due.pop(event.record.trial_id, None)
                yield event
        for watch in others:
            if not watch.folder.cancelled and watch.waiting & due.keys():
                yield Notice(
                    f"{len(watch.waiting & due.keys())} trials run already by executor {watch.run.executor!r}, "
                    f"and now by {self._name!r} too: `benchsuite cancel {self._study.name}` ends both"
                )
        watched = set().union(*(watch.waiting for watch in self._watches)) & due.keys()
        if watched:
            yield Notice(f"{len(watched)} trials were submitted before, and are watched again")
        if fresh := [trial for trial in due.values() if trial.id not in watched]:
            yield from self._begin(fresh, records)
        yield from self._watch(set(due))
        for watch in (*others, *self._watches):
            if not watch.waiting or watch.folder.cancelled:
                yield from _differences(watch)
                watch.folder.finish()

    def _begin(self, trials: Sequence[Trial], records: Sequence[Record]) -> Iterator[Event]:
        """Cut trials into shards and submit them."""
        assert self._study is not None
        expected = PastTimes(self._study.folder, records, elsewhere=True)(trials)
        by_id = {
            trial.id: asked_work(trial) if known is None else known.seconds
            for trial, known in zip(trials, expected, strict=True)
        }
        shards = self._cut(trials, by_id)
        known = [None if None in expected else self._seconds(shard, by_id) for shard in shards]
        run = ClusterRun(self._name, self._options, shards, _own_settings(), tuple(known))
        watch = RunWatch(RunFolder.create(self._study.folder, run), self._scheduler)
        watch.submit()
        self._watches.append(watch)
        yield Notice(
            f"{len(shards)} shards of {len(trials)} trials are submitted to {self._scheduler.title} as "
            f"{watch.folder.name}{f'. {self.left_behind()}' if self._scheduler.detached else ''}"
        )

    def _seconds(self, trials: Sequence[Trial], seconds: Mapping[str, float]) -> float:
        """What trials take on one node."""
        return seconds_of_all([(trial, seconds[trial.id]) for trial in trials], self._options.jobs or 1)

    def _cut(self, trials: Sequence[Trial], seconds: Mapping[str, float]) -> tuple[tuple[Trial, ...], ...]:
        """Trials of one need share shards.

        :param seconds: trial id -> what it is expected to take.
        """
        groups: dict[Need, list[Trial]] = {}
        for trial in trials:
            groups.setdefault(shard_need([trial], self._options), []).append(trial)

        def weight(trial: Trial) -> int:
            return round(MICROSECONDS * seconds[trial.id])

        total = sum(map(weight, trials))
        found: list[tuple[Trial, ...]] = []
        for need, members in groups.items():
            count = shard_count(
                self._seconds(members, seconds),
                self._scheduler.slots(need),
                self._scheduler.least_seconds,
                self._scheduler.most_minutes,
            )
            if self._shards is not None:  # each need's share of them
                count = max(1, round(self._shards * sum(map(weight, members)) / total))
            by_id = {trial.id: trial for trial in members}
            cut = cut_trials(members, min(count, len(members)), weight)
            # in running order, as the study has them
            parts = [
                [trial for trial_id, trial in by_id.items() if trial_id in set(part)] for part in cut.parts
            ]
            found += [tuple(part) for part in parts if part]
        return tuple(found)

    def _watch(self, due: set[str]) -> Iterator[Event]:
        """Wait until each of these trials has its record."""
        while waiting := set().union(*(watch.waiting for watch in self._watches)) & due:
            del waiting
            for step in (RunWatch.poll, RunWatch.look):
                yield from self._each(step)
            time.sleep(WATCH_SECONDS + SHARD_SECONDS * sum(watch.size for watch in self._watches))

    def _each(self, step: Callable[[RunWatch], Iterator[Event]]) -> Iterator[Event]:
        for watch in self._watches:
            yield from step(watch)

    def remarks(self, trials: Sequence[Trial]) -> list[str]:  # noqa: ARG002
        """Nothing: what holds for this machine's cores says nothing of the nodes'."""
        return []

    def left_behind(self) -> str:
        if (
            not self._scheduler.detached
            or self._study is None
            or not any(one.waiting for one in self._watches)
        ):
            return ""
        return (
            f"The jobs go on when this command ends (Ctrl-C): the same command watches them again, and "
            f"`benchsuite cancel {self._study.name}` ends them"
        )

    def cancel(self, study: StudyInfo) -> list[str]:
        said = []
        for folder in runs_of(study.folder):
            watch = RunWatch(folder, self._scheduler)
            if watch.run.executor == self._name and not folder.cancelled:
                watch.cancel()
                said.append(
                    f"{folder.name} is cancelled; what its {len(watch.run.shards)} shards recorded goes into "
                    "the study at the next run"
                )
        return said

    def close(self) -> None:
        self._scheduler.close()
        self._local.close()


def _on_cpu(trial: Trial) -> Trial:
    """The trial itself, or as it would be on the CPU: its code and its framework are the same there."""
    if trial.execution.device == "cpu":
        return trial
    return trial.model_copy(update={"execution": trial.execution.model_copy(update={"device": "cpu"})})


def _own_settings() -> tuple[tuple[str, str], ...]:
    """Where data lie, whether energy is measured: nodes may have another environment than this machine."""
    return tuple(
        (name, value)
        for name, value in sorted(os.environ.items())
        if name.startswith("BENCHSUITE_") and name not in (WORKER_MARK, RESULTS_VARIABLE)
    )


def _differences(watch: RunWatch) -> Iterator[Notice]:
    """In what the shards of a run disagree: data, versions, code, plugins."""
    records: dict[str, list[Record]] = {}
    plugins: dict[str, dict[str, str]] = {}
    for path in (path for shard in range(len(watch.run.shards)) for path in watch.folder.attempts(shard)):
        name, store = f"shard {path.parent.name}, {path.name}", StudyStore(path)
        records[name], _ = store.history()
        plugins[name] = plugin_versions(store.description())
    for one in disagreements(records, plugins):
        yield Notice(f"warning: {one.sentence()}")
