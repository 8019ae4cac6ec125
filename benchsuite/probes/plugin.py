"""The built-in probes, registered like any plugin's."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.contracts import Probe
from benchsuite.hookspecs import hookimpl
from benchsuite.spec import Trial


@hookimpl
def benchsuite_probes(trial: Trial) -> Iterable[Probe]:  # noqa: ARG001 - pluggy wants the spec's names
    from benchsuite.probes.memory import PeakMemory

    return [PeakMemory()]
