"""The task `sentiment`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import (
    Vocabulary,
    classification_metrics,
    confusion,
    majority_baseline,
    whole_number,
    words,
)
from benchsuite.errors import UnknownNameError
from benchsuite.schema import Dense, Exhibit, ModelSpec, Size, Tokens, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_sentiment.bag_of_words import bag_of_words_scores
from benchsuite_sentiment.generated import generated
from benchsuite_sentiment.texts import mr, reviews, sst2

_CLASSES = 2
_SOURCES = {"sst2": sst2, "mr": mr, "reviews": reviews, "generated": generated}


class Sentiment(Task):
    """Binary classification of texts; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Texts as word ids, (length,) int32 each; targets (n,) int32, 1 for favourable."""
        if source not in _SOURCES:
            raise UnknownNameError("source of sentiment", source, _SOURCES)
        max_length = whole_number("sentiment", options, "max_length", 1)
        size = whole_number("sentiment", options, "vocabulary", 3)
        min_count = whole_number("sentiment", options, "min_count", 1)
        part = slice(-max_length, None) if options["keep"] == "tail" else slice(max_length)
        corpus = _SOURCES[source]()
        labelled = (corpus.train, corpus.validation, corpus.test)
        documents = [
            [words(text, bool(options["lower_case"]))[part] for text in split.texts] for split in labelled
        ]
        vocabulary = Vocabulary.build(documents[0], min_count, size)
        train, validation, test = (
            Split(_ragged(vocabulary, texts), split.labels)
            for texts, split in zip(documents, labelled, strict=True)
        )
        truth = corpus.test.labels
        order_free = bag_of_words_scores(train.inputs, corpus.train.labels, test.inputs, len(vocabulary))
        if not options["mask"]:
            train, validation, test = (_filled_up(split, max_length) for split in (train, validation, test))
        return Dataset(
            name=f"sentiment/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=vocabulary.words,
            metadata={"classes": _CLASSES},
            baselines={
                "majority": majority_baseline(corpus.train.labels, truth, _CLASSES),
                "bag_of_words": classification_metrics(order_free, truth),
            },
            licence=corpus.licence,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """Embedding, recurrent stack, last or mean output, two logits."""
        assert dataset.vocabulary is not None
        return ModelSpec(
            input=Tokens(len(dataset.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(_CLASSES),
            loss="cross_entropy",
            readout="mean" if options["readout"] == "mean" else "last",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        """accuracy, macro_f1 and cross_entropy of logits (n, 2)."""
        assert isinstance(split.targets, np.ndarray)
        return classification_metrics(predictions, split.targets)

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,  # noqa: ARG002
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """What was taken for favourable."""
        assert isinstance(split.targets, np.ndarray)
        return [
            confusion(
                "opinions found, by the opinion given",
                predictions.argmax(axis=1),
                split.targets,
                ["unfavourable", "favourable"],
            )
        ]


def _ragged(vocabulary: Vocabulary, documents: list[list[str]]) -> Ragged:
    values, lengths = vocabulary.encode(documents)
    return Ragged(values, np.cumsum(lengths) - lengths, lengths)


def _filled_up(split: Split, length: int) -> Split:
    """Every text as long as `length`: what a network without a mask gets to read."""
    dense = split.inputs.padded(np.arange(len(split)), length)
    return Split(Ragged.from_dense(dense), split.targets)
