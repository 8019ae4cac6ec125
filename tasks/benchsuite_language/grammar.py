"""Stochastic context-free grammars: sentences drawn from one, and their entropy per character.

A grammar maps a symbol to its rules (probability, parts); a part that is no symbol is text. Probabilities of a
symbol's rules sum to one. Where every sentence has one derivation and ends with a sign that is nowhere
else, the entropy rate of sentences without end, each drawn for itself, is exactly

    bits per character = H(derivation of a sentence) / E[characters of a sentence],

for text and derivations then determine each other. Both figures are linear in the symbols: with c[a] the
entropy of the choice among the rules of a, and M[a, b] the expected number of symbols b in the rule chosen,
H = c + M H (Soule, Information and Control 1974); likewise the characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Rules = tuple[tuple[float, tuple[str, ...]], ...]
Grammar = Mapping[str, Rules]


@dataclass(frozen=True)
class Expectation:
    """Of one symbol: the entropy of its derivation in bits, and the expected number of characters."""

    bits: float
    characters: float


def expectation(grammar: Grammar, start: str) -> Expectation:
    """Both figures of `start`, in closed form; derivations must end with probability one."""
    symbols = list(grammar)
    number = {symbol: index for index, symbol in enumerate(symbols)}
    own = np.zeros((len(symbols), 2))
    inside = np.zeros((len(symbols), len(symbols)))
    for symbol, rules in grammar.items():
        row = number[symbol]
        for probability, parts in rules:
            own[row, 0] -= probability * np.log2(probability)
            for part in parts:
                if part in number:
                    inside[row, number[part]] += probability
                else:
                    own[row, 1] += probability * len(part)
    whole = np.linalg.solve(np.eye(len(symbols)) - inside, own)[number[start]]
    return Expectation(float(whole[0]), float(whole[1]))


def sentence(grammar: Grammar, start: str, random: np.random.RandomState) -> tuple[str, float]:
    """A sentence drawn from `start`, and -log2 of its derivation's probability."""
    text, bits, pending = [], 0.0, [start]
    while pending:
        part = pending.pop()
        if part not in grammar:
            text.append(part)
            continue
        probability, parts = _draw(grammar[part], random.random_sample())
        bits -= float(np.log2(probability))
        pending.extend(reversed(parts))
    return "".join(text), bits


def _draw(rules: Rules, at: float) -> tuple[float, tuple[str, ...]]:
    """The rule that `at`, uniform in [0, 1), falls on."""
    for rule in rules:
        at -= rule[0]
        if at < 0:
            return rule
    return rules[-1]  # rounding: the probabilities' sum may be a little less than one
