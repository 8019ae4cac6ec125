"""Sentences whose sentiment follows from their structure, so that reading order is what there is to learn.

    sentence    clause  |  clause "and" clause  |  clause "but" clause
                |  "although" clause "," clause  |  clause "even though" clause
    clause      subject verb [negation] [degree] opinion [filler]

A clause is favourable if its opinion word is, turned around by each negation ("not", "never", "hardly",
"far from"). A sentence takes the side of its main claim: what follows "but", what does not follow
"although" or "even though". The two clauses of a contrast always disagree, so their words alone tell nothing;
clauses joined by "and" agree.
Fillers and subordinate phrases make the lengths uneven and part the words that matter.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchsuite_sentiment.texts import Corpus, LabelledTexts

SIZES = (3000, 500, 1000)
"""Sentences in the training, validation and test split."""

_SEED = 1990

UNFAVOURABLE = (
    "awful",
    "boring",
    "clumsy",
    "dull",
    "empty",
    "forgettable",
    "hollow",
    "lifeless",
    "mediocre",
    "painful",
    "shallow",
    "tedious",
)
FAVOURABLE = (
    "brilliant",
    "charming",
    "clever",
    "delightful",
    "engaging",
    "funny",
    "graceful",
    "honest",
    "moving",
    "original",
    "superb",
    "warm",
)
_SUBJECTS = (
    "the film",
    "this movie",
    "the story",
    "the plot",
    "the ending",
    "the second half",
    "the acting",
    "the lead actor",
    "the dialogue",
    "the music",
    "the camera work",
    "the script",
)
_RELATIVES = (
    "that my sister recommended to me",
    "we saw on friday",
    "everyone talks about these days",
    "which took four years to make",
    "from the makers of the first part",
    "about a small town by the sea",
)
_VERBS = ("is", "was", "seems", "feels", "looks")
_NEGATIONS = ("not", "never", "hardly", "far from")
_DEGREES = ("very", "really", "rather", "quite", "truly", "so")
_FILLERS = (
    "in the end",
    "on the whole",
    "for the most part",
    "as far as i can tell",
    "from the first scene to the last",
    "when you think about it",
    "at least to me",
)
_FORMS = (
    "{main}",
    "{main} and {same}",
    "{opposite} but {main}",
    "although {opposite} , {main}",
    "{main} even though {opposite}",
)
_OPENINGS = ("to be fair ,", "i must say ,", "in my view ,", "after two hours in the dark ,", "well ,")


def generated() -> Corpus:
    """The three splits; no sentence occurs twice."""
    random = np.random.RandomState(_SEED)  # its stream is frozen, so these sentences never change
    sentences: dict[str, int] = {}
    while len(sentences) < sum(SIZES):
        label = int(random.randint(2))
        sentences.setdefault(_sentence(random, label), label)
    texts, labels = list(sentences), np.array(list(sentences.values()), np.int32)
    ends = np.cumsum((0, *SIZES))
    parts = (np.arange(start, stop) for start, stop in pairwise(ends))
    every = LabelledTexts(texts, labels)
    return Corpus("generated; no rights reserved", *(every.select(rows) for rows in parts))


def _sentence(random: np.random.RandomState, label: int) -> str:
    form = _FORMS[random.randint(len(_FORMS))]
    main, same, opposite = (_clause(random, side) for side in (label, label, 1 - label))
    text = form.format(main=main, same=same, opposite=opposite)
    opening = _sometimes(random, 0.3, _OPENINGS)
    return " ".join(f"{opening} {text} .".split())


def _clause(random: np.random.RandomState, label: int) -> str:
    negation = _sometimes(random, 0.25, _NEGATIONS)
    opinion = _one(random, FAVOURABLE if bool(label) != bool(negation) else UNFAVOURABLE)
    parts = (
        _one(random, _SUBJECTS),
        _sometimes(random, 0.25, _RELATIVES),
        _one(random, _VERBS),
        negation,
        _sometimes(random, 0.3, _DEGREES),
        opinion,
        _sometimes(random, 0.25, _FILLERS),
    )
    return " ".join(part for part in parts if part)


def _one(random: np.random.RandomState, phrases: tuple[str, ...]) -> str:
    return phrases[random.randint(len(phrases))]


def _sometimes(random: np.random.RandomState, share: float, phrases: tuple[str, ...]) -> str:
    return _one(random, phrases) if random.random_sample() < share else ""
