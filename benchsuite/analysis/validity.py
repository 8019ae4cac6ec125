"""Which timing counts, which clock it is read from, and why a trial is not ranked.

Every page, table, comparison, race and mirror asks here. A record's verdict `speed` is what the worker found;
what follows from it is decided by the functions of this module and by nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from benchsuite.contracts.shared_compilations import REUSED_NOTE
from benchsuite.schema import INVALID_TIMING, Record, Series, Status, Trial
from benchsuite.schema.texts import MOST_REASON, capped
from benchsuite.schema.thresholds import DISTURBED, UNSTABLE

Clock = Literal["cpu", "wall"]
Timed = Literal["step", "inference"]

PARITY_BREACH, NOT_CHECKED = "parity breach", "parity not checked"

GRAVEST_FIRST = (
    PARITY_BREACH,
    str(Status.FAILED),
    str(Status.KILLED),
    str(Status.TIMEOUT),
    *INVALID_TIMING,
    NOT_CHECKED,
    str(Status.DIVERGED),
    str(Status.SKIPPED),
)
"""Kinds of problems, in the order in which they are listed."""

STEADY_STATE = (
    "speed/step_", "speed/inference_", "speed/transfer_", "speed/generation_", "speed/latency_",
    "speed/online_",
    "speed/sequences_per_second", "speed/time_steps_per_second", "speed/generated_tokens_per_second",
    "speed/peak_share", "speed/compile_seconds",
)  # fmt: skip
"""Beginnings of the scalars that come from the timed rounds. Of an invalid timing none of them counts."""

TRAINING = (
    "train/seconds", "train/cpu_seconds", "train/time_to_target_seconds", "speed/import_seconds",
    "speed/build_seconds", "speed/first_step_seconds", "speed/compile_seconds", "speed/cold_start_seconds",
    "time/",
)  # fmt: skip
"""The scalars of times that are taken while other trials may work. Where those slowed it down, or had compiled
what it ran, none counts."""

ENERGY = "energy/"
"""The beginning of scalars that hold what the whole machine used."""

BESIDE = "beside"
"""The word of INVALID_TIMING for what was timed while other trials may have worked."""


def exclusion(record: Record) -> str:
    """Why the record is in no ranking, in a word or two: its status, `parity breach` or `parity not checked`;
    "" where it is ranked."""
    if record.status is not Status.OK:
        return str(record.status)
    if not parity_checked(record):
        return NOT_CHECKED
    return PARITY_BREACH if breaks_parity(record) else ""


def parity_checked(record: Record) -> bool:
    """Whether the trial got as far as the comparison with the reference."""
    return record.verdicts.get("parity") in ("ok", "breach")


def breaks_parity(record: Record) -> bool:
    """Whether the trial differs from the reference by more than the tolerances allow, however it ended."""
    return record.verdicts.get("parity") == "breach"


def is_ranked(record: Record) -> bool:
    """Whether the record may be ranked: it ended well and parity was proved."""
    return not exclusion(record)


def invalid_timing(record: Record) -> str:
    """The word of INVALID_TIMING for which the record's timing is refused, or ""."""
    verdict = record.verdicts.get("speed", "")
    if verdict in INVALID_TIMING:
        return verdict
    alone = record.environment.get("run.timed_alone", "yes") == "yes"
    return "" if alone or not verdict or not others_beside(record) else BESIDE


def others_beside(record: Record) -> int:
    """How many other trials worked on the machine while this one was trained, at most. 0 for a record of a
    version that ran one at a time."""
    counted = record.environment.get("run.beside", "")
    if counted.isdecimal():
        return int(counted)
    jobs = record.environment.get("run.jobs", "")
    return int(jobs) - 1 if jobs.isdecimal() and int(jobs) > 0 else 0


def slowed_training(record: Record) -> str:
    """Why the seconds that training took are not those that it would take alone, as a phrase, or "".

    They are, also beside others, where the trial had processor cores of its own: its clock does not run while
    it waits.
    """
    others = others_beside(record)
    if not others:
        return ""
    beside = f"{others} other {'trial' if others == 1 else 'trials'} worked beside it"
    cores = record.environment.get("run.cores", "")
    if record.trial.execution.device != "cpu":
        return f"{beside}, and may have used the same device"
    if cores == "hardware threads":
        return f"{beside}, on other hardware threads of its cores"
    if cores != "own":
        return f"{beside}, and it had no cores of its own"
    wall, cpu = (record.scalars.get(name, math.nan) for name in ("train/seconds", "train/cpu_seconds"))
    if record.trial.execution.alone and wall > DISTURBED * cpu:
        return f"{beside}, and wall time was {wall / cpu:.1f} times the processor time"
    return ""


def reused_compilations(record: Record) -> int:
    """How many compiled functions the trial was given by earlier ones; 0 where the backend does not say."""
    counted = record.environment.get(f"backend.{REUSED_NOTE}", "")
    return int(counted) if counted.isdecimal() else 0


def training_not_comparable(record: Record) -> str:
    """Why the seconds that training took are not those of a trial that is alone and begins with nothing
    compiled, as a phrase, or ""."""
    if reused := reused_compilations(record):
        return (
            f"it was given {reused} compiled {'function' if reused == 1 else 'functions'} of an earlier trial"
        )
    return slowed_training(record)


def problem(record: Record) -> str:
    """What is wrong with the record, in a word or two: why it is excluded, or why its timing is refused; ""
    where it is ranked with all of its figures."""
    return exclusion(record) or invalid_timing(record)


def problem_reason(record: Record) -> str:
    """The sentence for problem(): the record's own reason, or what the refused timing means. Never blank where
    there is a problem."""
    kind = problem(record)
    if not kind:
        return ""
    if kind in INVALID_TIMING:
        return f"the timing is refused: {INVALID_TIMING[kind]}"
    told = (record.reason or record.exception).strip()
    if told:
        # of a record that an earlier version wrote, a text may be of any length
        return capped(told, 2 * MOST_REASON).splitlines()[0][:MOST_REASON]
    if kind == NOT_CHECKED:
        return "the record has no verdict on parity"
    return "the worker gave no reason"


def is_failure(record: Record) -> bool:
    """Whether a command that made this record must end with 1: the trial failed, broke parity, or its timing
    was refused. A diverged training is a result and a skipped trial a known limit: neither is a failure."""
    failed = (Status.FAILED, Status.TIMEOUT, Status.KILLED)
    return record.status in failed or breaks_parity(record) or bool(invalid_timing(record))


def has_valid_timing(record: Record) -> bool:
    """Whether the record is ranked and its timing may be compared."""
    return not problem(record)


def disturbance(record: Record) -> float:
    """Wall time over processor time of the timed steps, where the trial has one thread on a CPU and the ratio
    is above DISTURBED; else 0."""
    wall, cpu = _seconds(record, "step", "wall"), _seconds(record, "step", "cpu")
    if record.trial.execution.alone and wall and cpu and wall > DISTURBED * cpu:
        return wall / cpu
    return 0.0


def unsteady(record: Record) -> str:
    """Why a valid timing is not steady, as a phrase, or "".

    The spread of the rounds was too wide; or, with one thread on a CPU, the wall time is far above the
    processor time: something else had the core in the meantime.
    """
    if not has_valid_timing(record):
        return ""
    if ratio := disturbance(record):
        return f"wall time was {ratio:.1f} times the processor time: something else had the core"
    if record.verdicts.get("speed", "stable") != "stable":
        return f"the rounds differ by more than {100 * UNSTABLE:.0f} % of their median"
    return ""


def clock(trials: Iterable[Trial]) -> Clock:
    """The clock by which these trials are compared: processor time where every one of them has one thread on a
    CPU, because the work of others is not in it; wall time where several threads or a device work at once."""
    return "cpu" if all(trial.execution.alone for trial in trials) else "wall"


def common_clock(records: Iterable[Record], what: Timed = "step") -> Clock:
    """clock() of the records' trials; wall time where one of them has no processor time."""
    found = list(records)
    chosen = clock(record.trial for record in found)
    if chosen == "cpu" and any(_seconds(record, what, "cpu") is None for record in found):
        return "wall"
    return chosen


def seconds(record: Record, what: Timed = "step", by: Clock | None = None) -> float | None:
    """Seconds per training step, or per batch of inference, by the clock `by` (that of the record's own trial
    where None); None where the timing is invalid or missing."""
    if not has_valid_timing(record):
        return None
    return _seconds(record, what, by or common_clock([record], what))


def sequences_per_second(record: Record, what: Timed = "step", by: Clock | None = None) -> float | None:
    """Sequences per second of training or inference by the clock `by`; None where the timing is invalid or
    missing. The record's own figure is by wall time; by processor time it is scaled by the ratio of the two."""
    name = "speed/sequences_per_second" if what == "step" else "speed/inference_sequences_per_second"
    found = record.scalars.get(name, math.nan)
    if not has_valid_timing(record) or not math.isfinite(found):
        return None
    if (by or common_clock([record], what)) == "wall":
        return found
    wall, cpu = _seconds(record, what, "wall"), _seconds(record, what, "cpu")
    return found * wall / cpu if wall and cpu else found


def valid_scalars(record: Record) -> dict[str, float]:
    """The record's scalars, without the figures of a timing that is invalid, of a training that others slowed
    down or compiled for, and of energy that others used, too."""
    refused: tuple[str, ...] = STEADY_STATE if invalid_timing(record) else ()
    refused += TRAINING if training_not_comparable(record) else ()
    refused += (ENERGY,) if others_beside(record) else ()
    return {name: value for name, value in record.scalars.items() if not name.startswith(refused)}


def reasons_left_out(record: Record) -> list[str]:
    """Why valid_scalars() leaves figures out, as phrases; none where it has all of them."""
    timing = "the timing is refused" if invalid_timing(record) else ""
    training = training_not_comparable(record)
    energy = any(name.startswith(ENERGY) for name in record.scalars) and others_beside(record)
    found = (
        timing,
        f"of the training's seconds, {training}" if training else "",
        "of the machine's energy, others used some" if energy else "",
    )
    return [phrase for phrase in found if phrase]


def valid_series(record: Record, series: Iterable[Series]) -> list[Series]:
    """The curves of the record, without the samples of a timing that is invalid."""
    if not invalid_timing(record):
        return list(series)
    return [one for one in series if not one.name.startswith(STEADY_STATE)]


def _seconds(record: Record, what: Timed, by: Clock) -> float | None:
    name = f"speed/{what}_cpu_seconds" if by == "cpu" else f"speed/{what}_median_seconds"
    found = record.scalars.get(name, math.nan)
    return found if math.isfinite(found) and found > 0 else None
