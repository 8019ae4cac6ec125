"""Machines that a study names, data by machine, and code that is one for all records of a kind."""

from __future__ import annotations

from typing import Any

from fixtures.planted import planted

from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.analysis.verification.provenance import data_faults, fingerprint_faults, machine_faults

HERE = {
    "hardware.cpu": "Example 9000", "hardware.cores": "8", "hardware.logical_cores": "16",
    "system.platform": "Linux", "python.version": "3.11.7", "data.sha256": "a" * 64,
}  # fmt: skip
THERE = HERE | {"hardware.cpu": "Another 100", "data.sha256": "b" * 64}


def made(facts: dict[str, str], fingerprint: str = "0" * 16, **fields: Any) -> Evidence:
    record = planted(0.9, **fields)
    return Evidence(record.model_copy(update={"environment": facts, "fingerprint": fingerprint}))


def test_a_merged_study_names_the_machines_of_its_parts() -> None:
    both = [made(HERE), made(THERE, backend="torch")]
    merged = [{"machines": ["Example 9000, 8 cores"]}, {"machines": ["Another 100, 8 cores"]}]
    assert not list(machine_faults(both, {}, merged))
    assert len(list(machine_faults(both, {}, merged[:1]))) == 1
    assert len(list(machine_faults(both, {"environment": HERE}, []))) == 1


def test_data_are_compared_on_each_machine() -> None:
    """What a formula makes of real numbers differs in its last digits between processors."""
    assert not list(data_faults([made(HERE), made(THERE, seed=1)]))
    assert len(list(data_faults([made(HERE), made(HERE | {"data.sha256": "b" * 64}, seed=1)]))) == 1


def test_another_version_of_python_is_another_fingerprint() -> None:
    newer = HERE | {"python.version": "3.13.0"}
    assert not list(fingerprint_faults([made(HERE), made(newer, "1" * 16, seed=1)]))
    assert not list(fingerprint_faults([made(HERE), made(HERE, "1" * 16, backend="torch")]))
    assert len(list(fingerprint_faults([made(HERE), made(HERE, "1" * 16, seed=1)]))) == 1
