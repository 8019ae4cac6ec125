"""Probe: measures something around a phase of a trial, inside its worker."""

from __future__ import annotations

import abc
from types import TracebackType

PHASES = ("load", "build", "parity", "train", "evaluate", "time")


class Probe(abc.ABC):
    """Entered before a phase (`load`, `build`, `parity`, `train`, `evaluate`, `time`) and left after it."""

    @abc.abstractmethod
    def enter(self, phase: str) -> None:
        """The phase begins."""

    @abc.abstractmethod
    def leave(self, phase: str) -> None:
        """The phase ended, well or not."""

    @abc.abstractmethod
    def scalars(self) -> dict[str, float]:
        """What was measured, by record name (`memory/train_peak_bytes`); asked once, at the end."""


class Phase:
    """Runs a phase inside every probe: `with Phase(probes, "train"): ...`."""

    def __init__(self, probes: list[Probe], name: str) -> None:
        self._probes, self._name = probes, name

    def __enter__(self) -> None:
        for probe in self._probes:
            probe.enter(self._name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for probe in reversed(self._probes):
            probe.leave(self._name)
