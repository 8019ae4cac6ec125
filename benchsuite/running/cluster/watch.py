"""Watches one run on a cluster: its records as they come, and shards whose jobs end before their trials do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from benchsuite.contracts import Event, Finished, Notice, Progress, Started
from benchsuite.errors import BenchsuiteError
from benchsuite.running.cluster.attempts import AttemptReader
from benchsuite.running.cluster.runs import RunFolder, ShardJobs
from benchsuite.running.cluster.scheduler import Need, Scheduler, ShardState, shard_need
from benchsuite.running.cluster.sizing import job_minutes
from benchsuite.schema import Cause, Record, Status, Trial

MOST_FRUITLESS = 3
"""How often a shard is submitted without a trial's being recorded, before its trials are given up."""


class RunWatch:
    """A run of which not every record may have been seen.

    left  ids of the trials of each shard that have no record yet
    """

    def __init__(
        self, folder: RunFolder, scheduler: Scheduler, known: Set[tuple[str, str]] = frozenset()
    ) -> None:
        """:param known: (trial id, attempt) of the records that the study has already."""
        self.folder, self.run = folder, folder.read()
        self._scheduler, self._known = scheduler, known
        self._submissions = list(folder.submissions())
        self._earlier = len(self._submissions)
        self._cancelling = False
        self._trials = [{trial.id: trial for trial in shard} for shard in self.run.shards]
        self.left = [set(trials) for trials in self._trials]
        self._readers: dict[Path, AttemptReader] = {}
        self._gone: dict[int, float] = {}
        self._looked = time.monotonic()

    @property
    def waiting(self) -> set[str]:
        """Ids of the trials that have no record yet."""
        return set().union(*self.left)

    @property
    def size(self) -> int:
        """How many shards may still write something."""
        return sum(map(bool, self.left))

    def submit(self) -> None:
        """Submit every shard that has trials without a record. Raises RequestError where that is refused; what
        was submitted before is cancelled then."""
        try:
            self._submit([shard for shard, left in enumerate(self.left) if left])
        except BenchsuiteError:
            if self._submissions:
                self._scheduler.cancel(self._submissions)
            self.folder.remove()
            raise

    def poll(self) -> Iterator[Event]:
        """What is new in the files of the shards. Of each trial the first record counts that is seen."""
        for shard, left in enumerate(self.left):
            if not left:
                continue
            for path in self.folder.attempts(shard):
                if path not in self._readers:
                    self._readers[path] = AttemptReader(path, self._trials[shard])
                for event in self._readers[path].read():
                    match event:
                        case Finished(record):
                            if record.trial_id in left:
                                left.discard(record.trial_id)
                                if (record.trial_id, record.attempt) not in self._known:
                                    yield event
                        case Started(trial) | Progress(trial):
                            if trial.id in left:
                                yield event
                        case Notice():
                            yield event

    def look(self) -> Iterator[Event]:
        """Ask the scheduler, when it is time to: shards whose jobs have ended before their trials are submitted
        again, or given up."""
        now = time.monotonic()
        if now < self._looked + self._scheduler.look_seconds:
            return
        self._looked = now
        if self.folder.cancelled and not self._cancelling:
            self._cancelling = True
            self._scheduler.cancel(self._submissions)
        states = self._scheduler.states(self._submissions)
        if states is None:
            return
        again: list[int] = []
        for shard, left in enumerate(self.left):
            state = self._state(shard, states) if left else "running"
            if state in ("waiting", "running"):
                self._gone.pop(shard, None)
            elif now >= self._gone.setdefault(shard, now) + self._scheduler.settle_seconds:
                if state == "cancelled" or self.folder.cancelled:
                    yield from self._give_up(shard, "interrupted", "was cancelled")
                elif self._fruitless(shard) >= MOST_FRUITLESS:
                    yield from self._give_up(shard, "lost", f"ended {MOST_FRUITLESS} times without a record")
                else:
                    again.append(shard)
        if again:
            names = ", ".join(map(str, again))
            yield Notice(f"the jobs of shards {names} ended before their trials did: submitted again")
            self._submit(again)
            for shard in again:
                self._gone.pop(shard)

    def _state(self, shard: int, states: Mapping[str, Sequence[ShardState]]) -> ShardState:
        last = next(one for one in reversed(self._submissions) if shard in one.shards)
        found = states.get(last.name)
        return "gone" if found is None else found[last.shards.index(shard)]

    def _fruitless(self, shard: int) -> int:
        """How many of a shard's last submissions by this process gave no record."""
        recorded = len(self.run.shards[shard]) - len(self.left[shard])
        own = [one for one in self._submissions[self._earlier :] if shard in one.shards]
        counts = [one.recorded[one.shards.index(shard)] for one in own]
        return sum(count == recorded for count in counts)

    def _give_up(self, shard: int, cause: Cause, why: str) -> Iterator[Event]:
        """A record of each trial of a shard that has none."""
        failure = next((one.failure for one in reversed(self._of(shard)) if one.failure), "")
        told = f"; it said: {failure}" if failure else f"; what it printed is in {self.folder.logs}"
        reason = f"the {self._scheduler.title} job of shard {shard} {why}{told}"
        for trial_id in sorted(self.left[shard]):
            trial = self._trials[shard][trial_id]
            now = time.time()
            yield Finished(
                Record(
                    trial=trial, status=Status.KILLED, cause=cause, reason=reason, started=now, finished=now
                )
            )
        self.left[shard].clear()

    def _of(self, shard: int) -> list[AttemptReader]:
        return [reader for path, reader in self._readers.items() if path.parent.name == str(shard)]

    def _submit(self, shards: Iterable[int]) -> None:
        by_need: dict[Need, list[int]] = {}
        for shard in shards:
            by_need.setdefault(shard_need(self._left_trials(shard), self.run.options), []).append(shard)
        most = self._scheduler.most_shards
        for need, members in by_need.items():
            for start in range(0, len(members), most):
                self._submit_together(members[start : start + most], need)

    def _minutes(self, shards: list[int]) -> int | None:
        """What jobs of these shards ask for. A shard that was submitted before may have taken longer than was
        expected: it gets all that is allowed."""
        before = {shard for one in self._submissions for shard in one.shards}
        if not self.run.seconds or before & set(shards):
            return None
        return job_minutes(self.run.seconds[shard] for shard in shards)

    def _submit_together(self, shards: list[int], need: Need) -> None:
        minutes = self._minutes(shards)
        recorded = tuple(len(self.run.shards[one]) - len(self.left[one]) for one in shards)
        name = f"{self.folder.name}.{len(self._submissions) + 1}"
        submission = ShardJobs(name, tuple(shards), recorded)
        # written down before it is done: a driver that ends in between finds the jobs by their name
        self._keep([*self._submissions, submission])
        try:
            ids = self._scheduler.submit(self.folder, submission, need, minutes)
        except BaseException:
            self._keep(self._submissions[:-1])
            raise
        self._keep([*self._submissions[:-1], replace(submission, ids=ids)])

    def _keep(self, submissions: list[ShardJobs]) -> None:
        self.folder.keep(submissions)
        self._submissions = submissions

    def _left_trials(self, shard: int) -> list[Trial]:
        return [self._trials[shard][trial_id] for trial_id in self.left[shard]]

    def cancel(self) -> None:
        """End its jobs. Raises RequestError where the scheduler refuses."""
        self.folder.cancel()
        self._scheduler.cancel(self._submissions)
