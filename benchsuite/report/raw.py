"""The raw data of a report, a link away from every page: all figures of all trials, and the journals."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchsuite.analysis.validity import valid_scalars
from benchsuite.contracts.report import Value
from benchsuite.report.data import Entry, ReportData
from benchsuite.report.files import inert
from benchsuite.schema.fields import flatten

TRIALS_FILE, JOURNALS_FILE = "tables/every-trial.csv", "tables/every-record.jsonl.gz"
"""Under the report's folder."""
JOURNAL_FILE = "records.jsonl"


def raw_keys(data: ReportData) -> frozenset[str]:
    """The keys by which pages link to the files that write_raw() writes."""
    return frozenset(f"file:{path}" for path in (TRIALS_FILE, *([JOURNALS_FILE] if _journals(data) else ())))


def _journals(data: ReportData) -> list[Path]:
    paths = (study.folder / JOURNAL_FILE for study in data.studies)
    return [path for path in paths if path.is_file()]


def write_raw(data: ReportData, output: Path) -> None:
    """Write a row for each record, with every field of its trial, its verdicts and every valid scalar; and the
    journals of the studies, one after the other. Raises OSError."""
    rows = [dict(_row(entry)) for entry in data.entries]
    names = list(dict.fromkeys(name for row in rows for name in row))
    path = output / TRIALS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([inert(name) for name in names])
        writer.writerows([inert(row.get(name)) for name in names] for row in rows)
    journals = _journals(data)
    if journals:
        with gzip.open(output / JOURNALS_FILE, "wb", compresslevel=3) as packed:
            for journal in journals:
                with journal.open("rb") as lines:
                    shutil.copyfileobj(lines, packed)


def _row(entry: Entry) -> Iterator[tuple[str, Value]]:
    record = entry.record
    yield "study", entry.study.name
    yield "machine", entry.machine.name
    yield "trial", record.trial_id
    yield "counts", entry.counts
    for path, value in flatten(record.trial.model_dump(mode="json")):
        yield path, value if value is None or isinstance(value, str | int | float | bool) else str(value)
    yield "status", str(record.status)
    yield "reason", record.reason
    yield "kernel", record.kernel
    yield "ranked by", record.primary
    for name, word in sorted(record.verdicts.items()):
        yield f"verdict/{name}", word
    yield from sorted(valid_scalars(record).items())
