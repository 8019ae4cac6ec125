"""Which trials are not ranked or have their timing refused, each with its kind and reason, gravest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchsuite.analysis.seeds import aggregate
from benchsuite.analysis.validity import GRAVEST_FIRST, exclusion, problem, problem_reason
from benchsuite.schema import Record, Status

OTHER_SEED = "another seed"


@dataclass(frozen=True)
class Excluded:
    """Records that are kept out of rankings, or whose timing is refused, for one reason.

    kind    `failed`, `parity breach`, `cached` ..., or `another seed`
    reason  one sentence, never blank
    """

    kind: str
    reason: str
    records: tuple[Record, ...]

    @property
    def is_grave(self) -> bool:
        """Whether it is a fault, and not a result (diverged) or a known limit (skipped)."""
        return self.kind not in (str(Status.DIVERGED), str(Status.SKIPPED), OTHER_SEED)


def exclusions(records: Iterable[Record]) -> list[Excluded]:
    """Everything about these records that is not ranked or not timed, by kind and reason.

    A configuration is ranked where all of its seeds are: to leave out a seed that failed or diverged would
    flatter it. Its other seeds are listed under `another seed`.
    """
    found = list(records)
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in found:
        kind = problem(record)
        if kind:
            groups.setdefault((kind, problem_reason(record)), []).append(record)
    for group in aggregate(found):
        lost = [record for record in group.records if exclusion(record)]
        for record in group.records if lost else ():
            if not exclusion(record):
                seeds = ", ".join(f"seed {one.trial.seed} is {exclusion(one)}" for one in lost)
                groups.setdefault((OTHER_SEED, f"of the same configuration, {seeds}"), []).append(record)
    made = [Excluded(kind, reason, tuple(members)) for (kind, reason), members in groups.items()]
    return sorted(made, key=lambda one: (_gravity(one.kind), -len(one.records)))


def _gravity(kind: str) -> int:
    return GRAVEST_FIRST.index(kind) if kind in GRAVEST_FIRST else len(GRAVEST_FIRST)
