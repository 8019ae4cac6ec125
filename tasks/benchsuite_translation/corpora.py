"""From each source's files to pairs of texts, in three splits."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchsuite.data import fetch, fixed_order
from benchsuite.errors import DataError
from benchsuite_translation.files import FILES, TATOEBA

TATOEBA_SIZES = (1000, 2000)
"""English sentences in the validation and the test split."""
_TATOEBA_SEED = 2019


@dataclass(frozen=True)
class Pairs:
    """n texts and the translations of each, one or more; the first one is the target that a model learns."""

    sources: list[str]
    references: list[tuple[str, ...]]

    @property
    def targets(self) -> list[str]:
        """The first translation of each text."""
        return [wanted[0] for wanted in self.references]


@dataclass(frozen=True)
class Corpus:
    """The licence of a source's files, and the three splits.

    parts  finds the parts of the target language's compounds, where words alone would be of no use
    """

    licence: str
    train: Pairs
    validation: Pairs
    test: Pairs
    parts: re.Pattern[str] | None = None


def multi30k(source: str, target: str) -> Corpus:
    """Captions in the languages `source` and `target` (de, en, fr), split as published."""
    train, validation, test = (
        _in_pairs(*(read_lines(fetch(FILES[f"multi30k_{split}.{each}.gz"])) for each in (source, target)))
        for split in ("train", "val", "test_2016_flickr")
    )
    return Corpus(FILES[f"multi30k_train.{source}.gz"].licence, train, validation, test)


def tatoeba(source: str, target: str) -> Corpus:  # noqa: ARG001  # its one pair
    """English sentences and all their Spanish translations."""
    parts = by_sentence(read_tatoeba(fetch(TATOEBA)), TATOEBA_SIZES)
    return Corpus(TATOEBA.licence, *parts)


def by_sentence(pairs: Iterable[tuple[str, str]], sizes: tuple[int, int]) -> tuple[Pairs, Pairs, Pairs]:
    """Training, validation and test split of (sentence, translation) pairs, the last two of `sizes` sentences,
    shuffled with a fixed seed. Sentences that differ in case or signs alone go together.

    Of the training split every pair is learnt. A sentence of the others is one row, however many translations
    and spellings it has: the first spelling, with all its translations as references.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for sentence, translation in pairs:
        translations = groups.setdefault(_bare(sentence), {}).setdefault(sentence, [])
        if translation not in translations:
            translations.append(translation)
    keys = sorted(groups)
    order = [groups[keys[index]] for index in fixed_order(len(keys), _TATOEBA_SEED)]
    validation, test = sizes
    held_out, tested, rest = (
        order[:validation],
        order[validation : validation + test],
        order[validation + test :],
    )
    learnt = [(one, each) for group in rest for one, found in group.items() for each in found]
    train = Pairs([one for one, _ in learnt], [(each,) for _, each in learnt])
    return train, _one_each(held_out), _one_each(tested)


def _bare(text: str) -> str:
    """What is left of a sentence without case and signs."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _one_each(groups: Iterable[dict[str, list[str]]]) -> Pairs:
    """The first spelling of each group, with its translations."""
    firsts = [next(iter(group.items())) for group in groups]
    return Pairs([english for english, _ in firsts], [tuple(spanish) for _, spanish in firsts])


def _in_pairs(sources: list[str], targets: list[str]) -> Pairs:
    if len(sources) != len(targets):
        raise DataError(f"{len(sources)} sentences have {len(targets)} translations")
    return Pairs(sources, [(target,) for target in targets])


def read_lines(path: Path) -> list[str]:
    """One sentence per line, gzip, UTF-8; white space, no-break spaces too, becomes single spaces."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as stream:
        return [" ".join(line.split()) for line in stream]


def read_tatoeba(path: Path) -> list[tuple[str, str]]:
    """`spa.txt` of the archive: English, a tab and Spanish in each line. Zero-width spaces are dropped."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("spa.txt").decode("utf-8")
    found = []
    for line in text.replace("\u200b", "").split("\n"):
        if line.strip():
            english, tab, spanish = line.partition("\t")
            if not tab:
                raise DataError(f"{path}: a line of spa.txt has no tab")
            found.append((" ".join(english.split()), " ".join(spanish.split())))
    return found
