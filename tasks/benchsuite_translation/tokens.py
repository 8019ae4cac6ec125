"""Three ways to read a text as tokens, each with its way back. All are learnt from a training split alone."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchsuite.data import JOINER, Vocabulary, join_words, marked_words

SPACE = "\u2581"
"""In a token: the space before a subword (Kudo and Richardson 2018, SentencePiece)."""
_UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Rules:
    """What is learnt.

    lower_case  texts lose their case
    min_count   a word is known, a pair of subwords merged, if the training split has it this often or more
    size        most tokens known, the special ones included
    decoder     a decoder generates the tokens: its vocabulary has START and END
    parts       finds the parts of compounds, in a language whose number words are one word
    """

    lower_case: bool
    min_count: int
    size: int
    decoder: bool = False
    parts: re.Pattern[str] | None = None

    def cased(self, texts: Sequence[str]) -> list[str]:
        return [text.lower() for text in texts] if self.lower_case else list(texts)


class Tokeniser(abc.ABC):
    """Texts of one language to tokens and back, losing nothing but case."""

    def __init__(self, texts: Sequence[str], rules: Rules) -> None:
        """Learn from a training split's `texts`."""
        self.rules = rules
        self.vocabulary = self.learn(texts)
        """The tokens known."""

    def learn(self, texts: Sequence[str]) -> Vocabulary:
        """The tokens of `texts` that are frequent enough."""
        rules = self.rules
        return Vocabulary.build(self.split(texts), rules.min_count, rules.size, rules.decoder)

    @property
    def artifact(self) -> str:
        """What was learnt, as text: one token per line, in the order of their ids."""
        return "".join(f"{word}\n" for word in self.vocabulary.words)

    @abc.abstractmethod
    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """The tokens of each text, whose white space is single spaces, with none at its ends."""

    @abc.abstractmethod
    def join(self, tokens: Iterable[str]) -> str:
        """The text that `tokens` make."""


class Words(Tokeniser):
    """Words and signs, see marked_words(); a word that is all compound is as many tokens as it has parts."""

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        found = [marked_words(text, self.rules.lower_case) for text in texts]
        parts = self.rules.parts
        if parts is None:
            return found
        return [[part for word in words for part in _parted(word, parts)] for words in found]

    def join(self, tokens: Iterable[str]) -> str:
        return join_words(tokens)


def _parted(word: str, pattern: re.Pattern[str]) -> list[str]:
    parts = pattern.findall(word)
    return [parts[0], *(JOINER + part for part in parts[1:])] if "".join(parts) == word else [word]


class Characters(Tokeniser):
    """Every character a token, spaces too."""

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        return [list(text) for text in self.rules.cased(texts)]

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens)


class Subwords(Tokeniser):
    """Byte pair encoding (Sennrich et al. 2016) of words and signs: the most frequent neighbours become
    one token, again and again, until there are `size` tokens or no pair is frequent enough."""

    def learn(self, texts: Sequence[str]) -> Vocabulary:
        """The characters of `texts`, and what is merged of them."""
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

        rules = self.rules
        self._model = Tokenizer(models.BPE(unk_token=_UNKNOWN))
        spaces = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
        signs = pre_tokenizers.Split(Regex(rf"[^\w\s{SPACE}]"), "isolated")
        self._model.pre_tokenizer = pre_tokenizers.Sequence([spaces, signs])
        special = len(Vocabulary.build([], decoder=rules.decoder))
        trainer = trainers.BpeTrainer(
            vocab_size=rules.size - special + 1,  # <unk> is among its own
            min_frequency=rules.min_count,
            special_tokens=[_UNKNOWN],
            show_progress=False,
        )
        self._model.train_from_iterator(rules.cased(texts), trainer)
        known = set(self._model.get_vocab()) - {_UNKNOWN}  # also those seen inside longer ones alone
        return Vocabulary.build([sorted(known)], decoder=rules.decoder)

    @property
    def artifact(self) -> str:
        """The tokenizers library's own JSON, from which it makes the tokeniser again."""
        return str(self._model.to_str())

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        return [found.tokens for found in self._model.encode_batch(self.rules.cased(texts))]

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens).replace(SPACE, " ").strip()


TOKENISERS: dict[str, Callable[[Sequence[str], Rules], Tokeniser]] = {
    "words": Words,
    "characters": Characters,
    "bpe": Subwords,
}
