"""The task `language`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task
from benchsuite.errors import DataError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite_language.generated import generated
from benchsuite_language.ngrams import ngram_scores
from benchsuite_language.texts import shakespeare

ORDERS = (1, 3, 5, 7)
"""The n of the n-grams among the baselines."""

_SOURCES = {"shakespeare": shakespeare, "generated": generated}
_SHOWN = 240


class Language(Task):
    """A text, character by character."""

    def load(self, source: str, options: Options) -> LoadedLanguage:
        """A text's characters as ids: inputs are all but the last one, int32, the target of each is the next.

        Ids count the training text's different characters in the order of their code points.
        """
        chunk = options.integer("chunk")
        corpus = _SOURCES[source]()
        vocabulary = tuple(sorted(set(corpus.train)))
        train, validation, test = (
            _encode(text, vocabulary) for text in (corpus.train, corpus.validation, corpus.test)
        )
        scores = ngram_scores(train, test, len(vocabulary), ORDERS)
        ngrams = {f"{n}-gram": _metrics(scores[n], test[1:]) for n in ORDERS}
        return LoadedLanguage(
            name=f"language/{source}",
            train=_split(train, chunk),
            validation=_split(validation, chunk),
            test=_split(test, chunk),
            vocabulary=vocabulary,
            baselines=ngrams | {name: dict(metrics) for name, metrics in corpus.known.items()},
            licence=corpus.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedLanguage(LoadedTask):
    """Prediction of every next character; `bits_per_character` ranks."""

    primary = "bits_per_character"
    higher_is_better = False

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, at every step a score for each character."""
        characters = len(self.vocabulary)
        return ModelSpec(
            input=Tokens(characters, size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(characters),
            loss="cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """bits_per_character, perplexity (per character) and accuracy of scores (n, T, characters)."""
        targets, steps = split.step_targets, predictions.shape[1]
        truth = targets.padded(np.arange(len(split)), steps)
        valid = np.arange(steps) < targets.lengths[:, None]
        return _metrics(predictions[valid], truth[valid])

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The first characters of the test text, the one after each, and the model's likeliest one."""
        characters = np.array(self.vocabulary)
        shown = min(_SHOWN, int(split.inputs.lengths[0]))
        lines = {
            "source": split.inputs[0][:shown],
            "target": split.step_targets[0][:shown],
            "prediction": predictions[0, :shown].argmax(axis=1),
        }
        return [
            Exhibit(
                name="next characters",
                kind="text",
                lines={name: characters[ids].tolist() for name, ids in lines.items()},
            )
        ]


def _encode(text: str, vocabulary: tuple[str, ...]) -> np.ndarray:
    """(characters,) int32."""
    numbers = {character: index for index, character in enumerate(vocabulary)}
    if unknown := sorted(set(text) - set(vocabulary)):
        raise DataError(
            f"language: the training text lacks {', '.join(map(repr, unknown))}, which others have"
        )
    return np.fromiter((numbers[character] for character in text), np.int32, len(text))


def _split(ids: np.ndarray, chunk: int) -> Split:
    """One sequence, or with `chunk` as many as its steps fill; the last one may be shorter."""
    steps = len(ids) - 1
    starts = np.arange(0, steps, chunk or steps, dtype=np.int64)
    lengths = np.diff(starts, append=steps)
    return Split(Ragged(ids, starts, lengths), Ragged(ids, starts + 1, lengths))


def _metrics(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of scores (m, characters), log-probabilities but for a constant of each row, against ids (m,)."""
    scores = scores.astype(np.float64)
    accuracy = float(np.mean(scores.argmax(axis=1) == truth))
    scores -= scores.max(axis=1, keepdims=True)
    costs = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(truth)), truth]
    nats = float(costs.mean())
    return {
        "bits_per_character": nats / float(np.log(2)),
        "perplexity": float(np.exp(nats)),
        "accuracy": accuracy,
    }
