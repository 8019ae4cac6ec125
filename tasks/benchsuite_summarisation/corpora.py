"""Texts with their summaries, in three splits, and the emails among them."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.data import fetch
from benchsuite.errors import DataError
from benchsuite_summarisation.files import AESLC

_HEADING = re.compile(r"^@(subject|ann\d)$", re.MULTILINE)
"""Lines that begin the author's subject and, in the validation and test split, three annotators' ones."""


@dataclass(frozen=True)
class Summarised:
    """n texts and their summaries, white space made single spaces."""

    texts: list[str]
    summaries: list[str]


@dataclass(frozen=True)
class Corpus:
    """The licence of a source's files, and the three splits.

    private  no text may be shown or stored
    guesses  name -> summaries of the test split, made by a rule, to compare with
    """

    licence: str
    train: Summarised
    validation: Summarised
    test: Summarised
    private: bool = False
    guesses: Mapping[str, list[str]] = field(default_factory=dict)


def aeslc() -> Corpus:
    """Emails and their authors' subject lines in the published split. The test split is whole; the others lose
    the emails that a later one has too, but for white space: 15 of the training split, 211 of the validation
    split, which would tell early stopping of the test."""
    splits = read_aeslc(fetch(AESLC))
    train, dev, test = (splits[name] for name in ("train", "dev", "test"))
    dev, train = without(dev, {*test.texts}), without(train, {*dev.texts, *test.texts})
    return Corpus(AESLC.licence, train, dev, test, private=True)


def without(split: Summarised, texts: set[str]) -> Summarised:
    """The rows of `split` whose text is not among `texts`."""
    kept = [row for row, text in enumerate(split.texts) if text not in texts]
    return Summarised([split.texts[row] for row in kept], [split.summaries[row] for row in kept])


def read_aeslc(path: Path) -> dict[str, Summarised]:
    """Archive of `*/enron_subject_line/{train,dev,test}/*.subject`: the body, a line `@subject`, the subject.
    Rows are in the order of the files' names.

    Raises DataError, with the file's name and nothing of its text, for a file without a subject.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {"train": {}, "dev": {}, "test": {}}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".subject") else None
            if stream is not None:
                split, name = member.name.split("/")[-2:]
                body, *headed = _HEADING.split(stream.read().decode("utf-8"))
                if headed[:1] != ["subject"] or not body.strip() or not headed[1].strip():
                    raise DataError(f"{path}: {member.name} has no body and subject")
                found[split][name] = (" ".join(body.split()), " ".join(headed[1].split()))
    return {split: _in_order(emails) for split, emails in found.items()}


def _in_order(emails: dict[str, tuple[str, str]]) -> Summarised:
    rows = [emails[name] for name in sorted(emails)]
    return Summarised([body for body, _ in rows], [subject for _, subject in rows])
