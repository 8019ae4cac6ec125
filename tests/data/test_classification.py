import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from benchsuite.data import classification_metrics, confusion, majority_baseline


def test_metrics_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores, classes = random.normal(size=(200, 4)) * 3, random.integers(0, 4, 200)
    found = classification_metrics(scores.astype(np.float32), classes)
    chosen = scores.argmax(axis=1)
    likelihood = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert found["accuracy"] == pytest.approx(accuracy_score(classes, chosen))
    assert found["macro_f1"] == pytest.approx(f1_score(classes, chosen, average="macro"))
    assert found["cross_entropy"] == pytest.approx(log_loss(classes, likelihood), rel=1e-6)


def test_large_scores_do_not_overflow() -> None:
    found = classification_metrics(np.array([[1e4, 0.0], [0.0, 1e4]], np.float32), np.array([0, 0]))
    assert found["accuracy"] == 0.5
    assert found["cross_entropy"] == pytest.approx(5e3)


def test_scores_that_are_not_finite_are_wrong_answers() -> None:
    scores = np.array([[np.nan, np.nan], [np.inf, 0.0], [0.0, 1.0]])
    found = classification_metrics(scores, np.array([0, 0, 1]))
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert np.isnan(found["cross_entropy"])


def test_the_majority_baseline_knows_the_training_classes_alone() -> None:
    found = majority_baseline(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 3)
    assert found["accuracy"] == 0.25
    assert found["cross_entropy"] == pytest.approx(-(np.log(0.75) + 3 * np.log(0.25)) / 4)


def test_a_confusion_counts_what_was_chosen_by_what_it_was() -> None:
    found = confusion("seen", np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), ["a", "b", "c"])
    assert found.kind == "confusion"
    assert found.lines == {"classes": ["a", "b", "c"]}
    assert found.tables == {"counts": [[1, 0, 0], [0, 1, 0], [0, 1, 1]]}
