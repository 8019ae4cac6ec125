"""The whole comparison: pairs, effects by section, model and backend, outliers, and what cannot be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.comparison.effects import Effect, Verdict, hold_together, pooled
from benchsuite.analysis.comparison.pairing import Pair, Pairing, pair_records
from benchsuite.analysis.comparison.selection import Selection
from benchsuite.schema import INVALID_TIMING, Record

METRIC_MARGIN = 0.002
"""Share of a metric's value below which a difference is of no consequence."""
SPEED_MARGIN = 0.03
"""ln of the ratio of times below which a difference is of no consequence: about 3 %."""


@dataclass(frozen=True)
class Comparison:
    """What B is, held against A.

    metrics  one effect a section and metric; by_model the same for every model with enough seeds
    speeds   one effect a backend and device; empty where the hardware differs
    by_trial one effect a configuration whose step time stands out from those of its kind
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

    def regressions(self, share: float) -> list[Effect]:
        """Effects that are for the worse by more than `share` of A's value."""
        return [
            effect for effect in self.effects if effect.verdict is Verdict.WORSE and effect.change > share
        ]


def compare(
    a: Sequence[Record],
    b: Sequence[Record],
    left: Selection,
    right: Selection,
) -> Comparison:
    """Hold the records of selection `right` against those of `left`."""
    pairing = pair_records(a, b, left, right)
    metrics = list(_metrics(pairing.pairs))
    by_model = list(_metrics(pairing.pairs, by_model=True))
    speeds: list[Effect] = []
    by_trial: list[Effect] = []
    if not pairing.foreign_hardware:
        speeds = list(_speeds(pairing.pairs))
        by_trial = list(_outliers(pairing.pairs))
    held = hold_together([*metrics, *by_model, *speeds, *by_trial])
    cuts = np.cumsum([len(metrics), len(by_model), len(speeds)])
    parts = [held[start:end] for start, end in zip([0, *cuts], [*cuts, len(held)], strict=True)]
    return Comparison(str(left), str(right), pairing, *map(tuple, parts))


def _grouped(pairs: Iterable[Pair], key: Callable[[Pair], str]) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair), []).append(pair)
    return groups


def _metrics(pairs: Iterable[Pair], by_model: bool = False) -> Iterable[Effect]:
    """Effects on the ranking metric, one replicate a model and seed: the mean over backends."""
    for section, members in _grouped(pairs, lambda pair: pair.section).items():
        metric, better = members[0].a.primary, members[0].a.higher_is_better
        name = f"test/{metric}"
        models: dict[str, list[tuple[float, float]]] = {}
        for group in _grouped(members, lambda pair: pair.model).values():
            values = [(pair.a.scalars.get(name), pair.b.scalars.get(name)) for pair in group]
            known = [(x, y) for x, y in values if x is not None and y is not None and math.isfinite(x + y)]
            if known:
                trial = group[0].a.trial
                seedless = f"{section}: {trial.cell} {trial.architecture}" if by_model else section
                models.setdefault(seedless, []).append(tuple(np.mean(known, axis=0)))
        for where, replicates in models.items():
            if not by_model or len(replicates) > 1:
                yield pooled(name, where, replicates, higher_is_better=better, margin=METRIC_MARGIN)


def step_seconds(record: Record) -> float:
    """What a training step takes: CPU time on a CPU, where others may have been at work, else wall time."""
    on_cpu = record.trial.execution.device == "cpu"
    name = "speed/step_cpu_seconds" if on_cpu else "speed/step_median_seconds"
    return record.scalars.get(name, math.nan)


def _times(pair: Pair) -> tuple[float, float]:
    return step_seconds(pair.a), step_seconds(pair.b)


def _timed(pairs: Iterable[Pair]) -> list[Pair]:
    """Pairs whose both times may be believed."""
    return [
        pair
        for pair in pairs
        if all(value > 0 for value in _times(pair))
        and not {pair.a.verdicts.get("speed"), pair.b.verdicts.get("speed")} & set(INVALID_TIMING)
    ]


def _kind(pair: Pair) -> str:
    """`torch cpu`, or `torch → jax cpu` where the two sides differ."""
    a, b = pair.a.trial, pair.b.trial
    backend = a.backend if a.backend == b.backend else f"{a.backend} → {b.backend}"
    here, there = a.execution.device, b.execution.device
    return f"{backend} {here if here == there else f'{here} → {there}'}"


def _speeds(pairs: Iterable[Pair]) -> Iterable[Effect]:
    for where, members in _grouped(_timed(pairs), _kind).items():
        times = [_times(pair) for pair in members]
        yield pooled(
            "speed/step_seconds", where, times, higher_is_better=False, margin=SPEED_MARGIN, ratio=True
        )


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

    for where, members in _grouped(_timed(pairs), _kind).items():
        if len(members) < LEAST_PEERS:
            continue
        ratios = np.array([math.log(y / x) for x, y in map(_times, members)])
        middle = float(np.median(ratios))
        freedom = MAD_EFFICIENCY * (len(members) - 1)
        spread = max(1.4826 * float(np.median(np.abs(ratios - middle))), SPEED_MARGIN / 3)
        for pair, ratio in zip(members, ratios, strict=True):
            p = float(2 * stats.t.sf(abs(ratio - middle) / spread, freedom))
            half = float(stats.t.ppf(0.975, freedom)) * spread
            if p * len(members) < 0.05:
                x, y = _times(pair)
                yield Effect(
                    "speed/step_seconds", f"{where}: {pair.a.trial.label}", x, y, float(ratio),
                    float(ratio) - half, float(ratio) + half, 1, p * len(members),
                    math.expm1(float(ratio)), SPEED_MARGIN, False,
                )  # fmt: skip
