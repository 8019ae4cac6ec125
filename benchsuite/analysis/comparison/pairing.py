"""Which trial of A belongs to which trial of B: equal in everything but what the two selections differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.analysis.comparison.selection import Selection
from benchsuite.analysis.identity import foreign_hardware, model_key, pair_key, task_key
from benchsuite.analysis.validity import exclusion, invalid_timing, is_ranked, problem_reason
from benchsuite.schema import Record


@dataclass(frozen=True)
class Pair:
    """Two ranked records of one trial, or of trials that differ in the selected fields alone.

    free   dotted paths of the fields in which the selections differ
    """

    a: Record
    b: Record
    free: frozenset[str]

    @property
    def task(self) -> str:
        """Equal for pairs whose metrics may be pooled: task, source and options."""
        return task_key(self.a.trial)

    @property
    def model(self) -> str:
        """Equal for pairs of one model, whatever the seed and the backend."""
        return model_key(self.a.trial)

    @property
    def configuration(self) -> str:
        """Equal for pairs that differ in their seed alone."""
        return self.a.trial.configuration_id


@dataclass(frozen=True)
class Pairing:
    """The pairs, and the records that have no partner, each with the reason."""

    pairs: tuple[Pair, ...]
    alone: tuple[tuple[str, Record, str], ...]
    """(`A` or `B`, record, why)."""
    lost: tuple[tuple[Record, str], ...] = ()
    """Trials that A ranks and B ran but does not rank, each with the reason."""

    @property
    def foreign_hardware(self) -> dict[str, tuple[str, str]]:
        """Facts of the hardware in which a pair's two records differ: name -> (A's, B's)."""
        return foreign_hardware((pair.a, pair.b) for pair in self.pairs)

    @property
    def untimed(self) -> list[tuple[str, Record, str]]:
        """Paired records whose timing is refused, so that their speeds are not compared: (`A` or `B`, record,
        why)."""
        return [
            (side, record, problem_reason(record))
            for pair in self.pairs
            for side, record in (("A", pair.a), ("B", pair.b))
            if invalid_timing(record)
        ]


A_HAS_NONE, B_HAS_NONE = "A has no such trial", "B has no such trial"


def pair_records(a: Sequence[Record], b: Sequence[Record], left: Selection, right: Selection) -> Pairing:
    """Pair by every field of the trial but those in which the selections differ, and but those of `protocol`
    that only say how much is measured."""
    free = {path for path in {*left.fields, *right.fields} if left.fields.get(path) != right.fields.get(path)}
    there: dict[str, list[Record]] = {}
    for record in b:
        there.setdefault(pair_key(record.trial, free), []).append(record)
    pairs: list[Pair] = []
    alone: list[tuple[str, Record, str]] = []
    lost: list[tuple[Record, str]] = []
    met: set[str] = set()
    for record in a:
        key = pair_key(record.trial, free)
        partner = _partner(record, there.get(key, []))
        if partner is None:
            alone.append(("A", record, B_HAS_NONE))
            continue
        met.add(key)
        for side, one in (("A", record), ("B", partner)):
            if exclusion(one):
                alone.append((side, one, f"{exclusion(one)}: {problem_reason(one)}"))
        if is_ranked(record) and not is_ranked(partner):
            lost.append((partner, f"{exclusion(partner)}: {problem_reason(partner)}"))
        if is_ranked(record) and is_ranked(partner):
            pairs.append(Pair(record, partner, frozenset(free)))
    alone += [("B", one, A_HAS_NONE) for key, (one, *_) in there.items() if key not in met]
    return Pairing(tuple(pairs), tuple(alone), tuple(lost))


def _partner(record: Record, candidates: Sequence[Record]) -> Record | None:
    """Of records of several machines, that of the record's own machine; else the first one."""
    own = (one for one in candidates if not foreign_hardware([(record, one)]))
    return next(own, candidates[0] if candidates else None)
