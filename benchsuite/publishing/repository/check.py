"""check_repository: is each submission what its bundle says? For those who accept pull requests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.errors import BenchsuiteError
from benchsuite.publishing.bundle import unpacked
from benchsuite.publishing.repository.folder import BUNDLE, RACES_FILE, VERIFICATION, Repository
from benchsuite.publishing.repository.index import index_rows, read_rows
from benchsuite.publishing.repository.submission import (
    SUMMARY,
    Submission,
    check_plain,
    content_digest,
    read_submission,
    summarised,
)
from benchsuite.publishing.verdict import Verification
from benchsuite.publishing.verify import verify
from benchsuite.running.store import INDEX, STUDIES_FOLDER
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record

OF_A_SUBMISSION = {BUNDLE, RACES_FILE, SUMMARY, VERIFICATION}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a submission, as a sentence."""

    submission: str
    sentence: str


def check_repository(repository: Repository) -> Iterator[Fault]:
    """Verify the bundle of every submission again, and make its summary and its index again from it. Yields
    what differs, submission by submission."""
    folders = sorted((repository.folder / STUDIES_FOLDER).glob("*"))
    names = {one.name for one in folders}
    try:
        repository.submissions()
    except BenchsuiteError as error:
        yield Fault(repository.folder.name, str(error))
    for folder in folders:
        try:
            for sentence in _faults(repository, folder):
                yield Fault(folder.name, sentence)
        except BenchsuiteError as error:
            yield Fault(folder.name, str(error))
    for index in sorted((repository.folder / INDEX).glob("*")):
        if index.stem not in names or index.suffix != ".parquet":
            yield Fault(index.stem, f"{INDEX}/{index.name} belongs to no submission")


def _faults(repository: Repository, folder: Path) -> Iterator[str]:
    summary = read_submission(folder)
    for name in sorted({path.name for path in folder.iterdir()} - OF_A_SUBMISSION):
        yield f"it holds {name}, which is no part of a submission"
    bundle = folder / BUNDLE
    if not bundle.is_file():
        yield f"{BUNDLE} is missing"
        return
    if hashlib.sha256(bundle.read_bytes()).hexdigest() != summary.bundle:
        yield f"{BUNDLE} is not the file whose hash the summary has"
    found = verify(bundle)
    if found.passed is not (summary.level == "verified"):
        yield f"the summary says {summary.level}, and benchsuite verify says: {found.sentence}"
    told = Verification.read(folder / VERIFICATION)
    if told.passed is not (summary.level == "verified"):
        yield f"the summary says {summary.level}, and {VERIFICATION}: {told.sentence}"
    with unpacked(bundle) as unzipped:
        study = StoredStudy.read(unzipped)
        again = _summary(study, summary, found.suite or "", bundle)
        for name, value in again.model_dump().items():
            if getattr(summary, name) != value:
                yield f"the summary says of {name} {getattr(summary, name)!r}, and the bundle {value!r}"
        rows = index_rows(summary.id, study.records, study.machines())
        if repository.races(summary) != study.races():
            yield f"{RACES_FILE} does not hold the races of its bundle"
    path = repository.index(summary.id)
    check_plain(path)
    if not path.is_file():
        yield f"{INDEX}/{path.name} is missing"
    elif not _same(read_rows(path), rows):
        yield f"{INDEX}/{path.name} is not the index of its bundle"


def _same(held: list[dict[str, Any]], made: list[dict[str, Any]]) -> bool:
    """Whether rows are equal. Records are compared as values: later versions write more fields of them."""
    try:
        return [_parsed(row) for row in held] == [_parsed(row) for row in made]
    except (KeyError, TypeError, ValueError):
        return False


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "record": Record.model_validate_json(row["record"]).model_dump_json()}


def _summary(study: StoredStudy, summary: Submission, suite: str, bundle: Path) -> Submission:
    """The summary that the bundle gives; what only the publisher knows is as it is."""
    description = study.description()
    return summarised(
        study.records,
        study.machines(),
        description,
        content=content_digest(study.folder),
        name=str(description.get("name") or summary.name),
        suite=suite,
        by=summary.by,
        licence=summary.licence,
        published=summary.published,
        level=summary.level,
        bundle=bundle,
    )
