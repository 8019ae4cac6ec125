"""What a check shows while it runs: a live line in a terminal, a line every some seconds elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from benchsuite.measure.worker.channel import CaseResult, CaseStarted

LINE_SECONDS = 10.0
"""How often a line is printed where there is no terminal."""


@dataclass
class CheckState:
    """How far a check is.

    total  cases in all, those that were kept from an earlier run among them; 0 before it is known
    """

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    kept: int = 0
    done: int = 0
    failed: int = 0
    running: CaseStarted | None = None
    began: float | None = None
    """When the first case began: what comes before is no pace."""
    since: float = 0.0

    def update(self, event: CaseStarted | CaseResult) -> None:
        """A case has begun or ended."""
        from benchsuite.measure.worker.channel import CaseStarted

        if isinstance(event, CaseStarted):
            self.running, self.since = event, self.clock()
            self.began = self.since if self.began is None else self.began
        else:
            self.running = None
            self.done += 1
            self.failed += event.status == "failed"

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first case has ended."""
        if not self.done or self.began is None:
            return None
        return (self.clock() - self.began) / self.done * max(self.total - self.kept - self.done, 0)

    def line(self) -> str:
        """`120 of 926 checked, 2 failed, 3 min 5 s left; now gradients[lstm-plain] dynamic (12 s)`."""
        from benchsuite.report.formatting import format_duration

        if not self.total:
            return "loading"
        words = [f"{self.kept + self.done} of {self.total} checked"]
        words += [f"{self.failed} failed"] if self.failed else []
        left = self.seconds_left
        words += [f"{format_duration(left)} left"] if left is not None else []
        now = ""
        if self.running is not None:
            took = format_duration(self.clock() - self.since)
            now = f"; now {case_name(self.running.check, self.running.unroll)} ({took})"
        return ", ".join(words) + now


def case_name(check: str, unroll: str) -> str:
    """`gradients[lstm-plain] dynamic`."""
    return f"{check} {unroll}".rstrip()


@dataclass
class PlainProgress:
    """A line on standard error every LINE_SECONDS, also while a case takes long."""

    state: CheckState = field(default_factory=CheckState)
    seconds: float = LINE_SECONDS
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> CheckState:
        self._thread = threading.Thread(target=self._print, daemon=True)
        self._thread.start()
        return self.state

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _print(self) -> None:
        while not self._over.wait(self.seconds):
            try:
                typer.echo(self.state.line(), err=True)
            except (OSError, ValueError):  # the reader has gone: the check goes on without it
                return


@dataclass
class LiveProgress:
    """A line at the bottom of the terminal, four times a second."""

    state: CheckState = field(default_factory=CheckState)

    def __enter__(self) -> CheckState:
        from rich.live import Live
        from rich.text import Text

        from benchsuite.cli.output import console

        self._live = Live(
            console=console(),
            refresh_per_second=4,
            transient=True,
            get_renderable=lambda: Text(self.state.line(), style="dim", overflow="ellipsis", no_wrap=True),
        )
        self._live.__enter__()
        return self.state

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


def progress(json: bool) -> PlainProgress | LiveProgress:
    """The live line where standard output is a terminal that shows no JSON; plain lines elsewhere."""
    from benchsuite.cli.output import console

    return LiveProgress() if not json and console().is_terminal else PlainProgress()
