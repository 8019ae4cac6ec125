"""Where records come from: machine, data, code; one story for all records of a study."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchsuite.analysis.identity import task_key
from benchsuite.analysis.machines import Machine, described_machine, machine_of
from benchsuite.analysis.verification.evidence import Evidence

NEEDED_FACTS = (
    "hardware.cpu",
    "hardware.cores",
    "hardware.logical_cores",
    "system.platform",
    "python.version",
)
"""Facts without which nobody knows where a record was made."""
MACHINE_MEMORY = "hardware.memory_bytes"
SAME_MEMORY = 0.1
"""Share by which the memory of one machine may differ: a kernel keeps more or less of it for itself."""
FIXED_FACTS = ("system.machine",)
"""Facts that stay as they are on one machine."""
_DIGEST, _FINGERPRINT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{16}")


def machine_faults(
    all_found: Sequence[Evidence], description: Mapping[str, Any], merged: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Records that do not say where they were made, that were made on a machine of which the study does not
    speak, or that contradict other records of their machine.

    :param description: what study.json holds. :param merged: what it says of the studies that were merged.
    """
    told = {described_machine(description).name} if not merged else set()
    told |= {str(name) for one in merged for name in one.get("machines", ())}
    seen: dict[Machine, Evidence] = {}
    for found in all_found:
        facts = found.record.environment
        if not found.ended_well:
            continue
        if missing := [name for name in NEEDED_FACTS if not facts.get(name)]:
            yield found.fault(f"does not say where it was made: {', '.join(missing)}")
            continue
        machine = machine_of(facts)
        if machine.name not in told:
            yield found.fault(f"was made on {machine.name}; the study names {', '.join(sorted(told))}")
            continue
        first = seen.setdefault(machine, found)
        yield from _contradictions(found, first)


def _contradictions(found: Evidence, first: Evidence) -> Iterator[str]:
    facts, known = found.record.environment, first.record.environment
    for name in FIXED_FACTS:
        if facts.get(name) != known.get(name):
            yield found.fault(
                f"{name} is {facts.get(name)}, and {known.get(name)} in {first.record.trial_id}"
            )
    here, there = _number(facts.get(MACHINE_MEMORY)), _number(known.get(MACHINE_MEMORY))
    if here and there and abs(here - there) > SAME_MEMORY * max(here, there):
        yield found.fault(
            f"its machine has {here / 2**30:.1f} GiB of memory, and {there / 2**30:.1f} GiB in "
            f"{first.record.trial_id}"
        )


def _number(text: str | None) -> float:
    return float(text) if text and text.isdecimal() else 0.0


def data_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Records that do not name the data that they used, or that used others than the rest of their task on
    their machine: data that a formula makes of real numbers differ in the last digits between processors."""
    first: dict[tuple[str, Machine], Evidence] = {}
    for found in all_found:
        if not found.ended_well:
            continue
        digest = found.record.environment.get("data.sha256", "")
        if not _DIGEST.fullmatch(digest):
            yield found.fault("does not name its data by hash")
            continue
        place = (task_key(found.record.trial), machine_of(found.record.environment))
        other = first.setdefault(place, found)
        if other.record.environment["data.sha256"] != digest:
            yield found.fault(f"used other data than {other.record.trial_id} of the same task")


def baseline_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Baselines, the ranking metric and its direction are those of a task; they differ between no two of its
    records."""
    first: dict[str, Evidence] = {}
    for found in all_found:
        if not found.ended_well:
            continue
        other = first.setdefault(task_key(found.record.trial), found)
        for name, value, known in (
            ("baselines", _text(found.record.baselines), _text(other.record.baselines)),
            ("ranking metric", found.record.primary, other.record.primary),
            ("direction", found.record.higher_is_better, other.record.higher_is_better),
        ):
            if value != known:
                yield found.fault(
                    f"its {name} differ from those of {other.record.trial_id}, of the same task"
                )


def _text(baselines: Mapping[str, Mapping[str, float]]) -> str:
    rounded = {
        name: {metric: f"{value:.9g}" for metric, value in metrics.items()}
        for name, metrics in baselines.items()
    }
    return json.dumps(rounded, sort_keys=True)


def fingerprint_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Records without a fingerprint; and those of one backend, task, source, cell and Python on one machine
    that were measured by different code or versions."""
    found_by: dict[tuple[object, ...], dict[str, Evidence]] = defaultdict(dict)
    for found in all_found:
        if not found.ended_well:
            continue
        record = found.record
        if not _FINGERPRINT.fullmatch(record.fingerprint):
            yield found.fault("has no fingerprint of the code that measured it")
            continue
        trial = record.trial
        kind: tuple[object, ...] = (
            trial.backend, trial.task, trial.source, trial.cell,
            record.environment.get("python.version"), machine_of(record.environment),
        )  # fmt: skip
        found_by[kind].setdefault(record.fingerprint, found)
    for kind, several in found_by.items():
        if len(several) > 1:
            names = ", ".join(one.record.trial_id for one in several.values())
            what = " ".join(map(str, kind[:4]))
            yield f"records of {what} were measured by {len(several)} versions of the code, such as {names}"
