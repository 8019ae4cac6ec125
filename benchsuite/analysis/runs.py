"""Who ran each model and how (backend, unroll, device), and how fast that was compared with the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate, estimate
from benchsuite.analysis.training_time import seconds_to_trained
from benchsuite.analysis.validity import Clock, seconds

STEP = "speed/step_median_seconds"
PEAK = "speed/peak_flops_per_second"
Relation = Literal["relative", "relative_trained"]
"""Names of the fields of Run that compare it with the other runs of its model."""


@dataclass(frozen=True, eq=False)
class Run:
    """One model by one runner: a configuration over its seeds.

    runner    `torch fused`, with device, threads and others where they differ among the runs
    backend   the same without the unroll: `torch`, whose ways its unrolls are
    speed     sequences per second of training, by the model's clock; None where no timing is valid
    relative  speed over that of the model's fastest run; None for a model that nobody else ran
    relative_trained  seconds to the trained model over those of the run that is trained soonest; None as above
    limit     the best rate of matrix products, FLOP/s, that any run of the model showed with the same
              device and threads: what is a limit of one library's products is none of the machine
    """

    ranking: Ranking
    model: Model
    aggregate: Aggregate
    runner: str
    backend: str
    speed: float | None
    relative: float | None = None
    relative_trained: float | None = None
    limit: float | None = None

    @property
    def name(self) -> str:
        """Cell and architecture."""
        return self.model.name

    @property
    def unsteady(self) -> bool:
        return self.model.is_unsteady(self.aggregate)

    def mean(self, scalar: str) -> float | None:
        """The scalar's mean over seeds; None where there is none, or none that is finite."""
        found = self.aggregate.scalars.get(scalar)
        return found.mean if found is not None and math.isfinite(found.mean) else None

    @property
    def step(self) -> float | None:
        """Seconds per training step by the clock of the run's own trial, the mean over seeds with a valid
        timing; None where there is none."""
        return self._over_seeds(None)

    @property
    def wall_step(self) -> float | None:
        """Wall seconds per training step, the mean over seeds with a valid timing."""
        return self._over_seeds("wall")

    def _over_seeds(self, by: Clock | None) -> float | None:
        found = self._steps(by)
        return math.fsum(found) / len(found) if found else None

    def _steps(self, by: Clock | None) -> list[float]:
        taken = (seconds(record, by=by) for record in self.aggregate.records)
        return [value for value in taken if value is not None]

    @property
    def step_half(self) -> float | None:
        """Half the 95 % interval of `step`: over seeds; with one seed the same share of it as that of the timed
        rounds is of their wall time."""
        found = self._steps(None)
        if len(found) > 1:
            return estimate(found).half_width
        if self.step is None or self.half is None or not self.speed:
            return None
        return self.step * self.half / self.speed

    @property
    def trained(self) -> float | None:
        """Wall seconds from the start to the trained model, the import apart; the mean over seeds."""
        found = seconds_to_trained(self.aggregate)
        return found.mean if found is not None and math.isfinite(found.mean) else None

    @property
    def share(self) -> float | None:
        """The share of the limit that training reaches."""
        return self._of_limit("speed/peak_share")

    @property
    def inference_share(self) -> float | None:
        """The share of the limit that inference reaches."""
        return self._of_limit("speed/inference_peak_share")

    def _of_limit(self, scalar: str) -> float | None:
        """A share of the run's own peak, as one of the limit."""
        share, peak = self.mean(scalar), self.mean(PEAK)
        return share * peak / self.limit if share is not None and peak and self.limit else None

    @property
    def half(self) -> float | None:
        """Half the 95 % interval of the speed: over seeds; of the timed rounds where there is one seed."""
        found = self.aggregate.speed(self.model.clock)
        if found is None or self.speed is None:
            return None
        if found.half_width is not None:
            return found.half_width
        step = self.mean(STEP)
        low, high = self.mean("speed/step_low_seconds"), self.mean("speed/step_high_seconds")
        return self.speed * (high - low) / 2 / step if step and low is not None and high is not None else None


def runs_of(rankings: Iterable[Ranking]) -> list[Run]:
    """Every run of the rankings, which are of one machine; a model's fastest first."""
    found = [(ranking, model, run) for ranking in rankings for model in ranking.models for run in model.runs]
    name = _Namer([run for _, _, run in found])
    made: list[Run] = []
    for ranking, model, run in found:
        made.append(Run(ranking, model, run, name.runner(run), name.backend(run), model.speed(run)))
    return _limited(_relative(made))


def _relative(runs: Sequence[Run]) -> list[Run]:
    """The runs of models that several runs have a figure of, relative to the model's best figure."""
    speeds = _known(runs, lambda run: run.speed)
    trained = _known(runs, lambda run: run.trained)
    made = []
    for run in runs:
        own_speeds, own_trained = speeds.get(id(run.model), []), trained.get(id(run.model), [])
        made.append(
            replace(
                run,
                relative=run.speed / max(own_speeds) if run.speed and len(own_speeds) > 1 else None,
                relative_trained=run.trained / min(own_trained)
                if run.trained and len(own_trained) > 1
                else None,
            )
        )
    return made


def _known(runs: Sequence[Run], figure: Callable[[Run], float | None]) -> dict[int, list[float]]:
    """Identity of a model -> the figure of each of its runs that has one."""
    found: dict[int, list[float]] = {}
    for run in runs:
        if value := figure(run):
            found.setdefault(id(run.model), []).append(value)
    return found


def _limited(runs: Sequence[Run]) -> list[Run]:
    """The runs with the best rate of products among those of their model, device and threads."""

    def key(run: Run) -> tuple[int, str, int]:
        execution = run.aggregate.trial.execution
        return id(run.model), execution.device, execution.threads

    best: dict[tuple[int, str, int], float] = {}
    for run in runs:
        if peak := run.mean(PEAK):
            best[key(run)] = max(best.get(key(run), 0.0), peak)
    return [replace(run, limit=best.get(key(run))) for run in runs]


class _Namer:
    """Names runners by backend and unroll, and both by what else differs among `runs`."""

    def __init__(self, runs: Sequence[Aggregate]) -> None:
        fields = ("device", "precision", "threads", "allocator", "deterministic")
        found = {field: {str(getattr(run.trial.execution, field)) for run in runs} for field in fields}
        self._told = [field for field, values in found.items() if len(values) > 1]

    def runner(self, run: Aggregate) -> str:
        return " ".join([run.trial.backend, run.trial.execution.unroll, *self._others(run)])

    def backend(self, run: Aggregate) -> str:
        return " ".join([run.trial.backend, *self._others(run)])

    def _others(self, run: Aggregate) -> Iterator[str]:
        for field in self._told:
            value = str(getattr(run.trial.execution, field))
            yield value if field in ("device", "precision") else f"{field}={value}"


def best_by_model(runs: Iterable[Run], figure: Relation) -> dict[int, float]:
    """Identity of a model -> its best figure among the runs, which are those of one backend: of several ways to
    run a model its user takes the best one. Models without the figure are left out."""
    best: dict[int, float] = {}
    for run in runs:
        value = run.relative if figure == "relative" else run.relative_trained
        if value:
            better = max if figure == "relative" else min
            best[id(run.model)] = better(best.get(id(run.model), value), value)
    return best


@dataclass(frozen=True)
class Leaders:
    """Who is the best in most models.

    backends  several where they are it in equally many
    models    how many that are; of several ways of a backend the best one counts
    of        models that several runs are compared in
    """

    backends: tuple[str, ...]
    models: int
    of: int


def firsts(runs: Iterable[Run], figure: Relation) -> int:
    """The number of models in which one of the runs of one backend is the best, or equal to the best."""
    return sum(value == 1.0 for value in best_by_model(runs, figure).values())


def leaders(runs: Sequence[Run], figure: Relation) -> Leaders | None:
    """None where no model was run by several."""
    known: dict[str, list[Run]] = {}
    for run in runs:
        known.setdefault(run.backend, []).append(run)
    wins = {backend: firsts(own, figure) for backend, own in known.items()}
    of = len({model for own in known.values() for model in best_by_model(own, figure)})
    if not of:
        return None
    most = max(wins.values())
    return Leaders(tuple(sorted(name for name, number in wins.items() if number == most)), most, of)


def geometric_mean(values: Sequence[float]) -> float:
    """The n-th root of the product of n positive numbers: the mean for ratios (Fleming and Wallace 1986)."""
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def median_of(runs: Iterable[Run], scalar: str) -> float | None:
    """The median over runs of a scalar's mean over seeds; None where no run has it."""
    found = [value for run in runs if (value := run.mean(scalar)) is not None]
    return median(found) if found else None
