"""Records as rankings: by what may be compared, which model is best and who runs it fastest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchsuite.analysis.identity import (
    changes_result,
    changes_run,
    is_convolutional_baseline,
    model_key,
    task_key,
    varying,
    words,
)
from benchsuite.analysis.machines import Machine, machines_of
from benchsuite.analysis.seeds import Aggregate, Estimate, aggregate, estimate
from benchsuite.analysis.validity import Clock, common_clock, has_valid_timing, unsteady
from benchsuite.schema import Record

ROUNDING = 1e-6
"""Share of a metric below which two values are equal: what float32 leaves of the same mathematics."""

BOUNDS = ("true_entropy", "true_source")
"""Names under which tasks give, among their baselines, what no model can go beyond."""


@dataclass(frozen=True)
class Model:
    """One model by everyone who ran it: the same mathematics, proved equal. Fastest first.

    clock   the clock by which the runs are compared
    metric_name, higher_is_better   of the metric that ranks
    """

    runs: tuple[Aggregate, ...]
    clock: Clock
    metric_name: str
    higher_is_better: bool

    @property
    def fastest(self) -> Aggregate:
        """The run with the most sequences per second of training; the first one where no timing is valid."""
        return self.runs[0]

    @property
    def name(self) -> str:
        """`lstm bidirectional`, or `cnn` alone."""
        return self.fastest.trial.model

    @property
    def is_baseline(self) -> bool:
        return is_convolutional_baseline(self.fastest.trial)

    @cached_property
    def seed_values(self) -> dict[int, float]:
        """Seed -> the ranking metric on the test split, the mean over the runs with that seed: backends run the
        same mathematics, so that they are no independent measurements. NaN where a run's value is none."""
        values: dict[int, list[float]] = {}
        for run in self.runs:
            for record in run.records:
                if f"test/{self.metric_name}" in record.scalars:
                    found = record.scalars[f"test/{self.metric_name}"]
                    values.setdefault(record.trial.seed, []).append(found)
        return {seed: math.fsum(found) / len(found) for seed, found in sorted(values.items())}

    @cached_property
    def metric(self) -> Estimate | None:
        """The ranking metric over seeds; each seed's value is the mean over the runs with that seed."""
        values = list(self.seed_values.values())
        return estimate(values) if values else None

    @property
    def spread(self) -> float | None:
        """Largest difference between the runs' means of the metric; None for one run."""
        means = [run.primary.mean for run in self.runs if run.primary]
        return max(means) - min(means) if len(means) > 1 else None

    @property
    def worst_parity(self) -> float | None:
        """The largest error of any run as a share of its tolerance."""
        ratios = [
            run.scalars["parity/worst_ratio"].mean for run in self.runs if "parity/worst_ratio" in run.scalars
        ]
        return max(ratios, default=None)

    def speed(self, run: Aggregate) -> float | None:
        """Sequences per second of training by the model's clock; None where no timing of the run is valid."""
        found = run.speed(self.clock)
        return found.mean if found is not None and math.isfinite(found.mean) else None

    def is_unsteady(self, run: Aggregate) -> bool:
        """Whether any valid timing of the run is not steady."""
        return any(unsteady(record) for record in run.records)


@dataclass(frozen=True)
class Ranking:
    """Models that may be ranked against each other: one machine, task, source and set of options. Best first.

    places    the rank of each model: 1 for the best; equal where the values are equal within `resolution`
    settings  dotted fields that tell models of one name apart
    ways      dotted fields that tell runs of one backend apart
    """

    task: str
    source: str
    options: dict[str, Any]
    metric: str
    higher_is_better: bool
    models: tuple[Model, ...]
    places: tuple[int, ...]
    baselines: dict[str, float]
    settings: tuple[str, ...]
    ways: tuple[str, ...]
    machine: Machine

    def place(self, model: Model) -> int:
        """The model's rank, from 1."""
        return self.places[self.models.index(model)]

    def way(self, run: Aggregate) -> str:
        """`torch`, or `torch unroll=fused` where runs of a backend differ."""
        return " ".join([run.trial.backend, *words(run.trial, self.ways)])

    def setting(self, model: Model) -> str:
        """`hidden=64 learning_rate=0.01`: what tells the model from others of its name; "" where nothing
        does."""
        return " ".join(words(model.fastest.trial, self.settings))

    def better(self, a: float, b: float) -> bool:
        """Whether the metric's value `a` is better than `b`."""
        return a > b if self.higher_is_better else a < b

    @property
    def best_baseline(self) -> tuple[str, float] | None:
        """Name and value of the best baseline that is no network; bounds are none."""
        return best_baseline(self.baselines, self.higher_is_better)

    def unbeaten_baseline(self, model: Model) -> tuple[str, float] | None:
        """best_baseline where `model` is no better than it; None where the model is better, has no metric, or
        where there is no baseline."""
        baseline = self.best_baseline
        if model.metric is None or baseline is None or self.better(model.metric.mean, baseline[1]):
            return None
        return baseline


def best_baseline(values: Mapping[str, float], higher_is_better: bool) -> tuple[str, float] | None:
    """Name and value of the best of `values` (name -> metric) that is finite and no bound; None where there is
    none."""
    known = [(name, value) for name, value in values.items() if math.isfinite(value) and name not in BOUNDS]
    if not known:
        return None
    return sorted(known, key=lambda one: -one[1] if higher_is_better else one[1])[0]


def rankings(records: Iterable[Record]) -> list[Ranking]:
    """The records by what may be compared; a group without any result is left out."""
    found = list(records)
    groups: dict[tuple[Machine, str], list[Record]] = {}
    for record, machine in zip(found, machines_of(found), strict=True):
        groups.setdefault((machine, task_key(record.trial)), []).append(record)
    return [
        _ranking(group, machine)
        for (machine, _), group in groups.items()
        if any(record.primary for record in group)
    ]


def _ranking(records: list[Record], machine: Machine) -> Ranking:
    known = next(record for record in records if record.primary)
    runs = [each for each in aggregate(records) if each.ranked and each.primary is not None]
    groups: dict[str, list[Aggregate]] = {}
    for run in runs:
        groups.setdefault(model_key(run.trial), []).append(run)
    made = [_model(group, known) for group in groups.values()]
    sign = -1 if known.higher_is_better else 1
    models = tuple(sorted(made, key=lambda model: _order(model.metric, sign)))
    trials = [run.trial for run in runs]
    return Ranking(
        known.trial.task,
        known.trial.source,
        known.trial.options,
        known.primary,
        known.higher_is_better,
        models,
        places(models),
        {
            name: metrics[known.primary]
            for record in records
            for name, metrics in record.baselines.items()
            if known.primary in metrics
        },
        varying(trials, changes_result, lambda trial: trial.model),
        varying(trials, _tells_runs_apart, lambda trial: (trial.backend, model_key(trial))),
        machine,
    )


def _tells_runs_apart(path: str) -> bool:
    return path != "backend" and changes_run(path)


def _model(runs: Sequence[Aggregate], known: Record) -> Model:
    timed = [record for run in runs for record in run.records if has_valid_timing(record)]
    by = common_clock(timed)

    def slowness(run: Aggregate) -> tuple[float, str]:
        speed = run.speed(by)
        fast = speed is not None and math.isfinite(speed.mean)
        return (-speed.mean if speed is not None and fast else math.inf), run.trial.backend

    return Model(tuple(sorted(runs, key=slowness)), by, known.primary, known.higher_is_better)


def places(models: Sequence[Model]) -> tuple[int, ...]:
    """The rank of each of the models, which are given best first. A model shares the rank of the one before it
    where their values are equal within resolution(); what is not a number comes last, with one rank."""
    found: list[int] = []
    for at, model in enumerate(models):
        same = bool(found) and _equal(models[found[-1] - 1], model)
        found.append(found[-1] if same else at + 1)
    return tuple(found)


def _equal(leader: Model, model: Model) -> bool:
    a, b = _value(leader), _value(model)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= resolution(leader, model)


def resolution(a: Model, b: Model) -> float:
    """The difference below which the values of two models are equal: float32's rounding of them, or what the
    backends that run one and the same of the two models with one seed differ by, where that is more."""
    rounding = ROUNDING * max(abs(_value(a)), abs(_value(b)))
    return max(rounding, *(_rounding_spread(model) for model in (a, b)))


def _rounding_spread(model: Model) -> float:
    """The spread between backends, where it is so small that it can only be rounding; else 0: training is
    chaotic, and a larger spread is noise of the kind that seeds show."""
    spread, size = model.spread, abs(_value(model))
    return spread if spread is not None and spread <= 1e-4 * size else 0.0


def _value(model: Model) -> float:
    return math.nan if model.metric is None else model.metric.mean


def _order(metric: Estimate | None, sign: int) -> tuple[bool, float]:
    """Sorts the best first and what is not a number last."""
    value = math.nan if metric is None else metric.mean
    return (math.isnan(value), 0.0 if math.isnan(value) else sign * value)
