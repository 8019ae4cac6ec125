"""run_study: ask the workers what can run, run what is due, store every record, then call the observers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchsuite.analysis.identity import Labels
from benchsuite.analysis.machines import latest_by_machine
from benchsuite.contracts import Damage, Executor, Finished, Started, StudyInfo
from benchsuite.errors import BenchsuiteError
from benchsuite.plugins import Registry
from benchsuite.running.matrix import Action, Plan, Planned, Skipped, make_plan
from benchsuite.running.store import StudyStore, latest, study_folder
from benchsuite.running.study.events import Begun, StudyEvent, Warned
from benchsuite.running.study.past import PastTimes
from benchsuite.running.study.study import StoredStudy
from benchsuite.schema import Record, Status, Trial
from benchsuite.schema.bounds import bounded
from benchsuite.schema.texts import described

StudyListener = Callable[[StudyEvent], None]


def ignore(event: StudyEvent) -> None:
    """Do nothing."""


def run_study(
    name: str,
    trials: Sequence[Trial],
    executor: Executor,
    registry: Registry,
    results: Path,
    *,
    skipped: Iterable[Skipped] = (),
    rerun: str | None = None,
    description: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
    on_event: StudyListener = ignore,
) -> StoredStudy:
    """Run what is new, failed or stale among `trials`, and store it in `results/name`.

    A record is stored before any observer is called. Ctrl-C ends the running trials; what is stored stays, and
    the study returned has what is left. Where nothing is due, nothing is written and no plugin is called.

    :param skipped: trials known to be impossible, each with its reason.
    :param rerun: None, `failed` (only what failed before) or `all`.
    :param description: what study.json shall hold beside name and times.
    :param settings: what plugins may read, such as `tracking_uri`.
    Raises StoreError when the study cannot be written, or another run writes it.
    """
    store = StudyStore(study_folder(results, name))
    with store.writing() as torn:
        for one in torn:
            on_event(Warned(f"line {one.line} of {name}'s journal was torn by a crash; its trial runs again"))
        records, damage = store.history()
        for one in damage:
            on_event(Warned(one.sentence(name)))
        known = latest(records)
        times = PastTimes(store.folder, records)
        plan = make_plan(trials, executor.check_support(trials), skipped, known, rerun, times)
        info = StudyInfo(name, store.folder, dict(settings or {}), _labels(plan, known))
        before = list(latest_by_machine(records, store.home).values())
        run = _Run(store, info, plan, known, before, tuple(damage), registry, on_event)
        on_event(Begun(info, plan))
        for remark in executor.remarks([item.trial for item in plan.of("run")]):
            on_event(Warned(remark))
        for item in plan.of("fail"):
            record = known.get(item.trial.id)
            if record is not None and record.status not in _NO_RESULT:
                on_event(Warned(f"{info.label(item.trial)} keeps its earlier record: {item.reason}"))
        return run.run(executor, description or {})


@dataclass
class _Run:
    """One run of a study, its lock held."""

    store: StudyStore
    info: StudyInfo
    plan: Plan
    latest: dict[str, Record]
    """Trial id -> its latest record, wherever it ran."""
    records: list[Record]
    """What the study is made of, oldest first: the latest of each trial and machine, and those of this run."""
    damage: tuple[Damage, ...]
    registry: Registry
    on_event: StudyListener

    due: dict[str, Planned] = field(init=False)
    """Trial id -> what has no record of this run yet."""

    def __post_init__(self) -> None:
        self.due = {item.trial.id: item for item in self.plan.of("run")}

    def run(self, executor: Executor, description: Mapping[str, Any]) -> StoredStudy:
        news = [item for item in (*self.plan.of("fail"), *self.plan.of("skip")) if self._is_news(item)]
        interrupted = False
        if not (self.due or news) and not self.store.is_described:
            self.store.describe(description)  # a shard may have no trial, and is a study nevertheless
        if self.due or news:
            self.store.describe(description)
            trials = [item.trial for item in self.due.values()]
            try:
                self._tell("benchsuite_study_started", study=self.info, trials=trials)
                for item in news:
                    self._finish(_not_run(item))
                self._run(executor, trials)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                self._tell("benchsuite_study_finished", study=self.info, records=self._records())
        left = tuple(item.trial for item in self.due.values())
        return StoredStudy(self.info.name, self.info.folder, self._records(), left, interrupted, self.damage)

    def _run(self, executor: Executor, trials: Sequence[Trial]) -> None:
        events = executor.run(trials)
        try:
            for event in events:
                match event:
                    case Finished(record):
                        self._finish(record)
                    case Started(trial):
                        self.on_event(event)
                        self._tell("benchsuite_trial_started", trial=trial)
                    case _:
                        self.on_event(event)
        finally:
            if isinstance(events, Generator):
                events.close()

    def _finish(self, record: Record) -> None:
        """Store the record first, then call the observers."""
        planned = self.due.get(record.trial_id)
        if planned is not None and not record.fingerprint:
            # the worker ended before it could give a fingerprint
            record = record.model_copy(update={"fingerprint": planned.fingerprint})
        record = self._store(record)
        # the curves are on the disk: kept here, they would be most of what a long run holds in memory
        kept = record.model_copy(update=_ON_DISK)
        self.latest[record.trial_id] = kept
        self.records.append(kept)
        self.due.pop(record.trial_id, None)
        self.on_event(Finished(record))
        self._tell("benchsuite_trial_finished", study=self.info, record=record)

    def _store(self, record: Record) -> Record:
        """Store a record and return it; one that no journal can hold is stored as a failure of its trial."""
        try:
            kept = bounded(record)
            return self.store.append(kept)
        except BenchsuiteError:
            raise
        except Exception as error:  # an executor is a plugin: what it gives may be anything
            kept = Record(
                trial=record.trial,
                status=Status.FAILED,
                cause="exception",
                reason=f"its record cannot be stored: {described(error)}",
                fingerprint=record.fingerprint,
                started=record.started,
                finished=record.finished,
            )
            return self.store.append(kept)

    def _tell(self, hook: str, **facts: Any) -> None:
        """Call the observers; one that fails is named in a warning, and the study goes on."""
        _, problems = self.registry.gather(hook, lambda answer: answer, **facts)
        for plugin, problem in problems.items():
            self.on_event(Warned(f"plugin {plugin} failed in {hook}: {problem}"))

    def _is_news(self, item: Planned) -> bool:
        """What cannot run is recorded when nothing better is known of the trial, and once for each reason."""
        known = self.latest.get(item.trial.id)
        if known is None:
            return True
        status = _STATUS[item.action]
        worse = (Status.SKIPPED,) if status is Status.SKIPPED else _NO_RESULT
        return known.status in worse and (known.status, known.reason) != (status, item.reason)

    def _records(self) -> list[Record]:
        return list(latest_by_machine(self.records, self.store.home).values())


_ON_DISK: dict[str, Any] = {"series": [], "exhibits": [], "artifacts": {}}

_STATUS: dict[Action, Status] = {"fail": Status.FAILED, "skip": Status.SKIPPED}
"""How a trial that does not run is recorded."""

_NO_RESULT = (Status.SKIPPED, Status.FAILED, Status.KILLED, Status.TIMEOUT)


def _labels(plan: Plan, latest: Mapping[str, Record]) -> dict[str, str]:
    """Trial id -> what it is called in this study, of what is planned and of what is recorded."""
    trials = [*(item.trial for item in plan.items), *(record.trial for record in latest.values())]
    label = Labels(trials)
    return {trial.id: label(trial) for trial in trials}


def _not_run(item: Planned) -> Record:
    now = time.time()
    status = _STATUS[item.action]
    return Record(trial=item.trial, status=status, reason=item.reason, started=now, finished=now)
