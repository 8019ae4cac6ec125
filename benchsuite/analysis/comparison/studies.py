"""The whole comparison: pairs, effects by section, model and backend, outliers, and what cannot be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchsuite.analysis.comparison.effects import Effect, Verdict, correct_together, pooled
from benchsuite.analysis.comparison.pairing import Pair, Pairing, pair_records
from benchsuite.analysis.comparison.selection import Selection
from benchsuite.analysis.identity import Labels, changes_result, task_title, varying, words
from benchsuite.analysis.seeds import ALPHA
from benchsuite.analysis.validity import Clock, common_clock, has_valid_timing, problem_reason, seconds
from benchsuite.schema import Record

METRIC_MARGIN = 0.002
"""Share of a metric's value below which a difference is of no consequence."""
SPEED_MARGIN = 0.03
"""ln of the ratio of times below which a difference is of no consequence: about 3 %."""


@dataclass(frozen=True)
class StudyComparison:
    """What B is, compared with A.

    metrics  one effect per task and metric; by_model the same for every model with enough seeds
    speeds   one effect per backend, device and clock; empty where the hardware differs
    by_trial one effect per trial whose step time stands out from those of its kind
    """

    a: str
    b: str
    pairing: Pairing
    metrics: tuple[Effect, ...]
    by_model: tuple[Effect, ...]
    speeds: tuple[Effect, ...]
    by_trial: tuple[Effect, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return (*self.metrics, *self.by_model, *self.speeds, *self.by_trial)

    @property
    def verdict(self) -> Verdict:
        """Of the whole: worse if anything is; better if something is and nothing is worse."""
        verdicts = {effect.verdict for effect in self.effects}
        for word in (Verdict.WORSE, Verdict.BETTER, Verdict.UNCLEAR):
            if word in verdicts:
                return word
        return Verdict.SAME if verdicts else Verdict.UNCLEAR

    @cached_property
    def label(self) -> Labels:
        """Gives each trial what it is called among all that were to be compared."""
        records = [record for pair in self.pairing.pairs for record in (pair.a, pair.b)]
        return Labels(record.trial for record in [*records, *(one for _, one, _ in self.pairing.alone)])

    def regressions(self, share: float) -> list[Effect]:
        """Effects that are for the worse by more than `share` of A's value."""
        return [
            effect for effect in self.effects if effect.verdict is Verdict.WORSE and effect.change > share
        ]

    def gate(self, share: float) -> list[str]:
        """Why a gate on regressions above `share` must not let B pass, a sentence each; none where it may.

        A trial that A ranks and B does not, or that A has a valid timing of and B has not, is a regression,
        whatever the others say; and nothing passes where nothing could be compared.
        """
        found = [
            f"{effect.what} of {effect.where} is worse by {effect.change:.1%}"
            for effect in self.regressions(share)
        ]
        found += [f"B does not rank {self.label(record.trial)}: {why}" for record, why in self.pairing.lost]
        found += [
            f"{self.label(pair.b.trial)} in B: {problem_reason(pair.b)}"
            for pair in self.pairing.pairs
            if has_valid_timing(pair.a) and not has_valid_timing(pair.b)
        ]
        if not self.pairing.pairs:
            found.append("no trial of A could be compared with one of B")
        return found


def compare(
    a: Sequence[Record],
    b: Sequence[Record],
    left: Selection,
    right: Selection,
) -> StudyComparison:
    """Compare the records of selection `right` with those of `left`."""
    pairing = pair_records(a, b, left, right)
    metrics = list(_metrics(pairing.pairs))
    by_model = list(_metrics(pairing.pairs, by_model=True))
    speeds: list[Effect] = []
    by_trial: list[Effect] = []
    if not pairing.foreign_hardware:
        speeds = list(_speeds(pairing.pairs))
        by_trial = list(_outliers(pairing.pairs))
    held = correct_together([*metrics, *by_model, *speeds, *by_trial])
    cuts = np.cumsum([len(metrics), len(by_model), len(speeds)])
    parts = [held[start:end] for start, end in zip([0, *cuts], [*cuts, len(held)], strict=True)]
    return StudyComparison(str(left), str(right), pairing, *map(tuple, parts))


def _grouped(pairs: Iterable[Pair], key: Callable[[Pair], str]) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair), []).append(pair)
    return groups


def _metrics(pairs: Sequence[Pair], by_model: bool = False) -> Iterable[Effect]:
    """Effects on the ranking metric by task, or by model. A replicate is a seed, whose value is the mean
    over the backends; the models of a task are strata. Sizes, recipes and options are never replicates."""
    trials = [pair.a.trial for pair in pairs]
    for members in _grouped(pairs, lambda pair: pair.task).values():
        task = task_title(members[0].a.trial, trials)
        metric, better = members[0].a.primary, members[0].a.higher_is_better
        models = _grouped(members, lambda pair: pair.model)
        by_seed = {key: _seed_values(group, f"test/{metric}") for key, group in models.items()}
        if by_model:
            names = _model_names(models)
            for key, values in by_seed.items():
                if len(values) > 1:
                    yield pooled(f"test/{metric}", f"{task}: {names[key]}", [list(values.values())],
                                 higher_is_better=better, margin=METRIC_MARGIN)  # fmt: skip
            continue
        strata = [list(values.values()) for values in by_seed.values() if values]
        if strata:
            yield pooled(f"test/{metric}", task, strata, higher_is_better=better, margin=METRIC_MARGIN)


def _seed_values(pairs: Iterable[Pair], name: str) -> dict[int, tuple[float, float]]:
    """Seed -> (A's, B's) metric, means over the backends; seeds without two finite values are left out."""
    found: dict[int, list[tuple[float, float]]] = {}
    for pair in pairs:
        x, y = pair.a.scalars.get(name, math.nan), pair.b.scalars.get(name, math.nan)
        if math.isfinite(x) and math.isfinite(y):
            found.setdefault(pair.a.trial.seed, []).append((x, y))
    return {seed: tuple(np.mean(values, axis=0)) for seed, values in found.items()}


def _model_names(models: dict[str, list[Pair]]) -> dict[str, str]:
    """Model key -> `lstm plain hidden=64`, with whatever tells models of one name apart."""
    trials = {key: group[0].a.trial for key, group in models.items()}
    told = varying(list(trials.values()), changes_result, lambda trial: trial.model)
    return {key: " ".join([trial.model, *words(trial, told)]) for key, trial in trials.items()}


@dataclass(frozen=True)
class _Times:
    """Seconds per training step of both sides of a pair, by the clock that they have in common."""

    pair: Pair
    clock: Clock
    a: float
    b: float

    @property
    def kind(self) -> tuple[str, Clock]:
        """What may be pooled: equal backends, devices and clocks."""
        return _kind(self.pair), self.clock


def _timed(pairs: Iterable[Pair]) -> dict[tuple[str, Clock], list[_Times]]:
    """The pairs of which both timings are valid, by what may be pooled."""
    found: dict[tuple[str, Clock], list[_Times]] = {}
    for pair in pairs:
        by = common_clock((pair.a, pair.b))
        x, y = seconds(pair.a, by=by), seconds(pair.b, by=by)
        if x is not None and y is not None:
            times = _Times(pair, by, x, y)
            found.setdefault(times.kind, []).append(times)
    return found


def _kind(pair: Pair) -> str:
    """`torch cpu`, or `torch → jax cpu` where the two sides differ."""
    a, b = pair.a.trial, pair.b.trial
    backend = a.backend if a.backend == b.backend else f"{a.backend} → {b.backend}"
    here, there = a.execution.device, b.execution.device
    return f"{backend} {here if here == there else f'{here} → {there}'}"


def _speeds(pairs: Iterable[Pair]) -> Iterable[Effect]:
    """One effect per backend and device. Each configuration is one value, the geometric mean over its seeds:
    the effect is that on this set of configurations, which `n` counts."""
    for (where, by), members in _timed(pairs).items():
        configurations: dict[str, list[tuple[float, float]]] = {}
        for times in members:
            configurations.setdefault(times.pair.configuration, []).append((times.a, times.b))
        means = [tuple(np.exp(np.mean(np.log(found), axis=0))) for found in configurations.values()]
        effect = pooled(
            "speed/step_seconds", where, [means], higher_is_better=False, margin=SPEED_MARGIN, ratio=True
        )
        yield replace(effect, clock=by)


LEAST_PEERS = 8
"""Pairs of a kind that tell how far two runs of equal code lie apart on this machine."""
MAD_EFFICIENCY = 0.37


def _outliers(pairs: Iterable[Pair]) -> Iterable[Effect]:
    """Configurations whose ratio of times stands out from the others of their backend.

    How far two runs of one program lie apart cannot be seen within either run. It is taken from the peers: the
    median absolute deviation of their ratios, and Student's t. That deviation is 0.37 times as efficient as the
    standard deviation (Rousseeuw and Croux 1993), so that it is worth as many fewer degrees of freedom.
    """
    from scipy import stats

    for (where, by), members in _timed(pairs).items():
        if len(members) < LEAST_PEERS:
            continue
        ratios = np.array([math.log(times.b / times.a) for times in members])
        middle = float(np.median(ratios))
        freedom = MAD_EFFICIENCY * (len(members) - 1)
        spread = max(1.4826 * float(np.median(np.abs(ratios - middle))), SPEED_MARGIN / 3)
        label = Labels(times.pair.a.trial for times in members)
        for times, ratio in zip(members, map(float, ratios), strict=True):
            p = float(2 * stats.t.sf(abs(ratio - middle) / spread, freedom))
            half = float(stats.t.ppf(0.975, freedom)) * spread
            if p * len(members) < ALPHA:
                yield Effect(
                    "speed/step_seconds", f"{where}: {label(times.pair.a.trial)}", times.a, times.b, ratio,
                    ratio - half, ratio + half, 1, p * len(members), math.expm1(ratio), SPEED_MARGIN, False, by,
                )  # fmt: skip
