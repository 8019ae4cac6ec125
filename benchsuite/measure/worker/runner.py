"""One trial after another, inside the process of one backend."""

from __future__ import annotations

import gc
import math
import platform
import time
from collections.abc import Sequence

from benchsuite.contracts import (
    Backend,
    BackendEntry,
    BackendInfo,
    CalibratedTrial,
    LoadedTask,
    Options,
    RaceSample,
    Ready,
    TaskEntry,
    TrialSupport,
    why_unsupported,
)
from benchsuite.contracts.shared_compilations import is_sharing_asked
from benchsuite.errors import BenchsuiteError, RequestError, UnknownNameError, UnsupportedError
from benchsuite.measure.machine import MachineLock
from benchsuite.measure.provenance import dataset_digest, trial_fingerprint
from benchsuite.measure.worker.building import load
from benchsuite.measure.worker.calibrating import choose_way
from benchsuite.measure.worker.channel import CasesListed, CheckCommand, Tell, validated
from benchsuite.measure.worker.heap import freeze_gc, trim_heap
from benchsuite.measure.worker.installed import check_task_installed
from benchsuite.measure.worker.racing import RacingProgram
from benchsuite.measure.worker.trial import Reporter, TrialRun
from benchsuite.plugins import check_installed, made, registry
from benchsuite.schema import ModelSpec, Record, Status, Trial, planned_model
from benchsuite.schema.texts import described, sentence, traced


class Session:
    """Serves the trials of one backend; the framework is imported when it is first needed."""

    def __init__(self, backend: str) -> None:
        self.name = backend
        self._backend: Backend | None = None
        self._reference: Backend | None = None
        self._import_seconds = 0.0
        self._task: tuple[str, LoadedTask, str] | None = None
        self._frozen = False
        self._racing: RacingProgram | None = None
        self._machine: MachineLock | None = None
        self._compiled_for = ""

    def describe_backend(self) -> BackendInfo:
        """What this worker's backend has; what keeps it from loading is the answer's problem."""
        try:
            backend = self._load()
            devices = {device.name: device.description for device in backend.devices()}
            versions = {str(name): str(text) for name, text in backend.versions().items()}
            found = validated(BackendInfo(self.name, "", devices, versions, platform.python_version()))
        except Exception as error:  # a framework can fail to import in any way
            broken = not isinstance(error, RequestError)
            return BackendInfo(self.name, _reason(error), {}, {}, platform.python_version(), broken)
        return found

    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        """Whether each trial can run here, and under which fingerprint."""
        return [self._check_support(trial) for trial in trials]

    def _check_support(self, trial: Trial) -> TrialSupport:
        try:
            _check_task(trial)
            model = self.planned_model(trial)
            reason = why_unsupported(self._load(), model, trial.recipe, trial.execution)
            mark = trial_fingerprint(trial, self.name) if reason is None else ""
        except RequestError as error:  # what is not installed or not offered here is no fault
            return TrialSupport(_reason(error))
        except Exception as error:  # a framework can fail to import in any way
            return TrialSupport(_reason(error), broken=True)
        return TrialSupport(None if reason is None else sentence(reason), mark)

    def run(self, trial: Trial, report: Reporter) -> Record:
        """Run one trial. Never raises for the trial's own failure: the record has the reason."""
        if self._machine is None:
            self._machine = MachineLock()
        try:
            return self._run(trial, report, self._machine)
        finally:
            self._machine.end()

    def _run(self, trial: Trial, report: Reporter, machine: MachineLock) -> Record:
        started = time.time()
        self._leave(trial)
        try:
            record = TrialRun(self, trial, report, machine).run()
        except UnsupportedError as error:
            record = Record(trial=trial, status=Status.SKIPPED, reason=_reason(error))
        except Exception as error:  # whatever fails, it is this trial's record and not the worker's end
            record = Record(
                trial=trial,
                status=Status.FAILED,
                cause="exception",
                reason=_reason(error),
                exception=traced(error),
            )
        known = record.environment | self._release(trial)
        facts = {"fingerprint": self._fingerprint_or_none(trial), "finished": time.time()}
        return record.model_copy(update={"started": started, "environment": known, **facts})

    def ready(self, trial: Trial, what: str, report: Reporter) -> Ready:
        """Get one trial ready to race; it stays ready until another trial is asked for. Never raises for the
        trial's own failure."""
        self._leave()
        racing = RacingProgram(self, trial, what, report)
        try:
            found = racing.ready()
        except Exception as error:  # a plugin may fail in any way
            return Ready(_reason(error))
        self._racing = racing
        return found

    def sample(self, calls: int) -> RaceSample:
        """Time so many calls of the trial that is ready."""
        if self._racing is None:
            return RaceSample(math.nan, math.nan, problem="no trial is ready to race")
        try:
            return self._racing.sample(calls)
        except Exception as error:  # a plugin may fail in any way
            return RaceSample(math.nan, math.nan, problem=_reason(error))

    def calibrate(self, trial: Trial, since: float) -> CalibratedTrial:
        """The way in which a trial runs here, see CalibrateTrial. Never raises for the trial's own failure."""
        self._leave()
        try:
            _, choice = choose_way(load(self, trial), trial, since)
        except Exception as error:  # a plugin may fail in any way
            return CalibratedTrial(_reason(error))
        finally:
            self._release()
        return CalibratedTrial("", choice.way.name, dict(choice.seconds), choice.measured_seconds)

    def list_cases(self, asked: CheckCommand) -> CasesListed:
        """The cases that the check would run, and the fingerprint of what their results depend on."""
        from benchsuite.measure.worker.checking import list_cases

        return list_cases(self, asked)

    def check(self, asked: CheckCommand, tell: Tell) -> int:
        """Run a check of the backend, a task or a cell, telling of every case; returns how many there were."""
        from benchsuite.measure.worker.checking import run_check

        return run_check(self, asked, tell)

    def _leave(self, entering: Trial | None = None) -> None:
        """Free the trial that raced last, and what is compiled, unless it is for trials of `entering`'s
        configuration."""
        stays = entering is not None and entering.configuration_id == self._compiled_for
        if self._racing is not None or (self._compiled_for and not stays):
            self._racing = None
            self._release()

    def _release(self, left: Trial | None = None) -> dict[str, str]:
        """Free what a trial used. Where the backend fails in that, the record is kept, with the problem in its
        environment.

        :param left: the trial, where what was compiled for it may be kept for others of its configuration.
        """
        if self._backend is None:
            return {}
        gc.collect()
        keeps = left is not None and is_sharing_asked() and self._backend.shares_compiled
        self._compiled_for = left.configuration_id if left is not None and keeps else ""
        try:
            if not keeps:
                self._backend.release()
        except Exception as error:  # a plugin may fail in any way
            return {"backend.release.problem": _reason(error)}
        finally:
            if not self._frozen:  # a first trial imports what was left for later
                freeze_gc()
                self._frozen = True
            trim_heap()
        return {}

    def load_backend(self) -> tuple[Backend, float]:
        """The backend and the seconds its import took in this process."""
        return self._load(), self._import_seconds

    def load_reference(self) -> Backend:
        """The implementation that parity is checked against."""
        if self._reference is None:
            self._reference = registry().reference().load_reference()
        return self._reference

    def planned_model(self, trial: Trial) -> ModelSpec:
        """What is known of the trial's model while its data are not loaded. Raises RequestError for a task or
        option that does not exist."""
        entry = registry().task(trial.task)
        return planned_model(trial, entry.has_resets(entry.complete(trial.options)))

    def load_task(self, trial: Trial) -> tuple[LoadedTask, str]:
        """The trial's task with its data, and their digest; the latest one is kept for the next trial."""
        key = f"{trial.task} {trial.source} {sorted(trial.options.items())}"
        if self._task is None or self._task[0] != key:
            entry, options = _check_task(trial)
            task = entry.load().load(trial.source, options)
            self._task = (key, task, dataset_digest(task))
        return self._task[1], self._task[2]

    def _load(self) -> Backend:
        if self._backend is None:
            entry = _entry(self.name)
            check_installed(f"backend {self.name!r}", entry.requirements, entry.extra)
            begin = time.perf_counter()
            self._backend = made(entry)
            self._import_seconds = time.perf_counter() - begin
            freeze_gc()
        return self._backend

    def _fingerprint_or_none(self, trial: Trial) -> str:
        try:
            return trial_fingerprint(trial, self.name)
        except BenchsuiteError:  # an unknown task: the record already has the reason
            return ""


def _entry(name: str) -> BackendEntry:
    """Raises UnknownNameError where no plugin of this interpreter registers the backend: the one that started
    the worker knows it, so it is another interpreter, and lacks the plugin."""
    found = registry()
    if name not in found.backends:
        hint = (
            "The Python that a backend lives in needs its plugin too, with its framework: install both there."
        )
        raise UnknownNameError("backend of this worker's Python", name, found.backends, hint)
    return found.backend(name)


def _check_task(trial: Trial) -> tuple[TaskEntry, Options]:
    """The entry of the trial's task, and the options complete. Raises RequestError for a task, source or option
    that does not exist, and where something that the task needs for the source is not installed here."""
    entry = registry().task(trial.task)
    entry.check_source(trial.source)
    options = entry.complete(trial.options)
    check_task_installed(entry, trial.source)
    return entry, options


def _reason(error: Exception) -> str:
    """An error in one line, as text that a message can hold: benchsuite's own messages are complete,
    others need their type."""
    return sentence(str(error)) if isinstance(error, BenchsuiteError) else described(error)
