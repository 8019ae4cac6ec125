import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from benchsuite.contracts import Ragged, Split
from benchsuite.data import Classification, classification_metrics, majority_baseline
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body


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


class Letters(Classification):
    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        return ModelSpec(Features(1), recurrent_body(architecture, cell, size), Dense(3), "cross_entropy")


def letters() -> Letters:
    split = Split(Ragged.from_dense(np.zeros((4, 2, 1))), np.array([0, 1, 2, 2], np.int32))
    return Letters(name="letters", train=split, validation=split, test=split, classes=("a", "b", "c"))


def test_a_classification_is_scored_by_its_classes() -> None:
    task, scores = letters(), np.eye(3)[[0, 1, 1, 2]]
    assert task.score(scores, task.test) == classification_metrics(scores, task.test.row_targets)
    assert task.score(scores, task.test)[task.primary] == 0.75
    assert task.higher_is_better


def test_a_confusion_counts_what_was_chosen_by_what_it_was() -> None:
    task = letters()
    found = task.confusion("seen", np.eye(3)[[0, 1, 1, 2]], task.test)
    assert found.name == "seen"
    assert found.kind == "confusion"
    assert found.lines == {"classes": ["a", "b", "c"]}
    assert found.tables == {"counts": [[1, 0, 0], [0, 1, 0], [0, 1, 1]]}
