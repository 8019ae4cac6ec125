"""What a reader must know beside a rank: seeds, baselines, training that was cut short, timings that were not
steady or were refused. The terminal and the site show the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.validity import (
    disturbance,
    invalid_timing,
    reused_compilations,
    slowed_training,
    unsteady,
)
from benchsuite.schema import INVALID_TIMING, Record


class CautionKind(StrEnum):
    """What a caution is about."""

    NO_RESULT = "no result"
    BELOW_BASELINE = "below baseline"
    STILL_IMPROVING = "still improving"
    ONE_SEED = "one seed"
    REFUSED = "timing refused"
    UNSTEADY = "not steady"
    SLOWED = "training slowed"
    COMPILED_BEFORE = "compiled before"


MEANING = {
    CautionKind.NO_RESULT: "the test metric is not a finite number",
    CautionKind.BELOW_BASELINE: "no better than the best baseline, which has no recurrence",
    CautionKind.STILL_IMPROVING: "the last epoch was the best one in at least half of the trials",
    CautionKind.ONE_SEED: "one seed shows no spread: no interval and no test",
    CautionKind.REFUSED: "a timing is refused and not shown: what was measured was not the work",
    CautionKind.UNSTEADY: "a timing is not steady: its figure is rough",
    CautionKind.SLOWED: "the seconds of a training are not shown: other trials slowed it down",
    CautionKind.COMPILED_BEFORE: "the seconds of a training are not shown: others had compiled what it ran",
}
"""What a caution of each kind says in general, where there are too many sentences of its own."""


@dataclass(frozen=True)
class Caution:
    """One caution: its kind, which fits beside a rank, and the sentence that explains it."""

    kind: CautionKind
    sentence: str


def cautions(ranking: Ranking, model: Model) -> list[Caution]:
    """Every caution on a model of a ranking, the gravest first."""
    return [*_on_result(ranking, model), *_on_training(model), *_on_timing(model)]


def _on_result(ranking: Ranking, model: Model) -> Iterable[Caution]:
    metric = model.metric
    if metric is None or not math.isfinite(metric.mean):
        yield Caution(CautionKind.NO_RESULT, f"its test {ranking.metric} is not a finite number")
        return
    if baseline := ranking.unbeaten_baseline(model):
        words = baseline_words(ranking, baseline)
        yield Caution(CautionKind.BELOW_BASELINE, f"it is no better than {words}, which has no recurrence")


def baseline_words(ranking: Ranking, baseline: tuple[str, float]) -> str:
    """`the baseline last value (mse 0.034)`. :param baseline: name and value."""
    name, value = baseline
    return f"the baseline {name.replace('_', ' ')} ({ranking.metric.replace('_', ' ')} {value:.4g})"


def _on_training(model: Model) -> Iterable[Caution]:
    records = [record for run in model.runs for record in run.records]
    known = [record for record in records if _epochs(record) > 1]
    last = [record for record in known if record.scalars["train/best_epoch"] >= _epochs(record)]
    if known and 2 * len(last) >= len(known):
        of = "" if len(last) == len(known) else f" in {len(last)} of {len(known)} trials"
        yield Caution(
            CautionKind.STILL_IMPROVING,
            f"the last epoch was the best one{of}: it was still improving when training stopped",
        )
    if model.metric is not None and model.metric.n == 1:
        yield Caution(CautionKind.ONE_SEED, "one seed shows no spread: no interval and no test")


def _epochs(record: Record) -> float:
    """Epochs that were trained; 0 where the record does not say which one was best."""
    return record.scalars.get("train/epochs", 0.0) if "train/best_epoch" in record.scalars else 0.0


def _on_timing(model: Model) -> Iterable[Caution]:
    records = [record for run in model.runs for record in run.records]
    refused: dict[str, set[str]] = {}
    for record in records:
        if word := invalid_timing(record):
            refused.setdefault(word, set()).add(record.trial.backend)
    for word, backends in refused.items():
        yield Caution(
            CautionKind.REFUSED,
            f"the timing of {', '.join(sorted(backends))} is refused: {INVALID_TIMING[word]}",
        )
    found: dict[str, list[Record]] = {}
    for record in records:
        if unsteady(record):
            found.setdefault(record.trial.backend, []).append(record)
    for backend, members in sorted(found.items()):
        yield Caution(
            CautionKind.UNSTEADY, f"the timing of {backend} is not steady: {'; '.join(_reasons(members))}"
        )
    for backend in sorted({record.trial.backend for record in records}):
        own = [record for record in records if record.trial.backend == backend]
        told = f"the seconds of training with {backend} are not shown"
        if phrases := [phrase for record in own if (phrase := slowed_training(record))]:
            of = f" of {len(phrases)} of its {len(own)} trials" if len(phrases) < len(own) else ""
            # of trials that were slowed down by more or less, one says enough
            yield Caution(CautionKind.SLOWED, f"{told}{of}: {max(phrases)}")
        if given := [record for record in own if reused_compilations(record)]:
            of = f"{len(given)} of its {len(own)} trials"
            yield Caution(
                CautionKind.COMPILED_BEFORE,
                f"{told} of {of}: an earlier one had compiled what they ran",
            )


def _reasons(records: Iterable[Record]) -> list[str]:
    """Why the timings of one backend are not steady; of those that were disturbed the one that was most."""
    found = list(records)
    worst = max(found, key=disturbance)
    kept = [record for record in found if not disturbance(record)]
    return sorted({unsteady(record) for record in ([*kept, worst] if disturbance(worst) else kept)})
