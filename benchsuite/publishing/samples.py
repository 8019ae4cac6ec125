"""Samples of the data among a study's exhibits, and which of them a bundle may pass on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchsuite.running.store import EXHIBITS_FOLDER, StudyStore, attempt_of, write_exhibits
from benchsuite.schema import Exhibit, Record

LICENCE = "data.licence"
"""The fact of a record that holds the licence of its data."""
SAMPLES = ("text", "forecast", "picture")
"""Kinds of exhibits that show rows of the data; a confusion matrix and a curve show counts and scores."""
_OPEN = re.compile(r"(generated|public domain|CC0|CC BY \d|CC BY-SA \d|MIT|BSD|Apache)\b", re.IGNORECASE)
"""How licences begin under which parts of the data may be copied and changed by anybody."""


def may_be_passed_on(licence: str) -> bool:
    """Whether parts of data under this licence may be published by anybody. A licence that forbids changes or
    commerce (ND, NC), that is not known here, or that is not stated does not let them be."""
    return _OPEN.match(licence) is not None


def withheld(folder: Path) -> dict[str, str]:
    """Of a study's folder: `time_series / etth1` -> the licence of its data, of every source whose samples a
    bundle leaves out. Raises StoreError for exhibits that cannot be read."""
    return _licences(record for record, _, _ in _samples(folder))


def _licences(records: Iterable[Record]) -> dict[str, str]:
    found = {
        f"{record.trial.task} / {record.trial.source}": record.environment.get(LICENCE) or "not stated"
        for record in records
    }
    return dict(sorted(found.items()))


def withheld_words(found: Mapping[str, str]) -> str:
    """`samples of the data of time_series / etth1 (CC BY-ND 4.0), which may not be passed on`."""
    named = ", ".join(f"{source} ({licence})" for source, licence in found.items())
    return f"samples of the data of {named}, which may not be passed on"


def withhold(folder: Path) -> dict[str, str]:
    """Take out of a study's folder what withheld() names, and return that. Raises StoreError as it does."""
    found = list(_samples(folder))
    for _, path, others in found:
        if others:
            write_exhibits(path, others)
        else:
            path.unlink()
    return _licences(record for record, _, _ in found)


def _samples(folder: Path) -> Iterator[tuple[Record, Path, list[Exhibit]]]:
    """Records with samples that may not be passed on, the file that holds them, and what else it holds."""
    store = StudyStore(folder)
    records, _ = store.history()
    closed = {
        record.trial_id: record
        for record in records
        if not may_be_passed_on(record.environment.get(LICENCE, ""))
    }
    for path in sorted((folder / EXHIBITS_FOLDER).glob("*")):
        found = attempt_of(path)
        if found is None or found[0] not in closed:
            continue
        exhibits = store.exhibits(*found)
        others = [one for one in exhibits if one.kind not in SAMPLES]
        if len(others) < len(exhibits):
            yield closed[found[0]], path, others
