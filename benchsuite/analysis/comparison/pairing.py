"""Which trial of A belongs to which trial of B: equal in everything but what the two selections differ in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchsuite.analysis.comparison.selection import Selection
from benchsuite.schema import Record
from benchsuite.schema.fields import flatten

HARDWARE = ("hardware.cpu", "hardware.cores", "hardware.logical_cores", "hardware.gpu")
"""Facts of a record's environment that must agree before speeds are compared."""


@dataclass(frozen=True)
class Pair:
    """Two ranked records of one trial, or of trials that differ in the selected fields alone.

    key    all other fields of the trial as text; model is the key without backend and execution
    """

    a: Record
    b: Record
    key: str
    model: str

    @property
    def section(self) -> str:
        """What its metric may be pooled with: task, source and options."""
        trial = self.a.trial
        told = "" if not trial.options else " " + json.dumps(trial.options, sort_keys=True)
        return f"{trial.task} / {trial.source}{told}"


@dataclass(frozen=True)
class Pairing:
    """The pairs, and the records that have no partner, each with the reason."""

    pairs: tuple[Pair, ...]
    alone: tuple[tuple[str, Record, str], ...]
    """(`A` or `B`, record, why)."""

    @property
    def foreign_hardware(self) -> dict[str, tuple[str, str]]:
        """Facts of the hardware in which a pair's two records differ: name -> (A's, B's)."""
        found: dict[str, tuple[str, str]] = {}
        for pair in self.pairs:
            for name in hardware_facts(pair.a, pair.b):
                here, there = pair.a.environment.get(name, "?"), pair.b.environment.get(name, "?")
                if here != there:
                    found[name] = (here, there)
        return found


def hardware_facts(*records: Record) -> list[str]:
    """Names of the environment's facts that tell one machine from another."""
    return sorted({name for record in records for name in record.environment if name in HARDWARE})


def pair_records(a: Sequence[Record], b: Sequence[Record], left: Selection, right: Selection) -> Pairing:
    """Pair by every field of the trial but those in which the selections differ."""
    free = {path for path in {*left.fields, *right.fields} if left.fields.get(path) != right.fields.get(path)}
    there: dict[str, Record] = {}
    for record in b:
        there.setdefault(_key(record, free), record)
    pairs, alone, met = [], [], set()
    for record in a:
        key = _key(record, free)
        partner = there.get(key)
        if partner is None:
            alone.append(("A", record, "B has no such trial"))
            continue
        met.add(key)
        for side, one in (("A", record), ("B", partner)):
            if not one.ranked:
                alone.append((side, one, one.reason or f"status {one.status}, parity not proved"))
        if record.ranked and partner.ranked:
            pairs.append(Pair(record, partner, key, _key(record, free, model=True)))
    alone += [("B", one, "A has no such trial") for key, one in there.items() if key not in met]
    return Pairing(tuple(pairs), tuple(alone))


def _key(record: Record, free: Iterable[str], model: bool = False) -> str:
    fields: dict[str, Any] = dict(flatten(record.trial.model_dump(mode="json")))
    for path in free:
        fields.pop(path, None)
    if model:  # backends run the same mathematics, so that their metrics are no independent measurements
        fields = {
            path: value
            for path, value in fields.items()
            if path != "backend" and (not path.startswith("execution.") or path == "execution.precision")
        }
    return json.dumps(fields, sort_keys=True)
