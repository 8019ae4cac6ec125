"""The task `state_tracking`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Split, Task
from benchsuite.data import classification_metrics, packed, unpacked
from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_state_tracking.groups import Group, cyclic, symmetric
from benchsuite_state_tracking.words import words

VALIDATION, TEST = 500, 500
"""Words in these splits, whatever the options say."""

_SOLVED = 0.99
_SHOWN_STEPS = 60


class StateTracking(Task):
    """Word problems of finite groups, generated."""

    def load(self, source: str, options: Options) -> LoadedStateTracking:
        """Words as ids of letters, (T,) int32 each; the id of the state at every step.

        With `packed` several words lie in one row: of that many steps for training and validation, and of at
        least `test_length` steps in the test split.

        Raises RequestError where lengths exclude each other, for a modulus without the source that reads it,
        for rows that are shorter than the longest training word, and where there are too few words to keep the
        splits apart.
        """
        shortest, longest = options.integer("shortest"), options.integer("longest")
        test_length, modulus = options.integer("test_length"), options.integer("modulus")
        if not shortest <= longest < test_length:
            raise RequestError(
                f"state_tracking: shortest is {shortest}, longest {longest}, test_length {test_length}; "
                "shortest may be at most longest, and test_length must be more than longest"
            )
        row = options.integer("packed")
        if 0 < row < longest:
            raise RequestError(
                f"state_tracking: packed is {row} and longest {longest}; a row must have room for the longest "
                f"word: use {longest} or more, or 0 for rows of one word each"
            )
        if source != "modular_addition" and modulus != _MODULUS:
            raise RequestError(
                f"state_tracking: modulus = {modulus} has no meaning for source {source}; use source "
                "modular_addition, or leave the option out"
            )
        group = _group(source, modulus)
        trained = (shortest, longest)
        train = words(group, options.integer("examples"), trained, 0)
        validation = words(group, VALIDATION, trained, 1)
        test = words(group, TEST, (test_length, test_length), 2)
        baselines = _baselines(train, test, len(group.names))
        if row:
            train, validation = packed(train, row), packed(validation, row)
            test = packed(test, max(row, test_length))
        return LoadedStateTracking(
            name=f"state_tracking/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=group.names,
            classes=group.names,
            trained=trained,
            known=_KNOWN[source],
            baselines=baselines,
            licence="generated; no rights reserved",
        )


_MODULUS = 5
"""Default of the option `modulus`."""


_KNOWN = {
    "parity": (
        "In finite precision a linear recurrence whose factors are never negative, such as the minGRU, cannot "
        "track parity at every length, whatever it reaches at the trained ones (Grazzi et al., "
        "arXiv:2411.12537)."
    ),
    "modular_addition": (
        "In finite precision a linear recurrence with a real diagonal transition, such as the minGRU, cannot "
        "count modulo a number that is no power of two at every length (Grazzi et al., arXiv:2411.12537)."
    ),
    "s3": (
        "The sign of a product of permutations is a parity. So a linear recurrence whose factors are never "
        "negative, which cannot track parity, cannot track S3 at every length (Grazzi et al., "
        "arXiv:2411.12537)."
    ),
    "s5": (
        "A fixed number of layers of a state-space model whose transition is diagonal, or the same at every "
        "step, cannot track S5 at every length, unless TC0 = NC1 (Merrill et al., arXiv:2404.08819)."
    ),
}
"""What theory says of each source: the curve's note."""


def _group(source: str, modulus: int) -> Group:
    if source in ("s3", "s5"):
        return symmetric(int(source[1:]))
    return cyclic(2 if source == "parity" else modulus)


def _baselines(train: Split, test: Split, classes: int) -> dict[str, dict[str, float]]:
    """`chance`: every state alike. `majority`: the training split's most frequent state, always."""
    shares = np.bincount(train.step_targets.flat(), minlength=classes) / len(train.step_targets.flat())
    truth = test.step_targets.flat()
    return {
        "chance": {"accuracy": 1 / classes, "cross_entropy": float(np.log(classes))},
        "majority": {
            "accuracy": float(np.mean(truth == shares.argmax())),
            "cross_entropy": float(-np.log(np.maximum(shares, 1e-12))[truth].mean()),
        },
    }


@dataclass(frozen=True, kw_only=True)
class LoadedStateTracking(LoadedTask):
    """Classification of every step; `accuracy` ranks.

    classes  the name of each state
    trained  letters of the shortest and of the longest training word
    known    what theory says of it, in a sentence
    """

    primary = "accuracy"
    higher_is_better = True

    classes: tuple[str, ...]
    trained: tuple[int, int]
    known: str

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each state."""
        return ModelSpec(
            input=Tokens(len(self.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.classes)),
            loss="cross_entropy",
            readout="steps",
            resets=self.train.resets is not None,
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """Metrics of scores (n, T, states), zero beyond a row's length, over all steps of all words; words that
        are packed count one by one.

        accuracy, cross_entropy   over all steps
        accuracy_trained_lengths  over the steps up to the longest training word
        accuracy_longer           over the steps beyond it; absent where no word of the split is so long
        length_solved             the largest length such that at every length up to it more than 99 % of the
                                  states are right; 0 for none
        """
        by_step = self._by_step(*unpacked(predictions, split))
        words, accuracy, entropy = by_step.T
        found = {
            "accuracy": float(np.average(accuracy, weights=words)),
            "cross_entropy": float(np.average(entropy, weights=words)),
        }
        longest = self.trained[1]
        for name, steps in (
            ("accuracy_trained_lengths", slice(longest)),
            ("accuracy_longer", slice(longest, None)),
        ):
            if len(words[steps]):
                found[name] = float(np.average(accuracy[steps], weights=words[steps]))
        wrong = np.flatnonzero(~(accuracy > _SOLVED))
        found["length_solved"] = float(wrong[0] if len(wrong) else len(accuracy))
        return found

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The curve of accuracy by length, and the beginning of the first word."""
        predictions, split = unpacked(predictions, split)
        by_step = self._by_step(predictions, split)
        names, (shortest, longest) = np.array(self.classes), self.trained
        lengths = f"{shortest} to {longest}" if shortest < longest else f"{longest}"
        truth, answers = split.step_targets[0], predictions[0].argmax(axis=1)
        shown = slice(min(len(truth), _SHOWN_STEPS))
        return [
            Exhibit(
                name=f"accuracy by length, trained on {lengths} letters",
                kind="curve",
                lines={"x": ["letters"], "y": ["accuracy"], "note": [self.known]},
                tables={"accuracy": [[step, float(row[1])] for step, row in enumerate(by_step, 1)]},
            ),
            Exhibit(
                name="the first word",
                kind="text",
                lines={
                    "source": names[split.inputs[0][shown]].tolist(),
                    "target": names[truth[shown]].tolist(),
                    "prediction": names[answers[shown]].tolist(),
                },
            ),
        ]

    def _by_step(self, predictions: np.ndarray, split: Split) -> np.ndarray:
        """(T, 3): at each step the number of words that have it, accuracy, and cross-entropy in nats."""
        lengths = split.inputs.lengths
        rows = np.arange(len(split))
        truth = split.step_targets.padded(rows, int(lengths.max()))
        found = []
        for step in range(truth.shape[1]):
            have = lengths > step
            metrics = classification_metrics(predictions[have, step], truth[have, step])
            found.append((have.sum(), metrics["accuracy"], metrics["cross_entropy"]))
        return np.array(found)
