"""The built-in probes, registered like any plugin's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from benchsuite.contracts import Probe
from benchsuite.hookspecs import hookimpl
from benchsuite.measure.probes.energy import ASKED_BY
from benchsuite.schema import Trial


@hookimpl
def benchsuite_probes(trial: Trial) -> Iterable[Probe]:
    from benchsuite.measure.probes.memory import PeakMemory

    if not energy_asked():
        return [PeakMemory()]
    from benchsuite.measure.probes.counters import counters
    from benchsuite.measure.probes.energy import Energy

    return [PeakMemory(), Energy(counters(trial.execution.device)[0])]


@hookimpl
def benchsuite_environment(trial: Trial) -> Mapping[str, str]:
    """Where energy was asked for: `energy.counters` that were read, `energy.missing` with the reason."""
    if not energy_asked():
        return {}
    from benchsuite.measure.probes.counters import counters

    found, problems = counters(trial.execution.device)
    told = {"energy.counters": ", ".join(f"{one.part}: {one.name}" for one in found)}
    return {name: text for name, text in (told | {"energy.missing": "; ".join(problems)}).items() if text}


def energy_asked() -> bool:
    return os.environ.get(ASKED_BY, "") not in ("", "0")
