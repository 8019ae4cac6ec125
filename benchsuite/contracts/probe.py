"""Probe: measures something around a phase of a trial, inside its worker."""

from __future__ import annotations

import abc
from collections.abc import Callable
from types import TracebackType

from benchsuite.schema.texts import described

PHASES = ("load", "calibrate", "build", "parity", "train", "evaluate", "time")


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
    """Runs a phase inside every probe: `with Phase(probes, "train"): ...`.

    A probe that raises is taken out of `probes` and named in `problems`; the trial goes on without it.
    """

    def __init__(self, probes: list[Probe], name: str, problems: dict[str, str] | None = None) -> None:
        self._probes, self._name = probes, name
        self._problems = {} if problems is None else problems

    def __enter__(self) -> None:
        for probe in list(self._probes):
            self._guarded(probe, probe.enter)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for probe in reversed(list(self._probes)):
            self._guarded(probe, probe.leave)

    def _guarded(self, probe: Probe, call: Callable[[str], None]) -> None:
        try:
            call(self._name)
        except Exception as error:  # a plugin's probe may fail in any way
            self._probes.remove(probe)
            self._problems[type(probe).__qualname__] = described(error)
