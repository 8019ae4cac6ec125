"""Which trials of a study race each other: those that run one model and differ only in how they run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.analysis.identity import changes_result, model_key, varying, words
from benchsuite.analysis.validity import has_valid_timing, seconds
from benchsuite.running.races.workers import MOST_RACERS
from benchsuite.schema import Record, Trial

TOLD = ("device", "threads", "allocator", "deterministic")
"""Fields of `execution` that a racer's name tells where they differ in its group."""


@dataclass(frozen=True)
class RaceGroup:
    """One race to run.

    name    what they run: task, source, cell, architecture, and what tells it from other groups
    racers  name (`torch fused`) -> trial
    left    trials that would race as well but for MOST_RACERS; they were the slowest when they were recorded
    """

    name: str
    racers: dict[str, Trial]
    left: tuple[Trial, ...] = ()


def race_groups(records: Sequence[Record], every_seed: bool = False) -> tuple[list[RaceGroup], int]:
    """The groups of ranked records with a valid timing, and how many models only one of them runs.

    Seeds change weights and order, not the work: unless `every_seed`, a model races with its first seed of
    which there are two trials or more.
    """
    groups: dict[str, list[Record]] = {}
    # of a trial that several machines ran, one record is enough: the race is run here
    for record in {record.trial_id: record for record in records if has_valid_timing(record)}.values():
        groups.setdefault(_key(record.trial, every_seed), []).append(record)
    chosen: list[list[Record]] = []
    alone = 0
    for group in groups.values():
        seeds: dict[int, list[Record]] = {}
        for record in group:
            seeds.setdefault(record.trial.seed, []).append(record)
        first = next((seeds[seed] for seed in sorted(seeds) if len(seeds[seed]) > 1), None)
        if first is None:
            alone += 1
        else:
            chosen.append(sorted(first, key=_seconds))
    told = _varying([group[0].trial for group in chosen])
    return [_group(group, told) for group in chosen], alone


def _key(trial: Trial, by_seed: bool) -> str:
    """What all racers of a group share: the model, and the seed where `by_seed`."""
    return f"{model_key(trial)} {trial.seed if by_seed else ''}"


def _group(group: Sequence[Record], told: Sequence[str]) -> RaceGroup:
    trials = [record.trial for record in group[:MOST_RACERS]]
    trial = trials[0]
    name = " ".join([f"{trial.task}/{trial.source}", trial.model, *words(trial, told)])
    return RaceGroup(name, _named(trials), tuple(record.trial for record in group[MOST_RACERS:]))


def _varying(trials: Sequence[Trial]) -> list[str]:
    """Fields beyond task, source, cell and architecture that tell groups of one name apart."""
    return list(
        varying(
            trials,
            lambda path: changes_result(path) or path == "seed",
            lambda trial: (trial.task, trial.source, trial.cell, trial.architecture),
        )
    )


def _named(trials: Sequence[Trial]) -> dict[str, Trial]:
    told = [field for field in TOLD if len({str(getattr(trial.execution, field)) for trial in trials}) > 1]

    def name(trial: Trial) -> str:
        words = [trial.backend, trial.execution.unroll]
        for field in told:
            value = str(getattr(trial.execution, field))
            words.append(value if field == "device" else f"{field}={value}")
        return " ".join(words)

    return {name(trial): trial for trial in trials}


def _seconds(record: Record) -> float:
    found = seconds(record, by="wall")
    return float("inf") if found is None else found
