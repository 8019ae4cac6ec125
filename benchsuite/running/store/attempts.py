"""Which attempt's files are read of a trial, and which attempt a file beside the journal belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.analysis.machines import Machine, latest_by_machine, machine_of
from benchsuite.schema import Record

_BESIDE = re.compile(r"(?P<trial>[0-9a-f]{16})(\.(?P<attempt>[0-9a-f]{8}))?\.[a-z][a-z0-9]*")


@dataclass
class Attempts:
    """The attempts whose files are read.

    latest      trial id -> the attempt of its latest record
    by_machine  (trial id, machine) -> that of its latest record there
    home        where records come from that do not say where they ran
    """

    latest: dict[str, str]
    by_machine: dict[tuple[str, Machine], str]
    home: Machine

    @classmethod
    def of(cls, records: Sequence[Record], home: Machine) -> Attempts:
        """:param records: oldest first."""
        current = latest_by_machine(records, home)
        return cls(
            {record.trial_id: record.attempt for record in records},
            {key: record.attempt for key, record in current.items()},
            home,
        )

    @property
    def kept(self) -> set[tuple[str, str]]:
        """(trial id, attempt) of every record whose files are read."""
        return {(trial_id, attempt) for (trial_id, _), attempt in self.by_machine.items()}

    def replace(self, record: Record) -> str | None:
        """Make the record the latest one; gives the attempt whose place it takes on its machine, if any."""
        machine = machine_of(record.environment)
        machine = machine if machine.facts else self.home
        unknown = self.by_machine.pop((record.trial_id, Machine()), None)
        before = self.by_machine.get((record.trial_id, machine), unknown)
        self.latest[record.trial_id] = self.by_machine[record.trial_id, machine] = record.attempt
        return before


def attempt_of(path: Path) -> tuple[str, str] | None:
    """Trial id and attempt of the record that a file of curves or exhibits belongs to, by its name; None where
    that says none."""
    found = _BESIDE.fullmatch(path.name)
    return None if found is None else (found["trial"], found["attempt"] or "")
