"""The index of a results repository: one Parquet file per submission, a row per record.

One file each, and not one file of all: a submission then adds files and changes none, so that two pull requests
never conflict, and `pyarrow.parquet.read_table("index")` or any other reader of Parquet folders sees one table.
A row is made of the record alone: who made the index does not matter, and anybody can make it again from the
bundle.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchsuite.analysis.machines import Machine
from benchsuite.analysis.validity import common_clock, is_ranked, seconds, sequences_per_second
from benchsuite.analysis.versions import framework_version
from benchsuite.errors import StoreError
from benchsuite.schema import Record

_TEXT, _WORD, _NUMBER = pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.float64()
SCHEMA = pa.schema(
    [
        ("submission", _WORD),
        ("trial", _TEXT),
        ("configuration", _TEXT),
        ("attempt", _TEXT),
        ("machine", _WORD),
        ("task", _WORD),
        ("source", _WORD),
        ("options", _WORD),
        ("cell", _WORD),
        ("architecture", _WORD),
        ("backend", _WORD),
        ("framework_version", _WORD),
        ("unroll", _WORD),
        ("device", _WORD),
        ("precision", _WORD),
        ("threads", pa.int32()),
        ("seed", pa.int64()),
        ("status", _WORD),
        ("ranked", pa.bool_()),
        ("metric", _WORD),
        ("value", _NUMBER),
        ("higher_is_better", pa.bool_()),
        ("clock", _WORD),
        ("step_seconds", _NUMBER),
        ("sequences_per_second", _NUMBER),
        ("train_seconds", _NUMBER),
        ("peak_bytes", _NUMBER),
        ("finished", _NUMBER),
        ("machine_facts", _WORD),
        ("record", _TEXT),
    ]
)
"""Columns of the index. `step_seconds` and `sequences_per_second` are by `clock`, null where the timing is
refused; `finished` is in POSIX seconds; `record` is the whole record as JSON, as in a study's journal."""


def index_rows(
    submission: str, records: Sequence[Record], machines: Sequence[Machine]
) -> list[dict[str, Any]]:
    """The rows of a submission. :param machines: of each record."""
    return [_row(submission, record, machine) for record, machine in zip(records, machines, strict=True)]


def _row(submission: str, record: Record, machine: Machine) -> dict[str, Any]:
    trial = record.trial
    return {
        "submission": submission,
        "trial": record.trial_id,
        "configuration": trial.configuration_id,
        "attempt": record.attempt,
        "machine": machine.name,
        "task": trial.task,
        "source": trial.source,
        "options": json.dumps(trial.options, sort_keys=True),
        "cell": trial.cell,
        "architecture": trial.architecture,
        "backend": trial.backend,
        "framework_version": framework_version(record),
        "unroll": trial.execution.unroll,
        "device": trial.execution.device,
        "precision": trial.execution.precision,
        "threads": trial.execution.threads,
        "seed": trial.seed,
        "status": str(record.status),
        "ranked": is_ranked(record),
        "metric": record.primary,
        "value": _number(record.scalars.get(f"test/{record.primary}")),
        "higher_is_better": record.higher_is_better,
        "clock": common_clock([record]),
        "step_seconds": _number(seconds(record)),
        "sequences_per_second": _number(sequences_per_second(record)),
        "train_seconds": _number(record.scalars.get("train/seconds")),
        "peak_bytes": _number(record.scalars.get("memory/peak_bytes")),
        "finished": record.finished,
        "machine_facts": json.dumps(machine.facts),
        "record": record.model_dump_json(),
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def write_index(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows of one submission."""
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    pq.write_table(table, path, compression="zstd")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of one submission. Raises StoreError for a file that is no index."""
    try:
        found: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
    except Exception as error:  # pyarrow's errors share no base
        raise StoreError(f"{path} cannot be read as an index: {error}") from error
    return found


def read_index(path: Path) -> Iterator[tuple[Record, Machine]]:
    """The records of one submission with their machines. Raises StoreError for a file that is no index."""
    try:
        table = pq.read_table(path, columns=["record", "machine_facts"], partitioning=None)
        machines: dict[str, Machine] = {}
        for text, facts in zip(
            table.column("record").to_pylist(), table.column("machine_facts").to_pylist(), strict=True
        ):
            if facts not in machines:
                machines[facts] = Machine(tuple((str(name), str(value)) for name, value in json.loads(facts)))
            yield _interned(Record.model_validate_json(text)), machines[facts]
    except Exception as error:  # pyarrow's errors share no base with those of JSON and of records
        raise StoreError(f"{path} cannot be read as an index: {error}") from error


def _interned(record: Record) -> Record:
    """The record with the texts of its environment kept once a process: thousands of records share them."""
    facts = {sys.intern(name): sys.intern(value) for name, value in record.environment.items()}
    record.__dict__["environment"] = (
        facts  # past the freezing: an equal dictionary takes the place of this one
    )
    return record
