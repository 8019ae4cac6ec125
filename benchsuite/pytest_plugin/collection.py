"""A matrix as a collector: for every trial an item parity[...] and an item speed[...]."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchsuite.analysis.identity import varying, words
from benchsuite.errors import BenchsuiteError
from benchsuite.pytest_plugin import items
from benchsuite.pytest_plugin.racers import measured_seconds
from benchsuite.running.matrix import FIELDS, Expansion
from benchsuite.schema import Trial


class MatrixItems(pytest.Module):
    """The items of one matrix. Raises CollectError, with the matrix' problems, where it cannot be read."""

    def __init__(self, *, request: str | Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._request = request
        self._expansion = Expansion(())

    @classmethod
    def named(cls, session: pytest.Session, request: str) -> MatrixItems:
        """The matrix that the option --benchsuite names: `smoke`, or a TOML file."""
        made: MatrixItems = cls.from_parent(
            session, path=session.config.rootpath / request, nodeid=request, name=request, request=request
        )
        return made

    def _getobj(self) -> ModuleType:
        """The module that holds the two functions; there is no module at the matrix' own path."""
        return items

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        from benchsuite.pytest_plugin.requests import expansion_of

        filters = {name: self.config.getoption(f"--benchsuite-{name}") for name in FIELDS}
        try:
            self._expansion = expansion_of(self._request, filters, self.config.getoption("--benchsuite-set"))
        except BenchsuiteError as error:
            raise self.CollectError(str(error)) from None
        return super().collect()

    def funcnamefilter(self, name: str) -> bool:
        return name in ("parity", self._speed)

    def classnamefilter(self, _name: str) -> bool:
        return False

    @property
    def _speed(self) -> str:
        return "speed" if self.config.pluginmanager.hasplugin("benchmark") else "speed_without_benchmark"

    def benchsuite_trials(self, function: str) -> list[Any]:
        """The trials as parameters of the function, each with its id and its marks."""
        trials, skipped = self._expansion.trials, self._expansion.skipped
        names = _names([*trials, *(skip.trial for skip in skipped)])
        marked = function == "speed"
        return [
            *(pytest.param(one, id=names[one.id], marks=_marks(self.config, one, marked)) for one in trials),
            *(
                pytest.param(skip.trial, id=names[skip.trial.id], marks=pytest.mark.skip(reason=skip.reason))
                for skip in skipped
            ),
        ]


def _marks(config: pytest.Config, trial: Trial, speed: bool) -> list[pytest.MarkDecorator]:
    if not speed:
        return []
    group = f"{trial.task}/{trial.cell}"
    if config.pluginmanager.hasplugin("codspeed"):  # has clocks of its own
        return [pytest.mark.benchmark(group=group)]
    return [pytest.mark.benchmark(group=group, timer=measured_seconds)]


def _names(trials: list[Trial]) -> dict[str, str]:
    """`adding/lstm/plain/torch`, and what else tells trials of one such name apart."""
    told = list(varying(trials, lambda _path: True, _name))
    return {one.id: " ".join([_name(one), *words(one, told)]) for one in trials}


def _name(trial: Trial) -> str:
    return f"{trial.task}/{trial.cell}/{trial.architecture}/{trial.backend}"
