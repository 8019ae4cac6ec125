"""One trial: its phases in order, and the record they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from benchsuite.contracts import Phase, Probe, Program, Progress
from benchsuite.contracts.executor import WAITING
from benchsuite.contracts.trained_model import TRAINED_MODEL, TrainedModel, are_weights_asked
from benchsuite.errors import ContractError
from benchsuite.measure.machine import MachineLock
from benchsuite.measure.provenance import data_facts, environment, process_facts
from benchsuite.measure.provenance.data import text_digest
from benchsuite.measure.stopwatch import Stopwatch
from benchsuite.measure.training import Evaluator, Snapshots, train
from benchsuite.measure.worker.building import Loaded, Loader, build, first_batches, load
from benchsuite.measure.worker.calibrating import choose_way
from benchsuite.measure.worker.heap import trim_heap
from benchsuite.measure.worker.kernels import check_kernel
from benchsuite.measure.worker.measuring import Speed, measure_speed, timing_batches
from benchsuite.measure.worker.online import measure_online
from benchsuite.measure.worker.parity_check import ParityCheck
from benchsuite.plugins import registry
from benchsuite.schema import Exhibit, Record, Status, Trial
from benchsuite.schema.texts import described

Reporter = Callable[[Progress], None]

PART_OF_PHASE = {
    "load": "data",
    "calibrate": "calibration",
    "build": "build",
    "parity": "parity",
    "train": "training",
    "evaluate": "evaluation",
    "time": "timing",
}
"""Phase of a trial -> the part of its time (schema.TIME_PARTS) that it is, but for other parts inside it."""


class TrialRun:
    """The phases of one trial: load, calibrate, build, parity, train, evaluate, time.

    What is timed in the second and the last one has the machine alone; the others stop, where they can, as long
    as another trial is timed.
    """

    def __init__(self, session: Loader, trial: Trial, report: Reporter, machine: MachineLock) -> None:
        self.session, self.trial, self.machine = session, trial, machine
        self._report, self._latest = report, Progress(trial, "load")
        found, self.plugin_problems = registry().gather("benchsuite_probes", _probes, trial=trial)
        self.probes = [probe for probes in found for probe in probes]
        self.scalars: dict[str, float] = {}
        self.facts: dict[str, str] = {}
        self.watch = Stopwatch()

    def run(self) -> Record:
        """Begins to work on the machine; that it ends is the caller's part."""
        trial = self.trial
        self.machine.begin(self._tell_waiting)
        with self.watch.of("import"):
            self.session.load_backend()
        with self._phase("load"):
            loaded = load(self.session, trial)
            backend, task, model = loaded.backend, loaded.task, loaded.model
            cutter = loaded.batcher
        with self._phase("calibrate"):
            loaded, choice = choose_way(loaded, trial, alone=self.machine.exclusive)
            self.facts |= choice.facts()
            if choice.measured_seconds:
                self.scalars["speed/calibration_seconds"] = choice.measured_seconds
        with self._phase("build"):
            program, weights, seconds = build(loaded, trial)
            self.scalars["speed/import_seconds"] = loaded.import_seconds
            self.scalars["speed/build_seconds"] = seconds
        self.watch.watch(program.compilations)
        with self.watch.of("data"):
            chunks = first_batches(loaded, trial)
        with self._phase("parity"):
            parity_check = ParityCheck(
                self.session.load_reference(),
                model,
                weights,
                loaded.recipe,
                trial.execution.precision,
                chunks,
            )
            parity_check.hold_gradients(program, self._step_aside)
        trim_heap()  # or the peak of training would be the reference's
        with self._phase("train"):
            snapshots = Snapshots(model, chunks[0].batch, trial.recipe.truncation)
            evaluator = Evaluator(cutter, task, model, trial.recipe, self._step_aside)
            outcome = train(
                program,
                evaluator,
                trial.seed,
                snapshots,
                trial.protocol.gradient_snapshots,
                self._progress,
                lambda trained: check_kernel(trained.kernel(), loaded.execution, model),
                self.machine,
                self.watch,
            )
        parity_check.hold_steps(outcome.losses)
        parity = parity_check.comparison
        self.scalars |= outcome.scalars | parity_check.scalars()
        series, verdicts = outcome.series, {"gradient": outcome.gradient_verdict}
        verdicts["parity"] = "ok" if parity.ok else "breach"
        exhibits: list[Exhibit] = []
        if not outcome.diverged:
            with self._phase("evaluate"):
                program.load_parameters(outcome.parameters)
                exhibits = self._test(program, evaluator)
        if parity.ok and not outcome.diverged:
            # what does not agree with the reference is not timed: its figure would compare different work
            self.facts["run.timed_alone"] = "yes" if self.machine.supported else "no"
            with self.machine.exclusive(), self._phase("time"):
                on_cpu = trial.execution.device == "cpu"
                peers = [backend, self.session.load_reference()] if on_cpu else [backend]
                speed = measure_speed(program, peers, model, trial, cutter, task.train)
                online = self._online(loaded, program)
            self.scalars |= speed.scalars | online.scalars
            series, verdicts["speed"] = series + speed.series + online.series, speed.verdict
            self._cold_start()
        self._ask_probes()
        self.scalars |= {f"memory/{name}_bytes": float(n) for name, n in program.memory().items()}
        self.scalars["model/parameters"] = float(sum(weight.size for weight in weights.values()))
        facts = (
            process_facts() | {"data.sha256": loaded.digest, "data.licence": task.licence} | data_facts(task)
        )
        facts |= self._machine_facts()
        facts |= {
            f"backend.{name}": str(text) for name, text in (backend.versions() | program.notes()).items()
        }
        artifacts = dict(task.artifacts)
        if are_weights_asked() and not outcome.diverged:
            artifacts[TRAINED_MODEL] = TrainedModel(model, outcome.parameters).as_text()
            facts[f"{TRAINED_MODEL}.sha256"] = text_digest(artifacts[TRAINED_MODEL])
        self.scalars |= self.watch.scalars()
        return Record(
            trial=trial,
            status=Status.DIVERGED if outcome.diverged else Status.OK,
            reason=outcome.diverged or ("" if parity.ok else parity.sentence()),
            scalars=self.scalars,
            verdicts=verdicts,
            kernel=program.kernel(),
            baselines={name: dict(metrics) for name, metrics in task.baselines.items()},
            primary=task.primary,
            higher_is_better=task.higher_is_better,
            environment=environment() | facts | self.facts | self.watch.facts() | self._plugin_facts(),
            series=series,
            exhibits=exhibits,
            artifacts=artifacts,
        )

    def _test(self, program: Program, evaluator: Evaluator) -> list[Exhibit]:
        """Metrics of the test split, and what there is to look at. Where a beam decodes, the primary metric of
        greedy decoding is given beside it."""
        task, width = evaluator.task, self.trial.protocol.beam
        predicted = evaluator.predict(program, task.test, width, aligned=True)
        scores = evaluator.score(predicted, task.test)
        if width > 1 and evaluator.model.has_sequence_targets:
            greedy, primary = evaluator.metrics(program, task.test), task.primary
            scores[f"greedy_{primary}"] = greedy[primary]
        self.scalars |= {f"test/{name}": value for name, value in scores.items()}
        if not predicted.finite:
            return []
        return task.exhibits(predicted.values, task.test, predicted.alignments)

    def _online(self, loaded: Loaded, program: Program) -> Speed:
        """One time step per call, where the protocol asks for it."""
        if not self.trial.protocol.online:
            return Speed()
        batch = timing_batches(self.trial, loaded.batcher, loaded.task.train, loaded.model)[0]
        ran = self.trial.model_copy(update={"execution": loaded.execution})
        found, problem = measure_online(loaded.backend, program, loaded.model, loaded.recipe, ran, batch)
        if problem:
            self.facts["online.not_measured"] = problem
        return found

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

    def _machine_facts(self) -> dict[str, str]:
        """`run.beside`: the most other trials that worked on this machine meanwhile; `run.waited_seconds`."""
        if not self.machine.supported:
            return {"run.timed_alone.problem": self.machine.problem}
        return {
            "run.beside": str(self.machine.beside),
            "run.waited_seconds": f"{self.machine.waited:.3f}",
        }

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self._step_aside()
        self.report(Progress(self.trial, name))
        with self.watch.of(PART_OF_PHASE[name]), Phase(self.probes, name, self.plugin_problems):
            yield

    def _ask_probes(self) -> None:
        for probe in self.probes:
            try:
                self.scalars |= {str(name): float(value) for name, value in probe.scalars().items()}
            except Exception as error:  # a plugin's probe may fail in any way
                self.plugin_problems[type(probe).__qualname__] = described(error)

    def report(self, progress: Progress) -> None:
        self._latest = progress
        self._report(progress)

    def _tell_waiting(self, waits: bool) -> None:
        if waits:
            self.watch.enter("waiting")
        else:
            self.watch.leave()
        self._report(Progress(self.trial, WAITING) if waits else self._latest)

    def _step_aside(self) -> None:
        if self.machine.wanted():
            self.machine.step_aside()

    def _progress(self, epoch: int, loss: float | None, metric: float | None) -> None:
        epochs = self.trial.recipe.epochs
        self.report(Progress(self.trial, "train", epoch, epochs, loss, metric))


def _probes(answer: Iterable[Probe]) -> list[Probe]:
    probes = list(answer)
    for probe in probes:
        if not isinstance(probe, Probe):
            raise ContractError(f"benchsuite_probes gave {type(probe).__name__}, not Probe")
    return probes


def _texts(answer: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(fact) for name, fact in answer.items()}
