"""Classification of whole sequences: the tasks, and their metrics, in float64 NumPy for every framework."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.dataset import Split
from benchsuite.contracts.task import LoadedTask
from benchsuite.schema import Exhibit
from benchsuite.schema.model import Readout

CLASSIFIER_READOUTS: tuple[Readout, ...] = ("last", "mean")
"""What a classifier of whole sequences can see of the outputs: the values of a task's option `readout`."""


@dataclass(frozen=True, kw_only=True)
class Classification(LoadedTask):
    """A task with one class for each row; `accuracy` ranks.

    classes  the text of each class
    """

    primary = "accuracy"
    higher_is_better = True

    classes: tuple[str, ...]

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """accuracy, macro_f1 and cross_entropy of scores (n, classes); see classification_metrics()."""
        return classification_metrics(predictions, split.row_targets)

    def confusion(self, name: str, predictions: np.ndarray, split: Split) -> Exhibit:
        """An exhibit, titled `name`: how many rows of each class were taken for each class."""
        counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
        np.add.at(counts, (split.row_targets, predictions.argmax(axis=1)), 1)
        return Exhibit(
            name=name,
            kind="confusion",
            lines={"classes": list(self.classes)},
            tables={"counts": counts.tolist()},
        )


def classification_metrics(scores: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """accuracy, macro_f1 and cross_entropy of `scores` (n, C), logits, against `classes` (n,).

    macro_f1 is the unweighted mean of 2 TP / (2 TP + FP + FN) over the C classes; a class that is neither
    present nor predicted counts as zero. cross_entropy is in nats. A row with a score that is not finite
    counts as wrong.
    """
    scores = scores.astype(np.float64)
    finite = np.isfinite(scores).all(axis=1)
    chosen = np.where(finite, scores.argmax(axis=1), -1)
    with np.errstate(invalid="ignore", over="ignore"):  # a diverged model's scores are a fact, not a warning
        shifted = scores - scores.max(axis=1, keepdims=True)
        likelihood = np.take_along_axis(shifted, classes[:, None].astype(np.int64), axis=1)[:, 0]
        entropy = np.log(np.exp(shifted).sum(axis=1)) - likelihood
    return {
        "accuracy": float(np.mean(chosen == classes)),
        "macro_f1": _macro_f1(chosen, classes, scores.shape[1]),
        "cross_entropy": float(entropy.mean()),
    }


def _macro_f1(chosen: np.ndarray, classes: np.ndarray, count: int) -> float:
    f1 = []
    for label in range(count):
        hits = np.sum((chosen == label) & (classes == label))
        total = np.sum(chosen == label) + np.sum(classes == label)
        f1.append(2.0 * hits / total if total else 0.0)
    return float(np.mean(f1))


def majority_baseline(train: np.ndarray, test: np.ndarray, count: int) -> dict[str, float]:
    """Metrics on `test` (m,) of always giving the class frequencies of `train` (n,), `count` classes."""
    shares = np.bincount(train, minlength=count) / len(train)
    scores = np.log(np.maximum(shares, 1e-12))
    return classification_metrics(np.broadcast_to(scores, (len(test), count)), test)
