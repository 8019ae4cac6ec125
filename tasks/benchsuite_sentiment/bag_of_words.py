"""The baseline that reads no order: logistic regression on the words that occur (Wang and Manning 2012)."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged
from benchsuite.data import presence


def bag_of_words_scores(train: Ragged, labels: np.ndarray, test: Ragged, vocabulary: int) -> np.ndarray:
    """Logits (m, 2) for `test`, from an L2-regularised (C = 1) logistic regression of `labels` on `train`."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=200)
    model.fit(presence(train, vocabulary), labels)
    margin = model.decision_function(presence(test, vocabulary))
    return np.stack([-margin / 2, margin / 2], axis=1)
