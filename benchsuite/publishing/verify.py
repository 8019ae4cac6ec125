"""Verifies a study: reads its folder or bundle and asks every rule."""

from __future__ import annotations

from pathlib import Path

from benchsuite.publishing.bundle import unpacked
from benchsuite.publishing.verdict import RuleVerdict, Verification
from benchsuite.running.store import StudyStore


def verify(path: Path, suite: str | None = None) -> Verification:
    """What every rule says of the study in the folder, or in the bundle, at `path`.

    :param suite: the frozen suite that its trials must belong to, `quick@1`; by default the one that they
        belong to, if any.

    Raises StoreError for what is neither a study nor a bundle.
    """
    if path.is_file():
        with unpacked(path) as folder:
            return Verification(path.name, suite, _rules(folder))
    return Verification(path.name, suite, _rules(path))


def _rules(folder: Path) -> tuple[RuleVerdict, ...]:
    records, damage = StudyStore.open(folder).history()
    if damage:
        told = tuple(one.sentence(folder.name) for one in damage)
        return (RuleVerdict("journal", "fail", f"{len(damage)} lines of the journal are damaged", told),)
    return (RuleVerdict("journal", "pass", f"{len(records)} records, no damaged line"),)
