"""Records as rankings: by what may be compared, which model is best and who runs it fastest."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchsuite.analysis.seeds import Aggregate, Estimate, aggregate
from benchsuite.schema import Record
from benchsuite.schema.fields import flatten
from benchsuite.schema.names import INVALID_TIMING, NO_CELL

SPEED = "speed/sequences_per_second"
MODEL = ("size.", "recipe.", "protocol.", "execution.precision")
"""Fields that make a model another one; the rest of `execution` says how the same model is run."""


@dataclass(frozen=True)
class Model:
    """One model by everyone who ran it: the same mathematics, proved equal. Fastest first."""

    runs: tuple[Aggregate, ...]

    @property
    def best(self) -> Aggregate:
        return self.runs[0]

    @property
    def name(self) -> str:
        """`lstm bidirectional`, or `cnn` alone."""
        return self.best.trial.model

    @property
    def is_baseline(self) -> bool:
        return self.best.trial.cell == NO_CELL

    @property
    def metric(self) -> Estimate | None:
        """The ranking metric over seeds, of the fastest run."""
        return self.best.primary

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


@dataclass(frozen=True)
class Section:
    """Models that may be ranked against each other: one task, source and set of options. Best first.

    settings  dotted fields that tell models of one name apart
    ways      dotted fields that tell runs of one backend apart
    """

    task: str
    source: str
    options: dict[str, Any]
    metric: str
    higher_is_better: bool
    models: tuple[Model, ...]
    baselines: dict[str, float]
    settings: tuple[str, ...]
    ways: tuple[str, ...]

    def way(self, run: Aggregate) -> str:
        """`torch`, or `torch unroll=fused` where runs of a backend differ."""
        return " ".join([run.trial.backend, *words(run, self.ways)])


def sections(records: Iterable[Record]) -> list[Section]:
    """The records by what may be compared; a group without any result is left out."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        trial = record.trial
        key = json.dumps([trial.task, trial.source, trial.options], sort_keys=True)
        groups.setdefault(key, []).append(record)
    return [_section(group) for group in groups.values() if any(record.primary for record in group)]


def _section(records: list[Record]) -> Section:
    known = next(record for record in records if record.primary)
    runs = [each for each in aggregate(records) if each.ranked and each.primary is not None]
    models: dict[str, list[Aggregate]] = {}
    for run in runs:
        models.setdefault(_model_key(run), []).append(run)
    sign = -1 if known.higher_is_better else 1
    ranked = sorted(
        (Model(tuple(sorted(group, key=_slowness))) for group in models.values()),
        key=lambda model: _order(model.metric, sign),
    )
    baselines = {
        name: metrics[known.primary]
        for record in records
        for name, metrics in record.baselines.items()
        if known.primary in metrics
    }
    return Section(
        known.trial.task,
        known.trial.source,
        known.trial.options,
        known.primary,
        known.higher_is_better,
        tuple(ranked),
        baselines,
        _varying(runs, MODEL, lambda run: f"{run.trial.cell} {run.trial.architecture}"),
        _varying(runs, ("execution.",), lambda run: f"{run.trial.backend} {_model_key(run)}"),
    )


def fields(run: Aggregate) -> dict[str, Any]:
    """The trial's fields by dotted path."""
    return dict(flatten(run.trial.model_dump(mode="json")))


def words(run: Aggregate, paths: Sequence[str]) -> list[str]:
    """`unroll=fused`, `learning_rate=0.01`: the fields at `paths`, without their groups."""
    values = fields(run)
    return [f"{path.rpartition('.')[2]}={values[path]}" for path in paths]


def _model_key(run: Aggregate) -> str:
    own = {path: value for path, value in fields(run).items() if path.startswith(MODEL)}
    return json.dumps([run.trial.cell, run.trial.architecture, own], sort_keys=True)


def _slowness(run: Aggregate) -> tuple[float, str]:
    """Sorts the fastest first, and last what has no speed that may be believed."""
    speed = run.scalars.get(SPEED)
    if speed is None or math.isnan(speed.mean) or set(run.verdict("speed").split("/")) & set(INVALID_TIMING):
        return math.inf, run.trial.backend
    return -speed.mean, run.trial.backend


def _order(estimate: Estimate | None, sign: int) -> tuple[bool, float]:
    """Sorts the best first and what is not a number last."""
    value = math.nan if estimate is None else estimate.mean
    return (math.isnan(value), 0.0 if math.isnan(value) else sign * value)


def _varying(runs: Sequence[Aggregate], starts: tuple[str, ...], group: Any) -> tuple[str, ...]:
    """Paths that begin with one of `starts` and hold several values within a group of runs."""
    values: dict[tuple[str, str], set[Any]] = {}
    for run in runs:
        for path, value in fields(run).items():
            if path.startswith(starts):
                values.setdefault((path, group(run)), set()).add(value)
    return tuple(dict.fromkeys(path for (path, _), several in values.items() if len(several) > 1))
