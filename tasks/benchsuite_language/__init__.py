"""The task `language`: which character comes next?

    shakespeare  tiny Shakespeare, 1,115,394 characters, 65 different ones; the first 90 % train, the next 5 %
                 validate, the last 5 % test. Karpathy, char-rnn, 2015
    generated    60,000 characters of small sentences from a stochastic grammar, whose verbs depend on the
                 sentence's first word and on nouns far before them (generated.py). The entropy per
                 character is known exactly and is among the baselines: `true_entropy` of the source, and
                 `true_source`, the bits that the source itself needs for the test text.

A split is one long sequence: train it with recipe.carry and recipe.truncation, so that states are carried from
one chunk to the next (Mikolov et al. 2010). With the option `chunk` it is cut into sequences of that many
steps, each of which begins without a memory; that is how to train without recipe.carry.

The figure is bits per character on the test split. The baselines are n-grams (ngrams.py), which remember the
last 0, 2, 4 and 6 characters.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite_language.files import SHAKESPEARE


def _load() -> Task:
    from benchsuite_language.task import Language

    return Language()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="language",
            load=_load,
            summary="which character comes next? a text as one long sequence",
            sources={
                "shakespeare": "tiny Shakespeare, 1.1 million characters (Karpathy 2015)",
                "generated": "sentences from a grammar of known entropy; needs no download",
            },
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "chunk": Option(
                    0,
                    "0: a split is one sequence, for recipe.carry; n: separate sequences of n steps",
                    least=0,
                ),
            },
            files=(SHAKESPEARE,),
        )
    ]
