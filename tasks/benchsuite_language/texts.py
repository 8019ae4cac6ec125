"""A text in three parts, as the sources give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.data import fetch
from benchsuite.errors import DataError
from benchsuite_language.files import SHAKESPEARE

_TRAIN, _VALIDATION = 0.9, 0.05


@dataclass(frozen=True)
class Corpus:
    """Three texts, and what is known of them beforehand: name -> {metric: value} on the test text."""

    train: str
    validation: str
    test: str
    licence: str
    known: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def shakespeare() -> Corpus:
    """The first 90 % of the characters, the next 5 % and the last 5 %."""
    return read_text(fetch(SHAKESPEARE))


def read_text(path: Path) -> Corpus:
    """Raises DataError for a file that is not UTF-8 text."""
    try:
        text = path.read_bytes().decode()  # not read_text(), which would change line ends
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}") from error
    first, second = int(_TRAIN * len(text)), int((_TRAIN + _VALIDATION) * len(text))
    return Corpus(text[:first], text[first:second], text[second:], SHAKESPEARE.licence)
