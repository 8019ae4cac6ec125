"""Recall: sequences in which some steps ask for a symbol that was shown before, and the others for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Split
from benchsuite.data.classification import classification_metrics
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body

SOLVED = 0.99
"""Share of recalled symbols above which a problem counts as solved."""
SHOWN_SEQUENCES = 2


@dataclass(frozen=True, kw_only=True)
class LoadedRecall(LoadedTask):
    """Classification of every step, (n, T): the id of the symbol asked for, or the blank, the id after the last
    symbol.

    answers     the names of the target ids, the blank's last
    difficulty  what `<measure>_solved` is where the problem is solved: pairs, a length or a lag in steps
    measure     what `difficulty` counts
    """

    answers: tuple[str, ...]
    difficulty: int
    measure: ClassVar[str]

    @property
    def blank(self) -> int:
        """Target id of a step that asks for nothing."""
        return len(self.answers) - 1

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each symbol and for the blank."""
        return ModelSpec(
            input=Tokens(len(self.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.answers)),
            loss="cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """Metrics of scores (n, T, symbols + 1).

        recall_accuracy   over the steps that ask for a symbol
        row_accuracy      share of sequences in which every symbol is recalled
        cross_entropy     nats per step, over all steps, as in training
        accuracy          over all steps: a blank everywhere has a high one
        <measure>_solved  `difficulty` where recall_accuracy is above .99, else 0
        """
        truth = split.step_targets.to_dense()
        everywhere = classification_metrics(predictions.reshape(truth.size, -1), truth.reshape(-1))
        asked = truth < self.blank
        right = predictions.argmax(axis=2) == truth
        recall = float(np.mean(right[asked]))
        return {
            "recall_accuracy": recall,
            "row_accuracy": float(np.mean((right | ~asked).all(axis=1))),
            "cross_entropy": everywhere["cross_entropy"],
            "accuracy": everywhere["accuracy"],
            f"{self.measure}_solved": float(self.difficulty) if recall > SOLVED else 0.0,
        }

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The first sequences: the source, the symbols asked for, and those predicted."""
        texts, answers = np.array(self.vocabulary), np.array(self.answers)
        truth, given = split.step_targets.to_dense(), predictions.argmax(axis=2)
        asked = truth < self.blank
        return [
            Exhibit(
                name=f"sequence {row + 1}",
                kind="text",
                lines={
                    "source": texts[split.inputs[row]].tolist(),
                    "target": answers[truth[row, asked[row]]].tolist(),
                    "prediction": answers[given[row, asked[row]]].tolist(),
                },
            )
            for row in range(min(SHOWN_SEQUENCES, len(split)))
        ]
