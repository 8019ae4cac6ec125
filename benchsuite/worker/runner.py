"""One trial after another, inside the process of one backend."""

from __future__ import annotations

import gc
import platform
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from benchsuite.batching import Batcher, batcher, stream_batches
from benchsuite.contracts import (
    Backend,
    Batch,
    Dataset,
    Examined,
    Phase,
    Probe,
    Program,
    Progress,
    Survey,
    Task,
)
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import BenchsuiteError, ContractError, MissingFrameworkError, UnsupportedError
from benchsuite.initialisation import initial_parameters
from benchsuite.parity import Comparison, compare, in_double
from benchsuite.plugins import registry
from benchsuite.provenance import dataset_digest, environment, fingerprint
from benchsuite.spec import Execution, ModelSpec, Record, Status, Trial
from benchsuite.training import Snapshots, evaluate, train
from benchsuite.training.loop import limited
from benchsuite.worker.kernels import check_kernel
from benchsuite.worker.measuring import measure_speed

Reporter = Callable[[Progress], None]


class Session:
    """Serves the trials of one backend; the framework is imported when it is first needed."""

    def __init__(self, backend: str) -> None:
        self.name = backend
        self._backend: Backend | None = None
        self._reference: Backend | None = None
        self._import_seconds = 0.0
        self._tasks: dict[str, Task] = {}
        self._data: tuple[str, Dataset, str] | None = None

    def survey(self) -> Survey:
        """What this worker's backend has; what keeps it from loading is the survey's problem."""
        try:
            backend = self._load()
            devices = {device.name: device.description for device in backend.devices()}
            found = Survey(self.name, "", devices, backend.versions(), platform.python_version())
        except Exception as error:  # a framework can fail to import in any way
            return Survey(self.name, _reason(error), {}, {}, platform.python_version())
        return found

    def examine(self, trials: Sequence[Trial]) -> list[Examined]:
        """Whether each trial can run here, and under which fingerprint."""
        return [self._examine(trial) for trial in trials]

    def _examine(self, trial: Trial) -> Examined:
        try:
            reason = self._load().supports(trial)
            mark = "" if reason else self._fingerprint(trial)
        except Exception as error:  # the reason is the answer, whatever it is
            return Examined(trial, _reason(error), "")
        return Examined(trial, reason, mark)

    def run(self, trial: Trial, report: Reporter) -> Record:
        """Run one trial. Never raises for the trial's own failure: the record says what happened."""
        started = time.time()
        try:
            record = _TrialRun(self, trial, report).run()
        except UnsupportedError as error:
            record = Record(trial=trial, status=Status.SKIPPED, reason=str(error))
        except Exception as error:  # whatever fails, it is this trial's record and not the worker's end
            record = Record(
                trial=trial,
                status=Status.FAILED,
                reason=_reason(error),
                exception=traceback.format_exc(),
            )
        if self._backend is not None:
            gc.collect()
            self._backend.release()
        facts = {"fingerprint": self._fingerprint_or_none(trial), "finished": time.time()}
        return record.model_copy(update={"started": started, **facts})

    def load_backend(self) -> tuple[Backend, float]:
        """The backend and the seconds its import took in this process."""
        return self._load(), self._import_seconds

    def load_reference(self) -> Backend:
        """The implementation that parity is held to."""
        if self._reference is None:
            entry = registry().reference()
            self._reference = (entry.reference_load or entry.load)()
        return self._reference

    def load_task(self, name: str) -> Task:
        if name not in self._tasks:
            entry = registry().task(name)
            _check_installed(f"task {name!r}", entry.requirements, entry.extra)
            self._tasks[name] = entry.load()
        return self._tasks[name]

    def load_data(self, trial: Trial) -> tuple[Dataset, str]:
        """The trial's data set and its digest; the latest one is kept for the next trial."""
        key = f"{trial.task} {trial.source} {sorted(trial.options.items())}"
        if self._data is None or self._data[0] != key:
            dataset = self.load_task(trial.task).dataset(trial.source, trial.options)
            self._data = (key, dataset, dataset_digest(dataset))
        return self._data[1], self._data[2]

    def _load(self) -> Backend:
        if self._backend is None:
            entry = registry().backend(self.name)
            _check_installed(f"backend {self.name!r}", entry.requirements, entry.extra)
            begin = time.perf_counter()
            self._backend = entry.load()
            self._import_seconds = time.perf_counter() - begin
        return self._backend

    def _fingerprint(self, trial: Trial) -> str:
        found = registry()
        return fingerprint(found.backend(self.name), found.task(trial.task), found.reference())

    def _fingerprint_or_none(self, trial: Trial) -> str:
        try:
            return self._fingerprint(trial)
        except BenchsuiteError:  # an unknown task: the record already says so
            return ""


class _TrialRun:
    """The phases of one trial: load, build, parity, train, evaluate, time."""

    def __init__(self, session: Session, trial: Trial, report: Reporter) -> None:
        self.session, self.trial, self.report = session, trial, report
        found, self.plugin_problems = registry().gather("benchsuite_probes", _probes, trial=trial)
        self.probes = [probe for probes in found for probe in probes]
        self.scalars: dict[str, float] = {}

    def run(self) -> Record:
        trial = self.trial
        with self._phase("load"):
            backend, import_seconds = self.session.load_backend()
            if reason := backend.supports(trial):
                raise UnsupportedError(reason)
            task = self.session.load_task(trial.task)
            data, digest = self.session.load_data(trial)
            data = replace(data, train=limited(data.train, trial.recipe.limit, trial.seed))
            model = task.model(data, trial.architecture, trial.cell, trial.size, trial.options)
            cutter = _batcher(trial, data)
        with self._phase("build"):
            weights = initial_parameters(model, trial.seed, trial.execution.dtype)
            begin = time.perf_counter()
            program = backend.build(model, weights, trial.recipe, trial.execution)
            self.scalars["speed/import_seconds"] = import_seconds
            self.scalars["speed/build_seconds"] = time.perf_counter() - begin
        first = _first_batch(trial, cutter, data)
        with self._phase("parity"):
            parity = self._parity(program, model, weights, first)
            check_kernel(program.kernel(), trial.execution)
        with self._phase("train"):
            snapshots = Snapshots(model, first)
            outcome = train(
                program,
                cutter,
                task,
                data,
                trial.recipe,
                trial.seed,
                snapshots,
                trial.protocol.gradient_snapshots,
                self._progress,
            )
        self.scalars |= outcome.scalars
        series, verdicts = outcome.series, {"gradient": outcome.gradient_verdict}
        verdicts["parity"] = "ok" if parity.ok else "breach"
        if not outcome.diverged:
            with self._phase("evaluate"):
                program.load_parameters(outcome.parameters)
                scores = evaluate(program, cutter, task, data, data.test)
                self.scalars |= {f"test/{name}": value for name, value in scores.items()}
        if parity.ok and not outcome.diverged:
            # what is not proved equal is not timed: its figure would compare different work
            with self._phase("time"):
                on_cpu = trial.execution.device == "cpu"
                peers = [backend, self.session.load_reference()] if on_cpu else [backend]
                speed = measure_speed(program, peers, model, trial, cutter, data)
            self.scalars |= speed.scalars
            series, verdicts["speed"] = series + speed.series, speed.verdict
            self._cold_start()
        for probe in self.probes:
            self.scalars |= probe.scalars()
        self.scalars |= {f"memory/{name}_bytes": float(n) for name, n in program.memory().items()}
        self.scalars["model/parameters"] = float(sum(weight.size for weight in weights.values()))
        facts = {"data.sha256": digest, "data.licence": data.licence}
        facts |= {f"backend.{name}": text for name, text in (backend.versions() | program.notes()).items()}
        return Record(
            trial=trial,
            status=Status.DIVERGED if outcome.diverged else Status.OK,
            reason=outcome.diverged or ("" if parity.ok else parity.sentence()),
            scalars=self.scalars,
            verdicts=verdicts,
            kernel=program.kernel(),
            baselines={name: dict(metrics) for name, metrics in data.baselines.items()},
            primary=task.primary,
            higher_is_better=task.higher_is_better,
            environment=environment() | facts | self._plugin_facts(),
            series=series,
        )

    def _parity(self, program: Program, model: ModelSpec, weights: Parameters, batch: Batch) -> Comparison:
        """Hold the first batch's backward pass to the float64 reference with the same weights."""
        double = {name: weight.astype(np.float64) for name, weight in weights.items()}
        execution = Execution(precision="float64")
        reference = self.session.load_reference().build(model, double, self.trial.recipe, execution)
        expected = reference.gradients(reference.place(in_double(batch)))
        found = program.gradients(program.place(batch))
        comparison = compare(found, expected, self.trial.execution.precision)
        self.scalars |= {
            "parity/loss_error": comparison.errors["loss"],
            "parity/prediction_error": comparison.errors["predictions"],
            "parity/gradient_error": comparison.largest("gradient"),
            "parity/state_error": comparison.largest("state"),
            "parity/worst_ratio": comparison.ratio(comparison.worst),
        }
        return comparison

    def _cold_start(self) -> None:
        scalars = self.scalars
        first = scalars["speed/first_step_seconds"]
        scalars["speed/compile_seconds"] = max(0.0, first - scalars["speed/step_median_seconds"])
        scalars["speed/cold_start_seconds"] = (
            scalars["speed/import_seconds"] + scalars["speed/build_seconds"] + first
        )

    def _plugin_facts(self) -> dict[str, str]:
        """What plugins add to the environment; one that failed is left out and named in it."""
        found, problems = registry().gather("benchsuite_environment", _texts, trial=self.trial)
        facts = {name: text for texts in found for name, text in texts.items()}
        failed = self.plugin_problems | problems
        return facts | {f"plugin.{name}.problem": problem for name, problem in failed.items()}

    def _phase(self, name: str) -> Phase:
        self.report(Progress(self.trial, name))
        return Phase(self.probes, name)

    def _progress(self, epoch: int, loss: float | None, metric: float | None) -> None:
        epochs = self.trial.recipe.epochs
        self.report(Progress(self.trial, "train", epoch, epochs, loss, metric))


def _batcher(trial: Trial, data: Dataset) -> Batcher:
    if trial.recipe.carry:  # a stream is evaluated whole, as one row
        longest = max(int(split.inputs.lengths.max()) for split in (data.train, data.validation, data.test))
        return Batcher(1, (longest,), trial.execution.dtype)
    others = [data.validation, data.test]
    return batcher(data.train, others, trial.recipe.batch_size, trial.execution.dtype)


def _first_batch(trial: Trial, cutter: Batcher, data: Dataset) -> Batch:
    recipe = trial.recipe
    if recipe.carry and recipe.truncation is not None:
        return next(stream_batches(data.train, recipe.batch_size, recipe.truncation, cutter.dtype))
    return next(cutter.epoch(data.train, trial.seed, 0))


def _probes(answer: Iterable[Probe]) -> list[Probe]:
    probes = list(answer)
    for probe in probes:
        if not isinstance(probe, Probe):
            raise ContractError(f"benchsuite_probes gave {type(probe).__name__}, not Probe")
    return probes


def _texts(answer: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(fact) for name, fact in answer.items()}


def _check_installed(what: str, requirements: Sequence[str], extra: str | None) -> None:
    missing = [name for name in requirements if not _installed(name)]
    if missing:
        raise MissingFrameworkError(what, missing, extra)


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _reason(error: Exception) -> str:
    """An error in one line: benchsuite's own speak for themselves, others need their type."""
    text = str(error).strip()
    first = text if isinstance(error, BenchsuiteError) else (text.splitlines() or [""])[0]
    return first if isinstance(error, BenchsuiteError) else f"{type(error).__name__}: {first}".rstrip(": ")
