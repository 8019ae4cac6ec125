"""Timings that follow from their samples, and verdicts that follow from the timings."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from benchsuite.analysis.validity import breaks_parity, invalid_timing, parity_checked
from benchsuite.analysis.verification.evidence import Evidence, differs, same
from benchsuite.schema import INVALID_TIMING
from benchsuite.schema.samples import summarise

TIMED_KINDS = ("step", "inference", "transfer", "generation")
STEP_MEDIAN = "speed/step_median_seconds"
MOST_BUSY = 1.5
"""Processor time of the rounds over their wall time, per thread that a trial has on a CPU, above which the
timing should have been refused."""


def timing_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with a record's timing."""
    record = found.record
    if not found.ended_well or not parity_checked(record):
        return
    if breaks_parity(record):
        if STEP_MEDIAN in record.scalars:
            yield found.fault("breaks parity and is timed all the same")
        return
    if record.verdicts.get("speed") not in ("stable", "unstable", *INVALID_TIMING):
        yield found.fault(f"the verdict on its timing is {record.verdicts.get('speed')!r}")
    for what in TIMED_KINDS:
        yield from _samples(found, what)
    yield from _rates(found)
    yield from _starting(found)
    yield from _quantiles(found)
    yield from _threads(found)


def _samples(found: Evidence, what: str) -> Iterator[str]:
    """Median, spread and interval follow from the samples of the rounds."""
    wall, cpu = found.series.get(f"speed/{what}_wall"), found.series.get(f"speed/{what}_cpu")
    median = found.scalar(f"speed/{what}_median_seconds")
    if wall is None or cpu is None or median is None:
        if what != "generation" or (wall, cpu, median) != (None, None, None):
            yield found.fault(f"samples or the median of speed/{what} are missing")
        return
    rounds = found.record.trial.protocol.rounds
    if len(wall.y) != len(cpu.y) or (what != "generation" and len(wall.y) != rounds):
        yield found.fault(f"speed/{what} has {len(wall.y)} samples, and {rounds} rounds were asked for")
    if not all(math.isfinite(value) and value > 0 for value in wall.y) or min(cpu.y) < 0:
        yield found.fault(f"a sample of speed/{what} is no duration")
        return
    summary = summarise(np.asarray(wall.y))
    figures = {
        "median": summary.median,
        "iqr": summary.iqr,
        "low": summary.low,
        "high": summary.high,
        "cpu": float(np.median(cpu.y)),
    }
    for name, value in figures.items():
        scalar = f"speed/{what}_{name}_seconds"
        if fault := differs(found, scalar, value, "its samples give", scale=summary.median):
            yield fault
    verdict = found.record.verdicts.get("speed")
    if what == "step" and verdict in ("stable", "unstable") and (verdict == "unstable") != summary.unstable:
        yield found.fault(f"the timing is called {verdict}, and its rounds say otherwise")
    if found.scalar(f"speed/{what}_warm") not in (0.0, 1.0):
        yield found.fault(f"speed/{what}_warm is neither 0 nor 1")


def _rates(found: Evidence) -> Iterator[str]:
    """Rates are counts over the medians."""
    scalars = found.record.scalars
    step, inference = (
        scalars.get(STEP_MEDIAN) or math.nan,
        scalars.get("speed/inference_median_seconds") or math.nan,
    )
    per_batch = scalars.get("speed/sequences_per_second", math.nan) * step
    if fault := differs(
        found,
        "speed/inference_sequences_per_second",
        per_batch / inference,
        "the batches that were timed in training give",
    ):
        yield fault
    if not per_batch >= 1 - 1e-9:
        yield found.fault(f"a batch of {per_batch:.3g} sequences was timed")
    steps = scalars.get("speed/time_steps_per_second", math.nan) * step
    if not steps >= per_batch * (1 - 1e-9):
        yield found.fault(f"{per_batch:.3g} sequences of a batch have {steps:.3g} time steps")
    if not 0 <= scalars.get("speed/padding_share", 0.0) < 1:
        yield found.fault("speed/padding_share is no share")
    flops, peak = scalars.get("speed/flops_per_step"), scalars.get("speed/peak_flops_per_second")
    if flops is not None and peak is not None:
        if not (flops > 0 and peak > 0):
            yield found.fault("operations per step and the machine's rate of them must be positive")
        elif fault := differs(found, "speed/peak_share", flops / step / peak, "operations and times give"):
            yield fault
    generated = scalars.get("speed/generated_tokens_per_second")
    if generated is not None:
        tokens = generated * scalars.get("speed/generation_median_seconds", math.nan)
        if not same(tokens, round(tokens) if math.isfinite(tokens) else 0.0, scale=1.0):
            yield found.fault(f"generated {tokens:.6g} tokens, which is no whole number")


def _starting(found: Evidence) -> Iterator[str]:
    """Compilation and cold start follow from the first step."""
    scalars = found.record.scalars
    first = scalars.get("speed/first_step_seconds")
    if first is None or STEP_MEDIAN not in scalars:
        return
    begun = scalars.get("speed/import_seconds", 0.0) + scalars.get("speed/build_seconds", 0.0)
    expected = {
        "speed/compile_seconds": max(0.0, first - scalars[STEP_MEDIAN]),
        "speed/cold_start_seconds": begun + first,
    }
    for name, value in expected.items():
        if fault := differs(found, name, value, "the first step gives", scale=first):
            yield fault


def _quantiles(found: Evidence) -> Iterator[str]:
    """Quantiles of single calls follow from the calls."""
    for what in ("latency", "online"):
        calls = found.series.get(f"speed/{what}_wall")
        for share in (50, 95, 99):
            name = f"speed/{what}_p{share}_seconds"
            if name in found.record.scalars and calls is None:
                yield found.fault(f"{name} has no samples")
            elif calls is not None and (
                fault := differs(found, name, float(np.percentile(calls.y, share)), "its samples give")
            ):
                yield fault


def _threads(found: Evidence) -> Iterator[str]:
    """On a CPU the processor time of a step is no more than its threads can use."""
    execution = found.record.trial.execution
    wall, cpu = found.scalar(STEP_MEDIAN), found.scalar("speed/step_cpu_seconds")
    if execution.device != "cpu" or invalid_timing(found.record) or not wall or cpu is None:
        return
    if cpu > MOST_BUSY * execution.threads * wall:
        yield found.fault(
            f"used {cpu / wall:.1f} processors with {execution.threads} threads, and its timing is not refused"
        )
