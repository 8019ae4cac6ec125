"""The hooks of the example plugin. This module is imported by every `benchsuite` command: it stays light."""

from __future__ import annotations

import csv
import gc
from collections.abc import Iterable, Mapping

from benchsuite import hookimpl
from benchsuite.contracts import Option, Probe, StudyInfo, Task, TaskEntry
from benchsuite.schema import Record, Trial

TASK = "parity_bits"
LEAST_HIDDEN = 2
MOST_BITS = 60


def _load() -> Task:
    from benchsuite_example.task import ParityBits

    return ParityBits()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name=TASK,
            load=_load,
            summary="is the number of ones even or odd? One bit of memory over the whole sequence",
            sources={"generated": "distinct random bit sequences; needs no download"},
            offline=("generated",),
            options={
                "shortest": Option(6, "bits of the shortest sequence", least=1, most=MOST_BITS),
                "longest": Option(12, "bits of the longest sequence", least=1, most=MOST_BITS),
            },
            requirements=("numpy",),
        )
    ]


@hookimpl
def benchsuite_skip_trial(trial: Trial) -> str | None:
    if trial.task == TASK and trial.size.hidden < LEAST_HIDDEN:
        return f"a parity needs at least {LEAST_HIDDEN} hidden units, the trial has {trial.size.hidden}"
    return None


@hookimpl
def benchsuite_probes(trial: Trial) -> Iterable[Probe]:
    from benchsuite_example.pauses import CollectorPauses

    return [CollectorPauses()] if trial.task == TASK else []


@hookimpl
def benchsuite_environment(trial: Trial) -> Mapping[str, str]:
    thresholds = ",".join(str(threshold) for threshold in gc.get_threshold())
    return {"example.gc_threshold": thresholds} if trial.task == TASK else {}


@hookimpl
def benchsuite_trial_finished(study: StudyInfo, record: Record) -> None:
    if record.trial.task != TASK:
        return
    with (study.folder / f"{TASK}.csv").open("a", newline="", encoding="utf-8") as file:
        accuracy = record.scalars.get("test/accuracy", "")
        csv.writer(file).writerow([record.trial_id, record.trial.cell, record.status, accuracy])
