"""Times that fit into each other: steps into training, training into the trial."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.schema import TIME_PARTS, time_scalar

FASTER_THAN_TIMED = 2.0
"""Training may be that many times faster than its own timed steps; batches differ in length."""
CLOCK_SLACK = 1.02
"""Two clocks differ by less than that."""


def duration_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with how long the parts of a trial took."""
    record, scalars = found.record, found.record.scalars
    if not found.ended_well:
        return
    for name, value in scalars.items():
        if name.endswith("seconds") and not value >= 0:
            yield found.fault(f"{name} is {value:g}")
    whole = record.finished - record.started
    parts = sum(value for part in TIME_PARTS if (value := scalars.get(time_scalar(part), 0.0)) > 0)
    if parts > CLOCK_SLACK * whole:
        yield found.fault(f"the parts of its time add up to {parts:.4g} s in a trial of {whole:.4g} s")
    train, first = scalars.get("train/seconds"), scalars.get("speed/first_step_seconds", 0.0)
    if train is None:
        return
    if train + scalars.get("speed/build_seconds", 0.0) > CLOCK_SLACK * whole:
        yield found.fault(f"trained for {train:.4g} s in a trial of {whole:.4g} s")
    if first > CLOCK_SLACK * train:
        yield found.fault(f"the first step took {first:.4g} s, and all of training {train:.4g} s")
    if scalars.get("train/time_to_target_seconds", 0.0) > CLOCK_SLACK * train:
        yield found.fault("the target was reached after the end of training")
    yield from _against_steps(found, train, first)
    cores = record.environment.get("hardware.logical_cores", "")
    busy = scalars.get("train/cpu_seconds", 0.0)
    if cores.isdecimal() and busy > CLOCK_SLACK * int(cores) * train + 0.1:
        yield found.fault(f"training used {busy:.4g} s of {cores} cores in {train:.4g} s")


def _against_steps(found: Evidence, train: float, first: float) -> Iterator[str]:
    """Training takes about as long as its steps do when they are timed. Where a trial has a processor core to
    itself, processor time counts: the work of others may have slowed the timed rounds down."""
    steps, wall = found.scalar("train/steps"), found.series.get("speed/step_wall")
    if steps is None or wall is None:
        return
    cpu = found.series.get("speed/step_cpu") if found.record.trial.execution.alone else None
    least = first + (steps - 1) * min([*wall.y, *(cpu.y if cpu is not None else ())])
    if FASTER_THAN_TIMED * train < least:
        yield found.fault(
            f"trained for {train:.4g} s; {steps:g} steps take {least:.4g} s when they are timed"
        )
