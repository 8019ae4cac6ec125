"""Reads what one attempt of a shard writes, while it is being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from benchsuite.analysis.machines import Machine, described_machine, machine_of
from benchsuite.contracts import Event, Finished, Notice, Progress, Started
from benchsuite.errors import StoreError
from benchsuite.running.cluster.events import Tail, events_path, progress_fields, read_line
from benchsuite.running.cluster.runs import RunFolder
from benchsuite.running.store import JOURNAL, StudyStore
from benchsuite.schema import Cause, Record, Trial

MOST_EMPTY = 3
"""Attempts in turn that record nothing, until a job is not queued again as it is."""

FROM_OUTSIDE: tuple[Cause, ...] = ("lost", "interrupted")
"""Causes of a trial's end that a job's own end has as well: the scheduler ends workers before, after or with
the process that watches them."""


class AttemptReader:
    """One attempt of a shard.

    A record whose worker was ended from outside counts once the attempt itself has come to its end. Otherwise
    the job was being ended, and the next attempt runs the trial again.
    """

    def __init__(self, folder: Path, trials: Mapping[str, Trial]) -> None:
        """:param folder: of the attempt's study. :param trials: those of its shard, by id."""
        self.folder, self._trials = folder, trials
        self._events, self._journal = Tail(events_path(folder)), Tail(folder / JOURNAL)
        self._store = StudyStore(folder)
        self._held: list[Record] = []
        self.ended = False
        self.failure = ""
        """Why it could not go on; "" where nothing is known of that."""

    def read(self) -> Iterator[Event]:
        """What is new. Records have their curves, exhibits and artifacts, and say where they were made."""
        # the end is told after the last record: it must be looked for first
        for line in self._events.lines():
            told = read_line(line)
            trial = self._trials.get(str(told.get("trial")))
            match told.get("kind"):
                case "started" if trial:
                    yield Started(trial)
                case "progress" if trial:
                    yield Progress(trial, **progress_fields(told))
                case "warned":
                    yield Notice(f"shard {self.folder.parent.name}: {told.get('text')}")
                case "failed":
                    self.failure = str(told.get("text"))
                case "ended":
                    self.ended = True
        for line in self._journal.lines():
            try:
                record = Record.model_validate_json(line)
            except Exception:  # a damaged line is no record: its trial runs again
                continue
            if record.cause in FROM_OUTSIDE:
                self._held.append(record)
            else:
                yield Finished(self._complete(record))
        if self.ended:
            for record in self._held:
                yield Finished(self._complete(record))
            self._held.clear()

    @cached_property
    def _home(self) -> Machine:
        return described_machine(self._store.description())

    def _complete(self, record: Record) -> Record:
        facts = dict(self._home.facts) if not machine_of(record.environment).facts else {}
        return record.model_copy(
            update={
                "environment": record.environment | facts,
                "series": self._store.series(record.trial_id, record.attempt),
                "exhibits": self._store.exhibits(record.trial_id, record.attempt),
                "artifacts": self._artifacts(record),
            }
        )

    def _artifacts(self, record: Record) -> dict[str, str]:
        found = {}
        for name, digest in record.environment.items():
            path = self._store.artifact_path(digest)
            if name.startswith("artifact.") and path.is_file():
                try:
                    found[name.removeprefix("artifact.")] = path.read_text(encoding="utf-8")
                except (OSError, ValueError) as error:
                    raise StoreError(f"{path} cannot be read: {error}") from error
        return found


def gets_further(folder: RunFolder, shard: int) -> bool:
    """Whether one of the last MOST_EMPTY attempts of a shard recorded a trial that counts, or there are not as
    many yet. Raises StoreError."""
    attempts = folder.attempts(shard)
    trials = {trial.id: trial for trial in folder.read().shards[shard]}
    return len(attempts) < MOST_EMPTY or any(
        recorded_trials(attempt, trials) for attempt in attempts[-MOST_EMPTY:]
    )


def recorded_trials(folder: Path, trials: Mapping[str, Trial]) -> set[str]:
    """Ids of the trials whose record in an attempt counts."""
    events = AttemptReader(folder, trials).read()
    return {event.record.trial_id for event in events if isinstance(event, Finished)}
