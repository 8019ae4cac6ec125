"""run_study: ask the workers what can run, run what is due, store every record, then call the observers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchsuite.analysis.identity import Labels
from benchsuite.analysis.machines import latest_by_machine
from benchsuite.contracts import Damage, Executor, Finished, Notice, Started, StudyInfo
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
        run, before = _begin(store, trials, executor, registry, skipped, rerun, settings or {}, on_event)
        if not run.has_work:
            if not store.is_described:
                store.describe(description or {})  # a shard may have no trial, and is a study nevertheless
            return run.study(before)
        del before  # with many records, most of what this process holds
        return run.run(executor, description or {})


def _begin(
    store: StudyStore,
    trials: Sequence[Trial],
    executor: Executor,
    registry: Registry,
    skipped: Iterable[Skipped],
    rerun: str | None,
    settings: Mapping[str, str],
    on_event: StudyListener,
) -> tuple[_Run, list[Record]]:
    """What is to be done, told to `on_event`; and what the study is made of so far."""
    name = store.name
    records, damage = store.history()
    for one in damage:
        on_event(Warned(one.sentence(name)))
    known = latest(records)
    times = PastTimes(store.folder, records)
    plan = make_plan(trials, executor.check_support(trials), skipped, known, rerun, times)
    plan = replace(plan, jobs=executor.jobs([item.trial for item in plan.of("run")]))
    info = StudyInfo(name, store.folder, dict(settings), _labels(plan, known))
    executor.join(info)
    on_event(Begun(info, plan))
    for remark in executor.remarks([item.trial for item in plan.of("run")]):
        on_event(Warned(remark))
    for item in plan.of("fail"):
        record = known.get(item.trial.id)
        if record is not None and record.status not in _NO_RESULT:
            on_event(Warned(f"{info.label(item.trial)} keeps its earlier record: {item.reason}"))
    news = [item for item in (*plan.of("fail"), *plan.of("skip")) if _is_news(item, known)]
    due = {item.trial.id: item for item in plan.of("run")}
    run = _Run(store, info, due, news, tuple(damage), registry, on_event)
    return run, list(latest_by_machine(records, store.home).values())


@dataclass
class _Run:
    """One run of a study, its lock held. It keeps no record: the journal has them, and many would be most of
    what this process holds.

    due   trial id -> what has no record of this run yet
    news  what cannot run and is to be recorded
    """

    store: StudyStore
    info: StudyInfo
    due: dict[str, Planned]
    news: list[Planned]
    damage: tuple[Damage, ...]
    registry: Registry
    on_event: StudyListener

    @property
    def has_work(self) -> bool:
        return bool(self.due or self.news)

    def run(self, executor: Executor, description: Mapping[str, Any]) -> StoredStudy:
        self.store.describe(description)
        trials = [item.trial for item in self.due.values()]
        interrupted = False
        try:
            self._tell("benchsuite_study_started", study=self.info, trials=trials)
            for item in self.news:
                self._finish(_not_run(item))
            self._run(executor, trials)
        except KeyboardInterrupt:
            interrupted = True
            if goes_on := executor.left_behind():
                self.on_event(Notice(goes_on))
        finally:
            records = list(latest_by_machine(self.store.history()[0], self.store.home).values())
            self._tell("benchsuite_study_finished", study=self.info, records=records)
        return self.study(records, interrupted)

    def study(self, records: list[Record], interrupted: bool = False) -> StoredStudy:
        """The study as the run leaves it. :param records: what it is made of."""
        left = tuple(item.trial for item in self.due.values())
        return StoredStudy(self.info.name, self.info.folder, records, left, interrupted, self.damage)

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


_STATUS: dict[Action, Status] = {"fail": Status.FAILED, "skip": Status.SKIPPED}
"""How a trial that does not run is recorded."""

_NO_RESULT = (Status.SKIPPED, Status.FAILED, Status.KILLED, Status.TIMEOUT)


def _is_news(item: Planned, latest: Mapping[str, Record]) -> bool:
    """What cannot run is recorded when nothing better is known of the trial, and once for each reason.

    :param latest: trial id -> its latest record.
    """
    known = latest.get(item.trial.id)
    if known is None:
        return True
    status = _STATUS[item.action]
    worse = (Status.SKIPPED,) if status is Status.SKIPPED else _NO_RESULT
    return known.status in worse and (known.status, known.reason) != (status, item.reason)


def _labels(plan: Plan, latest: Mapping[str, Record]) -> dict[str, str]:
    """Trial id -> what it is called in this study, of what is planned and of what is recorded."""
    trials = [*(item.trial for item in plan.items), *(record.trial for record in latest.values())]
    label = Labels(trials)
    return {trial.id: label(trial) for trial in trials}


def _not_run(item: Planned) -> Record:
    now = time.time()
    status = _STATUS[item.action]
    return Record(trial=item.trial, status=status, reason=item.reason, started=now, finished=now)
