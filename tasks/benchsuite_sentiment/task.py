"""The task `sentiment`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, Options, Ragged, Split, Task
from benchsuite.data import (
    CLASSIFIER_READOUTS,
    Classification,
    Vocabulary,
    classification_metrics,
    majority_baseline,
    words,
)
from benchsuite.schema import Dense, Exhibit, ModelSpec, Readout, Size, Tokens, recurrent_body
from benchsuite_sentiment.bag_of_words import bag_of_words_scores
from benchsuite_sentiment.generated import generated
from benchsuite_sentiment.texts import mr, reviews, sst2

_CLASSES = ("unfavourable", "favourable")
_SOURCES = {"sst2": sst2, "mr": mr, "reviews": reviews, "generated": generated}


class Sentiment(Task):
    """Sentences and reviews, favourable or not."""

    def load(self, source: str, options: Options) -> LoadedSentiment:
        """Texts as word ids, (length,) int32 each; targets (n,) int32, 1 for favourable."""
        max_length = options.integer("max_length")
        part = slice(-max_length, None) if options.text("keep") == "tail" else slice(max_length)
        corpus = _SOURCES[source]()
        labelled = (corpus.train, corpus.validation, corpus.test)
        documents = [
            [words(text, options.flag("lower_case"))[part] for text in split.texts] for split in labelled
        ]
        vocabulary = Vocabulary.build(
            documents[0], options.integer("min_count"), options.integer("vocabulary")
        )
        train, validation, test = (
            Split(vocabulary.ragged(texts), split.labels)
            for texts, split in zip(documents, labelled, strict=True)
        )
        truth = corpus.test.labels
        order_free = bag_of_words_scores(train.inputs, corpus.train.labels, test.inputs, len(vocabulary))
        if not options.flag("mask"):
            train, validation, test = (_filled_up(split, max_length) for split in (train, validation, test))
        return LoadedSentiment(
            name=f"sentiment/{source}",
            train=train,
            validation=validation,
            test=test,
            vocabulary=vocabulary.words,
            classes=_CLASSES,
            readout=options.one_of("readout", CLASSIFIER_READOUTS),
            baselines={
                "majority": majority_baseline(corpus.train.labels, truth, len(_CLASSES)),
                "bag_of_words": classification_metrics(order_free, truth),
            },
            licence=corpus.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedSentiment(Classification):
    """Two classes; `accuracy` ranks.

    readout  what the classifier sees of the outputs
    """

    readout: Readout

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """Embedding, recurrent stack, last or mean output, two logits."""
        return ModelSpec(
            input=Tokens(len(self.vocabulary), size.embedding),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(self.classes)),
            loss="cross_entropy",
            readout=self.readout,
        )

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """What was taken for favourable."""
        return [self.confusion("opinions found, by the opinion given", predictions, split)]


def _filled_up(split: Split, length: int) -> Split:
    """Every text as long as `length`: what a network without a mask gets to read."""
    dense = split.inputs.padded(np.arange(len(split)), length)
    return Split(Ragged.from_dense(dense), split.targets)
