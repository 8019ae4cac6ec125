"""What is verified: a study as it was read, with every file beside its journal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchsuite.analysis.machines import latest_by_machine
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.contracts import Damage
from benchsuite.errors import StoreError
from benchsuite.running.store import ARTIFACTS, MERGED, StudyStore, attempt_of
from benchsuite.running.suites import Suite
from benchsuite.schema import Record

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ATTACHED = ("series", "exhibits")


@dataclass(frozen=True)
class Subject:
    """A study that is verified.

    records      every attempt, as the journal has them
    current      the latest record of each trial on each machine, with its curves and exhibits
    description  what study.json holds
    damage       lines of the journal that are no records
    file_faults  what is wrong with the files, a sentence each
    hashed       whether the bundle has hashes of its files, which were compared
    suite        the frozen suite that the trials are compared with
    claimed      whether that suite was asked for, by the caller or by the study
    """

    records: Sequence[Record]
    current: Sequence[Evidence]
    description: Mapping[str, Any]
    damage: Sequence[Damage] = ()
    file_faults: Sequence[str] = ()
    hashed: bool = False
    suite: Suite | None = None
    claimed: bool = False
    now: float = field(default=0.0, kw_only=True)

    @property
    def merged(self) -> Sequence[Mapping[str, Any]]:
        """What study.json says of the studies that were merged to this one."""
        given = self.description.get(MERGED)
        entries = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        return [one for one in entries if isinstance(one.get("machines", []), list)]

    @property
    def well(self) -> list[Evidence]:
        """The records of trials that ended well."""
        return [one for one in self.current if one.ended_well]


def read_evidence(folder: Path) -> tuple[list[Record], list[Evidence], list[Damage], list[str]]:
    """All records of a study's folder, what is known of the current ones, the damage of its journal, and what
    is wrong with its files. Raises StoreError for a folder that is no study."""
    store = StudyStore.open(folder)
    records, damage = store.history()
    faults: list[str] = []
    current = []
    for record in latest_by_machine(records, store.home).values():
        found = Evidence(record)
        try:
            series = store.series(record.trial_id, record.attempt)
            exhibits = store.exhibits(record.trial_id, record.attempt)
        except StoreError as error:
            faults.append(found.fault(str(error).replace(f"{folder}/", "")))
        else:
            found = Evidence(record, {one.name: one for one in series}, exhibits)
            if found.ended_well and not series:
                faults.append(found.fault("has no file of curves"))
        faults += _artifacts(folder, found)
        current.append(found)
    faults += _foreign(folder, [one.record for one in current])
    return records, current, damage, faults


def _artifacts(folder: Path, found: Evidence) -> list[str]:
    """Artifacts are named by the hash of their content."""
    faults = []
    for name, digest in found.record.environment.items():
        if not name.startswith("artifact.") or not found.ended_well:
            continue
        path = folder / ARTIFACTS / digest
        if not _DIGEST.fullmatch(digest):
            faults.append(found.fault(f"{name} is no SHA-256"))
        elif not path.is_file():
            faults.append(found.fault(f"{name} is not among the files"))
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            faults.append(found.fault(f"{name} has other content than its hash says"))
    return faults


def _foreign(folder: Path, records: Sequence[Record]) -> list[str]:
    """Files of curves and exhibits that belong to no record that counts."""
    known = {(record.trial_id, record.attempt) for record in records}
    return [
        f"{part}/{path.name} belongs to no record"
        for part in _ATTACHED
        for path in sorted((folder / part).glob("*"))
        if attempt_of(path) not in known
    ]
