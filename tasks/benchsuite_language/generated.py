"""Text of known entropy: small sentences whose endings depend on their beginnings.

    sentence   day "the" noun [relative] predicate {"and" predicate} "."
    day        Today, Yesterday or Tomorrow: the verbs outside relative clauses are of its tense
    predicate  a verb that agrees with the noun it belongs to, alone or with an object: "the" noun [relative]
    relative   "that" predicate, which agrees with the noun before it, or "that the" noun verb; any tense

So a verb's form needs the day the sentence opened with and the number of a noun that may be many words back:
n-grams of characters miss both, a recurrent network can carry them. Each choice shows in the next word, so a
sentence has one derivation, and the entropy rate is known exactly (grammar.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from benchsuite_language.grammar import Grammar, Rules, expectation, sentence
from benchsuite_language.texts import Corpus

SIZES = (60_000, 10_000, 20_000)
"""Least characters of the training, validation and test split; the last sentence is finished."""

START = "sentence"

_SEED = 1948
_DAYS = {"now": "Today", "then": "Yesterday", "soon": "Tomorrow"}
_ENDINGS = {"one": "", "many": "s"}
_NOUNS = ("cat", "dog", "bird", "farmer", "teacher", "girl", "king", "sailor")
_VERBS = (
    ("see", "saw"),
    ("follow", "followed"),
    ("help", "helped"),
    ("know", "knew"),
    ("hear", "heard"),
    ("meet", "met"),
)
_VERBS_ALONE = (("sleep", "slept"), ("laugh", "laughed"), ("wait", "waited"))

_ALONE = 0.3
"""Share of predicates without an object."""
_QUALIFIED = 0.3
"""Share of nouns that a relative clause follows."""
_ABOUT_SUBJECT = 0.6
"""Share of relative clauses whose noun is the subject in them."""
_AND = 0.4
"""Share of predicates that another one follows."""


def generated() -> Corpus:
    """The three splits. Each text begins with the line's end before its first sentence."""
    grammar = sentences()
    (train, _), (validation, _), (test, bits) = (
        _text(grammar, part, size) for part, size in enumerate(SIZES)
    )
    whole = expectation(grammar, START)
    known = {
        "true_entropy": {"bits_per_character": whole.bits / whole.characters},
        "true_source": {"bits_per_character": bits / (len(test) - 1)},
    }
    return Corpus(train, validation, test, "generated; no rights reserved", known)


def _text(grammar: Grammar, part: int, size: int) -> tuple[str, float]:
    """A split's text, and the bits that its source needs for all but the first character."""
    random = np.random.RandomState([_SEED, part])  # its stream is frozen, so these sentences never change
    texts, total, length = ["\n"], 0.0, 0
    while length < size:
        text, bits = sentence(grammar, START, random)
        texts.append(text)
        total, length = total + bits, length + len(text)
    return "".join(texts), total


def sentences() -> Grammar:
    """The grammar. Symbols name what has to be remembered: a tense, a number."""
    grammar: dict[str, Rules] = {
        START: tuple((1 / 3, (day, " the", f"clause {tense}")) for tense, day in _DAYS.items()),
        "object": tuple((1 / 2, (f"noun {number}", f"after {number}")) for number in _ENDINGS),
    }
    for tense in _DAYS:
        grammar[f"clause {tense}"] = tuple(
            (
                1 / 2,
                (f"noun {number}", f"after {number}", f"predicate {tense} {number}", f"end {tense} {number}"),
            )
            for number in _ENDINGS
        )
    for number, ending in _ENDINGS.items():
        grammar[f"noun {number}"] = _choice([f" {noun}{ending}" for noun in _NOUNS])
        grammar[f"after {number}"] = ((1 - _QUALIFIED, ()), (_QUALIFIED, (" that", f"relative {number}")))
        grammar[f"relative {number}"] = (
            *((_ABOUT_SUBJECT / 3, (f"predicate {tense} {number}",)) for tense in _DAYS),
            *(
                ((1 - _ABOUT_SUBJECT) / 6, (" the", f"noun {inner}", f"verb {tense} {inner}"))
                for tense, inner in product(_DAYS, _ENDINGS)
            ),
        )
    for tense, number in product(_DAYS, _ENDINGS):
        here = f"{tense} {number}"
        grammar[f"verb {here}"] = _choice([_form(*verb, here) for verb in _VERBS])
        grammar[f"alone {here}"] = _choice([_form(*verb, here) for verb in _VERBS_ALONE])
        grammar[f"predicate {here}"] = (
            (_ALONE, (f"alone {here}",)),
            (1 - _ALONE, (f"verb {here}", " the", "object")),
        )
        grammar[f"end {here}"] = ((1 - _AND, (".\n",)), (_AND, (" and", f"predicate {here}", f"end {here}")))
    return grammar


def _choice(words: Sequence[str]) -> Rules:
    """One of `words`, the first the likeliest: shares go as 1, 1/2, 1/3 ... (Zipf's law)."""
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return tuple((weight / sum(weights), (word,)) for weight, word in zip(weights, words, strict=True))


def _form(verb: str, past: str, here: str) -> str:
    return {"now one": f" {verb}s", "now many": f" {verb}"}.get(
        here, f" {past}" if here.startswith("then") else f" will {verb}"
    )
