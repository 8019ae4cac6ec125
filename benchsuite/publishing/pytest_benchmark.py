"""A study as the JSON that pytest-benchmark writes: read by `pytest-benchmark compare`, github-action-benchmark
(tool `pytest`) and Bencher (adapter `python_pytest`).

A benchmark is a trial with a valid timing; its rounds are the timed rounds of a training step, in seconds, by
the clock that the trial is compared by.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchsuite.analysis.machines import Machine
from benchsuite.analysis.validity import common_clock, has_valid_timing, problem_reason, seconds
from benchsuite.analysis.versions import framework_version
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record

FORMAT_VERSION = "5.1.0"
"""The version of pytest-benchmark whose layout this is."""


def pytest_benchmark_json(study: StoredStudy) -> tuple[dict[str, Any], list[str]]:
    """The JSON's values, and a sentence for each trial that is left out because it has no valid timing.

    Raises StoreError for curves that cannot be read.
    """
    machines = study.machines()
    several = len(set(machines)) > 1
    made, left = [], []
    for record, machine in zip(study.records, machines, strict=True):
        label = study.label(record.trial)
        if has_valid_timing(record) and seconds(record) is not None:
            made.append(_benchmark(study, record, label, machine.name if several else ""))
        else:
            left.append(f"{label} is left out: {problem_reason(record) or 'it was not timed'}")
    ends = [record.finished for record in study.records if record.finished > 0]
    moment = datetime.datetime.fromtimestamp(max(ends, default=0.0), datetime.UTC)
    environment = next((one.environment for one in study.records if one.environment), {})
    return {
        "machine_info": _machine_info(environment, machines),
        "commit_info": {
            "id": environment.get("code.git_commit", "unversioned"),
            "time": None,
            "author_time": None,
            "dirty": False,
            "project": "benchsuite",
            "branch": "(unknown)",
        },
        "benchmarks": made,
        "datetime": moment.isoformat(),
        "version": FORMAT_VERSION,
    }, left


def _machine_info(environment: Mapping[str, str], machines: Iterable[Machine]) -> dict[str, Any]:
    """As pytest-benchmark describes a machine; its `node` is where it tells machines apart."""
    names = "; ".join(dict.fromkeys(machine.name for machine in machines))
    return {
        "node": names,
        "processor": environment.get("hardware.cpu", ""),
        "machine": environment.get("system.machine", ""),
        "python_implementation": environment.get("python.implementation", "CPython"),
        "python_implementation_version": environment.get("python.version", ""),
        "python_version": environment.get("python.version", ""),
        "python_build": ["", ""],
        "python_compiler": "",
        "release": environment.get("system.platform", ""),
        "system": environment.get("system.platform", "").partition("-")[0],
        "cpu": {
            "brand_raw": environment.get("hardware.cpu", ""),
            "count": int(environment.get("hardware.logical_cores") or 0),
        },
    }


def _benchmark(study: StoredStudy, record: Record, label: str, machine: str) -> dict[str, Any]:
    clock, trial = common_clock([record]), record.trial
    curves = {one.name: one.y for one in study.series(record.trial_id, record.attempt)}
    found = [value for value in curves.get(f"speed/step_{clock}", []) if math.isfinite(value) and value > 0]
    median = seconds(record)
    name = f"{label} on {machine}" if machine else label
    return {
        "group": f"{trial.task}/{trial.source} {trial.model}",
        "name": name,
        "fullname": name,
        "params": {"backend": trial.backend, "unroll": trial.execution.unroll, "seed": trial.seed},
        "param": f"{trial.backend}-{trial.execution.unroll}-{trial.seed}",
        "extra_info": {
            "trial": record.trial_id,
            "configuration": trial.configuration_id,
            "clock": clock,
            "kernel": record.kernel,
            "framework_version": framework_version(record),
            "metric": record.primary,
            "value": _plain(record.scalars.get(f"test/{record.primary}")),
            "sequences_per_second": _plain(record.scalars.get("speed/sequences_per_second")),
        },
        "options": {
            "disable_gc": False,
            "timer": "process_time" if clock == "cpu" else "perf_counter",
            "min_rounds": trial.protocol.rounds,
            "max_time": 0.0,
            "min_time": trial.protocol.round_seconds,
            "warmup": True,
        },
        "stats": statistics(found or [median] if median is not None else found),
    }


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def statistics(samples: Sequence[float]) -> dict[str, Any]:
    """The figures that pytest-benchmark has of rounds. Outliers are counted by its two rules: beyond one
    standard deviation from the mean, and beyond 1.5 interquartile ranges from the quartiles (Tukey 1977).

    :param samples: at least one, seconds, positive.
    """
    values = np.sort(np.asarray(samples, np.float64))
    q1, median, q3 = (float(one) for one in np.percentile(values, (25, 50, 75)))
    mean, iqr = float(values.mean()), q3 - q1
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    inside = values[(values >= q1 - 1.5 * iqr) & (values <= q3 + 1.5 * iqr)]
    far = int((np.abs(values - mean) > spread).sum()) if spread else 0
    return {
        "min": float(values[0]),
        "max": float(values[-1]),
        "mean": mean,
        "stddev": spread,
        "rounds": len(values),
        "median": median,
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": len(values) - len(inside),
        "stddev_outliers": far,
        "outliers": f"{far};{len(values) - len(inside)}",
        "ld15iqr": float(inside[0]),
        "hd15iqr": float(inside[-1]),
        "ops": 1 / mean,
        "total": float(values.sum()),
        "data": values.tolist(),
        "iterations": 1,
    }
