"""How long a trial will take, from the records of earlier ones, on this machine or on others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median

from benchsuite.analysis.machines import Machine, machines_of
from benchsuite.analysis.runs import PEAK
from benchsuite.schema import Record, Status, Trial

BESIDE_TRAINING = 2.0
"""Seconds that a trial takes at least, as a guess: it loads data, is checked for parity and timed."""
SECONDS_PER_UNIT = 2e-5
"""Seconds per unit of the product in asked_work(), as a guess."""
TIMINGS_BY_TRIAL, CHECKS_SECONDS = 3, 0.3
"""Training steps, inference and transfer are timed; seconds of the checks and of the machine's limit beside."""
ASSUMED_STEPS, ASSUMED_ROWS = 30, 10_000
"""Steps of a sequence and rows of a data set, where the trial does not say them."""


@dataclass(frozen=True)
class ExpectedTime:
    """Seconds that a trial will take, and where that is known from, as a phrase."""

    seconds: float
    known_from: str


def asked_work(trial: Trial) -> float:
    """Seconds that a trial would take by what it asks alone: a rough guess, of use for comparing trials."""
    recipe, size = trial.recipe, trial.size
    updates = max(1.0, recipe.epochs * (recipe.limit or ASSUMED_ROWS) / recipe.batch_size)
    if recipe.steps is not None:
        updates = min(updates, float(recipe.steps))
    length = next(
        (value for name, value in trial.options.items() if name in ("length", "window") and _counts(value)),
        ASSUMED_STEPS,
    )
    layers = size.layers * (2 if "bidirectional" in trial.architecture else 1)
    layers *= 2 if trial.architecture in ("encoder_decoder", "attention") else 1
    per_step = 1.0 + recipe.batch_size * size.hidden / 8192
    return BESIDE_TRAINING + SECONDS_PER_UNIT * updates * float(length) * layers * per_step


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def taken_seconds(record: Record) -> float:
    """Seconds that a trial took, less those in which it waited for others."""
    try:
        waited = float(record.environment.get("run.waited_seconds", "0"))
    except ValueError:
        waited = 0.0
    return record.finished - record.started - (waited if waited >= 0 else 0.0)


def alone_seconds(trial: Trial) -> float:
    """About how many seconds of a trial have the machine alone: its timed rounds and what precedes them."""
    protocol = trial.protocol
    kinds = TIMINGS_BY_TRIAL + (trial.architecture in ("encoder_decoder", "attention"))
    return kinds * (protocol.rounds * protocol.round_seconds + protocol.warmup_seconds / 2) + CHECKS_SECONDS


def seconds_of_all(trials: Sequence[tuple[Trial, float]], jobs: int) -> float:
    """Seconds until trials have run of which each takes so many alone, `jobs` at the same time: what is timed
    comes one after the other, all else side by side; no less than the longest of them takes."""
    if jobs == 1 or not trials:
        return sum(seconds for _, seconds in trials)
    timed = sum(min(seconds, alone_seconds(trial)) for trial, seconds in trials)
    beside = sum(seconds for _, seconds in trials) - timed
    return max(timed + beside / jobs, *(seconds for _, seconds in trials))


Alike = tuple[Hashable, ...]
ALIKE_WORDS = ("trials of its task and backend", "trials of its backend", "other trials")
"""What _alike() gives, in words."""


@dataclass
class TimeEstimator:
    """Expects of a trial what trials like it took.

    here          the machine that the trials will run on; unknown: times are compared as they are
    product_rate  measures the rate of this machine's matrix products on one thread, FLOP/s; called where there
                  is no record of this machine to compare with those of others
    """

    here: Machine = field(default_factory=Machine)
    product_rate: Callable[[], float] | None = None
    _taken: dict[Machine, dict[str, list[float]]] = field(default_factory=dict)
    _shares: dict[Machine, dict[Alike, list[float]]] = field(default_factory=dict)
    _peaks: dict[Machine, list[float]] = field(default_factory=dict)

    def add(self, records: Sequence[Record], home: Machine | None = None) -> None:
        """Learn from the records of a study. :param home: where records come from that do not say it."""
        for record, machine in zip(records, machines_of(records, home), strict=True):
            seconds = taken_seconds(record)
            if record.status not in (Status.OK, Status.DIVERGED) or not seconds > 0:
                continue
            trial = record.trial
            self._taken.setdefault(machine, {}).setdefault(trial.configuration_id, []).append(seconds)
            share = seconds / asked_work(trial)
            shares = self._shares.setdefault(machine, {})
            for kind in _alike(trial):
                shares.setdefault(kind, []).append(share)
            if PEAK in record.scalars and trial.execution.alone:
                self._peaks.setdefault(machine, []).append(record.scalars[PEAK])
        self.__dict__.pop("_order", None)
        self.__dict__.pop("_ratios", None)

    def knows(self, trial: Trial) -> bool:
        """Whether this configuration was recorded on this machine."""
        return trial.configuration_id in self._taken.get(self.here, {})

    def expected(self, trial: Trial) -> ExpectedTime | None:
        """From the best of what is known, None where nothing is: the configuration here; on another machine,
        scaled; trials of the same task and backend; of the same backend; any others. Those are compared by what
        they ask."""
        for machine in self._order:
            taken = self._taken[machine].get(trial.configuration_id)
            if taken:
                return self._scaled(machine, fmean(taken), "records of the configuration")
        for kind, words in zip(_alike(trial), ALIKE_WORDS, strict=True):
            for machine in self._order:
                shares = self._shares[machine].get(kind)
                if shares:
                    return self._scaled(machine, median(shares) * asked_work(trial), words)
        return None

    @cached_property
    def _order(self) -> list[Machine]:
        """This machine first, then those with most records."""
        known = sorted(self._taken, key=lambda one: (-sum(map(len, self._taken[one].values())), one.facts))
        return sorted(known, key=lambda one: one != self.here)

    def _scaled(self, machine: Machine, seconds: float, words: str) -> ExpectedTime:
        if machine == self.here or not self.here.facts:
            return ExpectedTime(seconds, words)
        ratio, why = self._ratios.get(machine) or self._ratio(machine)
        self._ratios[machine] = (ratio, why)
        return ExpectedTime(seconds * ratio, f"{words} on {machine.name}{why}")

    @cached_property
    def _ratios(self) -> dict[Machine, tuple[float, str]]:
        return {}

    def _ratio(self, machine: Machine) -> tuple[float, str]:
        """Seconds here per second on the other machine, and how that is known."""
        own, other = self._taken.get(self.here, {}), self._taken[machine]
        both = [fmean(own[key]) / fmean(other[key]) for key in own.keys() & other.keys()]
        if both:
            return median(both), f", times {median(both):.2g} as for trials that ran on both"
        theirs, ours = self._peaks.get(machine), self._peak_here()
        if theirs and ours:
            ratio = median(theirs) / ours
            return ratio, f", times {ratio:.2g} by the rates of matrix products"
        return 1.0, ", not scaled"

    def _peak_here(self) -> float:
        known = self._peaks.get(self.here)
        if known:
            return median(known)
        return self.product_rate() if self.product_rate is not None else 0.0


def expected_sources(expected: Iterable[ExpectedTime | None]) -> list[tuple[str, int]]:
    """(where times are known from, of how many trials), most first; "" for those that are not known."""
    counts: dict[str, int] = {}
    for one in expected:
        words = "" if one is None else one.known_from
        counts[words] = counts.get(words, 0) + 1
    return sorted(counts.items(), key=lambda one: -one[1])


def _alike(trial: Trial) -> tuple[Alike, Alike, Alike]:
    """What a trial is like, from the narrowest kind to the widest."""
    run = (trial.backend, trial.execution.device)
    return (trial.task, trial.source, *run), run, ()
