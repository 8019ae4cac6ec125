"""From each source's files to texts and labels (1 favourable, 0 not), in three splits."""

from __future__ import annotations

import csv
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.data import fetch, stratified_split
from benchsuite.errors import DataError
from benchsuite_sentiment.files import FILES

_MR_SEED = 2005


@dataclass(frozen=True)
class LabelledTexts:
    """n texts and their labels (n,) int32."""

    texts: list[str]
    labels: np.ndarray

    def select(self, rows: np.ndarray) -> LabelledTexts:
        return LabelledTexts([self.texts[row] for row in rows], self.labels[rows])


@dataclass(frozen=True)
class Corpus:
    """The licence of a source's files, and the three splits."""

    licence: str
    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts


def sst2() -> Corpus:
    """Stanford Sentiment Treebank with its own split."""
    train, dev, test = (FILES[f"sst2_binary_sent_{split}.csv"] for split in ("train", "dev", "test"))
    return Corpus(train.licence, *(read_sst2(fetch(file)) for file in (train, dev, test)))


def mr() -> Corpus:
    """Sentence polarity, 80/10/10 by a fixed seed within each class; the authors give no split."""
    positive, negative = FILES["rt-polarity.pos"], FILES["rt-polarity.neg"]
    every = read_mr(fetch(positive), fetch(negative))
    parts = stratified_split(every.labels, (0.8, 0.1, 0.1), _MR_SEED)
    return Corpus(positive.licence, *(every.select(rows) for rows in parts))


def reviews() -> Corpus:
    """Whole reviews by the authors' ten folds: 0 to 7 train, 8 validation, 9 test."""
    file = FILES["review_polarity.tar.gz"]
    every, folds = read_reviews(fetch(file))
    parts = (np.flatnonzero(chosen) for chosen in (folds < 8, folds == 8, folds == 9))
    return Corpus(file.licence, *(every.select(rows) for rows in parts))


def read_sst2(path: Path) -> LabelledTexts:
    """CSV with the header `label,sentence`, quoted as in RFC 4180, UTF-8."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    if not rows or rows[0] != ["label", "sentence"]:
        raise DataError(f"{path}: expected the header label,sentence, found {rows[0] if rows else 'nothing'}")
    return LabelledTexts([row[1] for row in rows[1:]], np.array([int(row[0]) for row in rows[1:]], np.int32))


def read_mr(positive: Path, negative: Path) -> LabelledTexts:
    """One snippet per line, in Windows' cp1252; its byte 0x85, an ellipsis, is no line's end."""
    texts: list[str] = []
    labels: list[int] = []
    for path, label in ((positive, 1), (negative, 0)):
        lines = path.read_bytes().decode("cp1252").split("\n")
        texts += [line.strip() for line in lines if line.strip()]
        labels += [label] * (len(texts) - len(labels))
    return LabelledTexts(texts, np.array(labels, np.int32))


def read_reviews(path: Path) -> tuple[LabelledTexts, np.ndarray]:
    """Archive of `txt_sentoken/{pos,neg}/cvNNN_*.txt`; also gives each review's fold, NNN // 100, (n,)."""
    found: dict[str, str] = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".txt") else None
            if stream is not None:
                found[member.name] = stream.read().decode("utf-8")
    names = sorted(name for name in found if name.startswith("txt_sentoken/"))
    labels = np.array([name.split("/")[1] == "pos" for name in names], np.int32)
    folds = np.array([int(name.split("/")[2][2:5]) // 100 for name in names])
    return LabelledTexts([found[name] for name in names], labels), folds
