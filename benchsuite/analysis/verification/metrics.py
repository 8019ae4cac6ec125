"""Metrics in their domain, and equal to what the exhibits of the test split say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from benchsuite.analysis.verification.evidence import Evidence, same
from benchsuite.schema import Exhibit

SHARES = (
    "accuracy", "macro_f1", "exact_match", "token_accuracy", "unended_share", "digit_accuracy",
    "recall_accuracy", "accuracy_longer", "correct", "rouge1", "rouge2", "rougeL",
)  # fmt: skip
"""Metrics from 0 to 1."""
PERCENTAGES = ("bleu", "chrf")
"""Metrics from 0 to 100."""
POSITIVE = (
    "cross_entropy", "frame_cross_entropy", "mse", "mae", "mase", "smape", "bits_per_character",
    "word_error_rate", "substitutions", "deletions", "insertions", "lag_solved",
)  # fmt: skip
"""Metrics of at least 0."""
GREEDY = "greedy_"
MOST_BITS = 1000
"""Of which a power of two is still a number."""


def domain(metric: str) -> tuple[float, float]:
    """The least and the largest value that a metric can have; of a task that this suite does not bring, any."""
    name = metric.removeprefix(GREEDY)
    if name in SHARES:
        return 0.0, 1.0
    if name in PERCENTAGES:
        return 0.0, 100.0
    if name == "perplexity":
        return 1.0, math.inf
    return (0.0, math.inf) if name in POSITIVE else (-math.inf, math.inf)


def metric_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with the metrics of a record."""
    record = found.record
    if not found.ended_well:
        return
    if not record.primary or f"test/{record.primary}" not in record.scalars:
        yield found.fault("the metric that ranks is missing")
    splits: dict[str, set[str]] = {"val": set(), "test": set()}
    for name, value in record.scalars.items():
        split, _, metric = name.partition("/")
        if split not in splits:
            continue
        if not metric.startswith(GREEDY):
            splits[split].add(metric)
        low, high = domain(metric)
        if not low - 1e-9 <= value <= high + 1e-9:
            yield found.fault(f"{name} is {value:g}, which is outside of {low:g} to {high:g}")
    if missing := splits["val"] - splits["test"]:  # a test may ask for more: longer words, for example
        yield found.fault(f"the test split lacks metrics that validation has: {', '.join(sorted(missing))}")
    for split in splits:
        yield from _related(found, split)
    for exhibit in found.exhibits:
        yield from _confusion(found, exhibit)


def _related(found: Evidence, split: str) -> Iterator[str]:
    """Metrics that are functions of each other."""
    bits, perplexity = found.scalar(f"{split}/bits_per_character"), found.scalar(f"{split}/perplexity")
    if bits is None or perplexity is None or not math.isfinite(perplexity) or bits > MOST_BITS:
        return
    if not same(2.0**bits, perplexity):
        yield found.fault(f"{split}/perplexity is {perplexity:.6g}, and 2^bits {2.0**bits:.6g}")


def _confusion(found: Evidence, exhibit: Exhibit) -> Iterator[str]:
    """Accuracy and macro F1 of the test split follow from the counts of its confusion matrix."""
    counts = exhibit.tables.get("counts") if exhibit.kind == "confusion" else None
    if not counts or any(len(row) != len(counts) for row in counts):
        return
    figures = confusion_metrics(counts)
    for name, value in figures.items():
        recorded = found.scalar(f"test/{name}")
        if recorded is not None and not same(recorded, value, scale=1.0):
            yield found.fault(
                f"test/{name} is {recorded:.6g}, and the confusion matrix of the test split gives {value:.6g}"
            )


def confusion_metrics(counts: list[list[float]]) -> Mapping[str, float]:
    """accuracy and macro_f1 of counts (C, C), row: true class, by the formulas of `data.classification`."""
    size = range(len(counts))
    total = math.fsum(map(math.fsum, counts))
    if not total:
        return {}
    taken = [math.fsum(row[label] for row in counts) for label in size]
    scores = []
    for label in size:
        both = taken[label] + math.fsum(counts[label])
        scores.append(2 * counts[label][label] / both if both else 0.0)
    hits = math.fsum(counts[label][label] for label in size)
    return {"accuracy": hits / total, "macro_f1": math.fsum(scores) / len(counts)}
