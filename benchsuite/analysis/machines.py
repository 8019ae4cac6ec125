"""Which machine a record was made on, and which record of a trial counts there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.analysis.identity import HARDWARE
from benchsuite.schema import Record

UNKNOWN_MACHINE = "unknown machine"


@dataclass(frozen=True)
class Machine:
    """Where trials ran: what tells its hardware from another's. Two machines of equal hardware are one."""

    facts: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """`AMD EPYC 7763 64-Core Processor, 2 cores, AVX2`."""
        known = dict(self.facts)
        parts = [self._processor]
        if "hardware.cores" in known:
            parts.append(f"{known['hardware.cores']} core{'' if known['hardware.cores'] == '1' else 's'}")
        parts += [known.get("hardware.instructions", ""), known.get("hardware.gpu", "")]
        return ", ".join(part for part in parts if part) or UNKNOWN_MACHINE

    @property
    def _processor(self) -> str:
        """`AMD EPYC 7763 64-Core Processor`; `AMD EPYC (family 25 model 1)` where the name has no
        number, as on a virtual machine."""
        known = dict(self.facts)
        name, model = known.get("hardware.cpu", ""), known.get("hardware.cpu_model", "")
        if not model or any(letter.isdigit() for letter in name):
            return name
        return f"{name} ({model})" if name else model


def machine_of(environment: Mapping[str, str]) -> Machine:
    """The machine that an environment's facts describe."""
    return Machine(tuple((name, str(environment[name])) for name in HARDWARE if name in environment))


def described_machine(description: Mapping[str, object]) -> Machine:
    """The machine of the last run of a study. :param description: what its study.json holds."""
    environment = description.get("environment")
    return machine_of(environment) if isinstance(environment, dict) else Machine()


def machines_of(records: Sequence[Record], home: Machine | None = None) -> list[Machine]:
    """The machine of each record.

    A trial that failed before its worker could say where it ran was run at `home`; where that is not known, on
    the machine of the first record that says it.
    """
    own = [machine_of(record.environment) for record in records]
    if home is None or not home.facts:
        home = next((machine for machine in own if machine.facts), Machine())
    return [machine if machine.facts else home for machine in own]


def latest_by_machine(
    records: Iterable[Record], home: Machine | None = None
) -> dict[tuple[str, Machine], Record]:
    """(trial id, machine) -> the trial's latest record there, in the order of the first records. Figures of
    one machine do not replace those of another.

    :param records: oldest first.
    """
    found = list(records)
    pairs = zip(found, machines_of(found, home), strict=True)
    return {(record.trial_id, machine): record for record, machine in pairs}
