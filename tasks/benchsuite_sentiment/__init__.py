"""The task `sentiment`: is a sentence or a review favourable? Two classes, sequences of very uneven length.

    sst2       Stanford Sentiment Treebank, whole sentences, two classes: 6,920 / 872 / 1,821.
               Socher et al., EMNLP 2013, in the copy of Radford et al. 2017. Not GLUE's SST-2, which trains
               on phrases.
    mr         sentence polarity v1.0: 10,662 snippets, a fixed 80/10/10. Pang and Lee, ACL 2005.
    reviews    movie review polarity v2.0: 2,000 whole reviews, 746 words on average; folds 0-7 train, 8
               validate, 9 test. Pang and Lee, ACL 2004.
    generated  sentences with negation and contrast, whose label a bag of words cannot tell (generated.py).

Words are lower-cased by default and numbered by the training split alone: 0 padding, 1 unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite.data import CLASSIFIER_READOUTS
from benchsuite_sentiment.files import FILES


def _load() -> Task:
    from benchsuite_sentiment.task import Sentiment

    return Sentiment()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="sentiment",
            load=_load,
            summary="is a text favourable? words in, two classes out",
            sources={
                "sst2": "Stanford Sentiment Treebank, 9,613 whole sentences (Socher et al. 2013)",
                "mr": "sentence polarity, 10,662 snippets of reviews (Pang and Lee 2005)",
                "reviews": "movie review polarity, 2,000 whole reviews (Pang and Lee 2004)",
                "generated": "generated sentences with negation and contrast; needs no download",
            },
            offline=("generated",),
            options={
                "max_length": Option(256, "most words of a text; longer ones lose words at one end", least=1),
                "keep": Option("tail", "the end of a long text that is kept", ("head", "tail")),
                "vocabulary": Option(10_000, "most words known, `<pad>` and `<unk>` included", least=3),
                "min_count": Option(
                    2, "a word is known if it occurs this often in the training split", least=1
                ),
                "lower_case": Option(True, "whether `Good` and `good` are one word", (True, False)),
                "mask": Option(
                    True,
                    "False: texts are filled up to max_length with padding that is read like words",
                    (True, False),
                ),
                "readout": Option("mean", "what the classifier sees of the outputs", CLASSIFIER_READOUTS),
            },
            files=tuple(FILES.values()),
            requirements=("scikit-learn", "scipy"),
            extra="tasks",
        )
    ]
