"""What a race shows while it runs: a bar in a terminal, one line per race elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from benchsuite import contracts
from benchsuite.cli.output import warn
from benchsuite.running.races.rotation import Retired
from benchsuite.running.races.runner import GroupStarted, RaceEvent, RoundFinished


class RaceDisplay:
    """Hears the events of run_races()."""

    def __init__(self, console: Console, races: int, quiet: bool = False) -> None:
        """`quiet` says nothing at all: what is printed is for programs."""
        self._console, self._races, self._quiet = console, races, quiet
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(), console=console, transient=True, disable=quiet or not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, state="")

    def __enter__(self) -> RaceDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: RaceEvent) -> None:
        match event:
            case GroupStarted(number, group):
                line = f"race {number}/{self._races}: {group.name}, {len(group.racers)} racers"
                self._bar.reset(self._task, description=line, total=None, state="loading")
                if not (self._quiet or self._console.is_terminal):
                    self._console.print(line, markup=False)
            case contracts.Progress(trial, phase):
                self._bar.update(self._task, state=f"{phase}: {trial.backend} {trial.execution.unroll}")
            case RoundFinished(number, of):
                self._bar.update(self._task, total=of, completed=number, state=f"round {number}/{of}")
            case Retired(racer, number, reason):
                warn(f"{racer} is out in round {number + 1}: {reason}")
