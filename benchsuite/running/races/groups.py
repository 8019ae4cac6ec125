"""Which trials of a study race each other: those that run one model and differ only in how they run it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchsuite.analysis.identity import changes_result, changes_run, fields, model_key, varying, words
from benchsuite.analysis.validity import has_valid_timing, seconds
from benchsuite.running.races.workers import MOST_RACERS
from benchsuite.schema import Record, Trial

ALWAYS_NAMED = ("task", "source", "cell", "architecture", "backend", "execution.unroll")
"""Fields that the name of a group or of a racer has in any case."""


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


def _as_it_is(trial: Trial) -> Sequence[Trial]:
    return (trial,)


def race_groups(
    records: Sequence[Record],
    every_seed: bool = False,
    changed: Callable[[Trial], Sequence[Trial]] = _as_it_is,
) -> tuple[list[RaceGroup], int]:
    """The groups of ranked records with a valid timing, and how many models only one trial runs.

    Seeds change weights and order, not the work: unless `every_seed`, a model races with its first seed of
    which there are two trials or more.

    :param changed: what races instead of a recorded trial. Its seconds are taken to be those of the record, and
        a group's name says what was changed in all of its racers.
    """
    recorded: dict[str, float] = {}
    paths: dict[str, None] = {}
    groups: dict[str, dict[str, Trial]] = {}
    # of a trial that several machines ran, one record is enough: the race is run here
    for record in {record.trial_id: record for record in records if has_valid_timing(record)}.values():
        for trial in changed(record.trial):
            groups.setdefault(_key(trial, every_seed), {}).setdefault(trial.id, trial)
            recorded[trial.id] = min(recorded.get(trial.id, math.inf), _seconds(record))
            paths |= dict.fromkeys(_differing(record.trial, trial))
    chosen: list[list[Trial]] = []
    alone = 0
    for group in groups.values():
        seeds: dict[int, list[Trial]] = {}
        for trial in group.values():
            seeds.setdefault(trial.seed, []).append(trial)
        first = next((seeds[seed] for seed in sorted(seeds) if len(seeds[seed]) > 1), None)
        if first is None:
            alone += 1
        else:
            chosen.append(sorted(first, key=lambda trial: recorded[trial.id]))
    told = _varying([group[0] for group in chosen])
    return [_group(group, told, list(paths)) for group in chosen], alone


def _key(trial: Trial, by_seed: bool) -> str:
    """What all racers of a group share: the model, and the seed where `by_seed`."""
    return f"{model_key(trial)} {trial.seed if by_seed else ''}"


def _differing(recorded: Trial, trial: Trial) -> list[str]:
    """Dotted paths at which a trial is not as it was recorded, but for those that names always have."""
    if trial is recorded:
        return []
    before = fields(recorded)
    return [
        path
        for path, value in fields(trial).items()
        if path not in ALWAYS_NAMED and before.get(path) != value
    ]


def _group(group: Sequence[Trial], told: Sequence[str], changed: Sequence[str]) -> RaceGroup:
    trials, left = group[:MOST_RACERS], group[MOST_RACERS:]
    trial = trials[0]
    apart = varying(trials, lambda path: path in changed, lambda _: None)
    everywhere = [path for path in changed if path not in apart]
    name = " ".join(
        [f"{trial.task}/{trial.source}", trial.model, *words(trial, dict.fromkeys([*told, *everywhere]))]
    )
    return RaceGroup(name, _named(trials), tuple(left))


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
    """Racers by name: backend, unroll, the device where there are several, and whatever else differs, so that
    no two have one name."""
    told = varying(
        trials,
        lambda path: changes_run(path) and path not in (*ALWAYS_NAMED, "execution.device"),
        lambda _: None,
    )
    several = len({trial.execution.device for trial in trials}) > 1

    def name(trial: Trial) -> str:
        device = [trial.execution.device] if several else []
        return " ".join([trial.backend, trial.execution.unroll, *device, *words(trial, told)])

    return {name(trial): trial for trial in trials}


def _seconds(record: Record) -> float:
    found = seconds(record, by="wall")
    return math.inf if found is None else found
