"""A record in MLflow's terms: params, tags, and metric points with names and numbers it takes unharmed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from benchsuite.analysis.decay import verdicts
from benchsuite.analysis.epoch_times import EPOCH_SECONDS, EpochTimes, epoch_times, seconds_until
from benchsuite.analysis.validity import (
    is_ranked,
    problem,
    problem_reason,
    unsteady,
    valid_scalars,
    valid_series,
)
from benchsuite.schema import Record, Series, Trial

MOST_POINTS = 500
"""Points of one curve: more cannot be told apart in a chart; the whole curve is attached as Parquet."""

MOST_IN_BATCH = 600
"""Points of one record. A request may hold 1000, but SQLite takes 0.1 ms for each, and mirroring a trial is
to take no longer than 150 ms."""

MOST_TAG = 4_000
"""Characters of a tag; MLflow refuses more than 8000."""

OWN_GROUPS = ("test", "val", "train", "speed", "memory", "energy", "model", "parity", "gradient", "time")
"""The groups of a record's own figures. What a plugin's probe measures is in another group, and always sent."""

MIRRORED = (
    "test/*",
    "val/{primary}",
    "train/loss",
    "train/loss_final",
    "train/seconds",
    "train/best_epoch",
    "train/time_to_target_seconds",
    "speed/sequences_per_second",
    "speed/inference_sequences_per_second",
    "speed/step_median_seconds",
    "speed/compile_seconds",
    "speed/cold_start_seconds",
    "speed/latency_p50_seconds",
    "speed/online_p50_seconds",
    "speed/generated_tokens_per_second",
    "memory/peak_bytes",
    "energy/train_joules",
    "model/parameters",
    "parity/worst_ratio",
    "gradient/norm/all",
    "gradient/norm_*",
    "gradient/half_life_steps_*",
    "gradient/change_*",
    "gradient/clipped_share",
)
"""Figures and curves that people compare, `{primary}` being the metric that ranks. All others, the gradient of
each layer and each lag among them, are in the attached record and its Parquet file."""
NOT_MIRRORED = ("gradient/norm_before_clip",)

RENAMED = {"gradient/norm/all": "gradient/norm"}
"""A slash more would be a section more of MLflow's charts."""

_ILLEGAL = re.compile(r"[^\w\-. /:]", re.ASCII)


class Point(NamedTuple):
    """One value of a metric.

    step     counts what the curve's axis counts; 0 for a scalar
    seconds  when it was so, from the start of the trial; None: at its end
    """

    name: str
    value: float
    step: int
    seconds: float | None = None


def is_compared(name: str, primary: str) -> bool:
    """Whether a figure or curve is sent as a metric.

    :param primary: name of the test metric that ranks.
    """
    if name.partition("/")[0] not in OWN_GROUPS or "/" not in name:
        return True
    if name in NOT_MIRRORED:
        return False
    return any(fnmatchcase(name, pattern.format(primary=primary)) for pattern in MIRRORED)


def params(trial: Trial, seed: bool = True) -> dict[str, str]:
    """The comparison axes, what charts are grouped by: the same for every trial, and then whatever else of
    size, execution and recipe is not at its default. How much is measured is in tags."""
    execution, recipe, size = trial.execution, trial.recipe, trial.size
    axes: dict[str, Any] = {
        "task": trial.task,
        "source": trial.source,
        "cell": trial.cell,
        "architecture": trial.architecture,
        "backend": trial.backend,
        "device": execution.device,
        "unroll": execution.unroll,
        "precision": execution.precision,
        "threads": execution.threads,
        "hidden": size.hidden,
        "layers": size.layers,
        "optimiser": recipe.optimiser,
        "learning_rate": f"{recipe.learning_rate:g}",
        "batch_size": recipe.batch_size,
        "epochs": recipe.epochs,
        **({"seed": trial.seed} if seed else {}),
        **{legal(f"option.{name}"): value for name, value in sorted(trial.options.items())},
    }
    for part in (size, execution, recipe):
        for name, field in type(part).model_fields.items():
            value = getattr(part, name)
            if value != field.default:
                axes.setdefault(name, f"{value:g}" if isinstance(value, float) else value)
    return {name: str(value) for name, value in axes.items()}


def tags(record: Record, label: str = "") -> dict[str, str]:
    """The rest of the trial, how it ended, and whether it is ranked and timed.

    :param label: what the trial is called in its study.
    """
    found = {
        "label": label or record.trial.label,
        "status": str(record.status),
        "reason": record.reason,
        "ranked": str(is_ranked(record)).lower(),
        "problem": problem(record),
        "problem_reason": problem_reason(record),
        "unsteady": unsteady(record),
        "kernel": record.kernel,
        "fingerprint": record.fingerprint,
        **{f"verdict.{name}": word for name, word in verdicts(record).items()},
    }
    for part in ("size", "execution", "recipe", "protocol"):
        values = getattr(record.trial, part).model_dump()
        found |= {f"{part}.{name}": str(value) for name, value in values.items() if value is not None}
    infinite = [name for name, value in valid_scalars(record).items() if math.isinf(value)]
    found["infinite"] = ", ".join(sorted(infinite))
    return {f"benchsuite.{legal(name)}": text[:MOST_TAG] for name, text in found.items() if text}


def points(record: Record, series: Sequence[Series]) -> list[Point]:
    """What is compared of a record: scalars, then curves thinned to fit. Infinite values are left out (MLflow
    would draw 1.8e308); the tag `benchsuite.infinite` names the scalars, and the attached curves have them all.
    Of a timing that is refused there is no figure and no curve; the attached record has them."""
    names = MetricNames()
    found = [
        Point(names.take(name), value, 0)
        for name, value in sorted(valid_scalars(record).items())
        if is_compared(name, record.primary)
    ]
    found = [point for point in found if not math.isinf(point.value)][:MOST_IN_BATCH]
    room = MOST_IN_BATCH - len(found)
    # short curves first, so that what they leave of their share goes to the long ones
    kept = [
        one
        for one in valid_series(record, series)
        if is_compared(one.name, record.primary) and one.name != EPOCH_SECONDS
    ]
    times = epoch_times(record, series)
    by_length = sorted(kept, key=lambda one: len(one.x))
    for place, one in enumerate(by_length):
        most = min(MOST_POINTS, room // (len(by_length) - place))
        name = names.take(RENAMED.get(one.name, one.name), f"by_{one.axis}")
        curve = list(_curve(name, one, most, record, times))
        room -= len(curve)
        found += curve
    return found


def _curve(name: str, series: Series, most: int, record: Record, times: EpochTimes | None) -> Iterable[Point]:
    for place in thinned(len(series.x), most):
        if not math.isinf(series.y[place]):
            x = series.x[place]
            when = None if times is None else seconds_until(record, times, series.axis, x)
            yield Point(name, series.y[place], round(x), when)


def thinned(length: int, most: int) -> list[int]:
    """At most `most` of `length` places, evenly, the first and the last among them."""
    if length <= most:
        return list(range(length))
    if most < 2:
        return [length - 1] * most
    return [place * (length - 1) // (most - 1) for place in range(most)]


class MetricNames:
    """Gives every metric a legal name of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str, suffix: str = "") -> str:
        """`name` made legal; with the suffix, then a number, where another metric has it already."""
        base = legal(name)
        candidates = [base, f"{base}_{suffix}"] if suffix else [base]
        number = 2
        while candidates[0] in self._taken:
            candidates.pop(0)
            if not candidates:
                candidates = [f"{base}_{number}"]
                number += 1
        self._taken.add(candidates[0])
        return candidates[0]


def legal(name: str) -> str:
    """A name MLflow takes: letters, digits, `_-./: `, and no path with empty or dotted parts."""
    parts = [part for part in _ILLEGAL.sub("_", name).split("/") if part.strip(". ")]
    return "/".join(parts)[:250] or "unnamed"


def estimates(scalars: Mapping[str, Any], primary: str = "") -> list[Point]:
    """Means over seeds of what is compared as metrics, each with the bounds of its interval beside it and the
    number of seeds.

    :param scalars: scalar name -> benchsuite.analysis.seeds.Estimate. :param primary: as in is_compared().
    """
    names = MetricNames()
    found = []
    for name, estimate in scalars.items():
        if not is_compared(name, primary):
            continue
        taken = names.take(name)
        bounds = {"": estimate.mean, "_low": estimate.low, "_high": estimate.high}
        values = {taken + ending: value for ending, value in bounds.items() if value is not None}
        found += [Point(key, value, 0) for key, value in values.items() if not math.isinf(value)]
    count = max((estimate.n for estimate in scalars.values()), default=0)
    return [Point("seeds/n", float(count), 0), *found][:MOST_IN_BATCH]
