"""What a run shows while it runs: a live display in a terminal, one line per trial elsewhere."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchsuite.analysis.validity import is_failure, problem, problem_reason
from benchsuite.contracts import Finished, Notice, Progress, Started, StudyInfo
from benchsuite.report.formatting import format_duration, format_value
from benchsuite.running.matrix import Action, Plan
from benchsuite.running.study import Begun, StudyEvent, Warned
from benchsuite.schema import Record, Status, Trial

STYLES = {Status.OK: "green", Status.SKIPPED: "dim", Status.DIVERGED: "yellow"}


@dataclass
class Running:
    """One trial at work: since when (seconds of the tracker's clock), and its latest progress."""

    trial: Trial
    since: float
    latest: Progress | None = None


@dataclass
class RunState:
    """What is known of a run from its events alone."""

    clock: Callable[[], float] = time.monotonic
    done: int = 0
    counts: dict[Status, int] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    """Why trials that ended well do not count, as analysis.validity.problem() says it."""
    began: float = 0.0
    due: frozenset[str] = frozenset()
    """Ids of the trials that were to run when the run began."""
    study: StudyInfo | None = None
    """The study that runs, once it has begun."""

    @property
    def total(self) -> int:
        return len(self.due)

    def update(self, event: StudyEvent) -> None:
        if isinstance(event, Begun):
            self.study = event.study
            self.due = frozenset(item.trial.id for item in event.plan.of("run"))
        elif isinstance(event, Started):
            if not self.done and not self.running:  # what plugins do before the first trial is no pace
                self.began = self.clock()
            self.running[event.trial.id] = Running(event.trial, self.clock())
        elif isinstance(event, Progress):
            self.running.setdefault(event.trial.id, Running(event.trial, self.clock())).latest = event
        elif isinstance(event, Finished) and event.record.trial_id in self.due:
            self.running.pop(event.record.trial_id, None)
            self.done += 1
            status = event.record.status
            self.counts[status] = self.counts.get(status, 0) + 1
            if status is Status.OK and (kind := problem(event.record)):
                self.problems[kind] = self.problems.get(kind, 0) + 1

    def label(self, trial: Trial) -> str:
        """What the trial is called in its study."""
        return trial.label if self.study is None else self.study.label(trial)

    @property
    def elapsed(self) -> float:
        return self.clock() - self.began

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first trial has ended."""
        if not self.done:
            return None
        return self.elapsed / self.done * max(self.total - self.done, 0)

    def tally(self) -> str:
        """`12 ok, 1 failed, 1 parity breach`."""
        return ", ".join(f"{count} {word}" for word, count in (self.counts | self.problems).items())


class PlainDisplay:
    """One line for every trial that ended: for logs, files and pipes."""

    def __init__(self, stream: IO[str]) -> None:
        self.state = RunState()
        self._stream = stream

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(self, *error: object) -> None:
        del error

    def __call__(self, event: StudyEvent) -> None:
        self.state.update(event)
        match event:
            case Warned(message):
                print(f"warning: {message}", file=sys.stderr)
            case Notice(message):
                self._say(message)
            case Begun(study, plan):
                self._say(begun_line(study.name, plan))
            case Finished(record) if record.trial_id in self.state.due:
                width = len(str(self.state.total))
                count = f"[{self.state.done:{width}}/{self.state.total}]"
                self._say(f"{count} {finished_line(record, self.state.label(record.trial))}")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveDisplay:
    """A bar, the tally, the time left, and a line for every running trial; failures scroll above it."""

    def __init__(self, console: Console) -> None:
        self.state = RunState()
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._render)

    def __enter__(self) -> LiveDisplay:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: StudyEvent) -> None:
        self.state.update(event)
        match event:
            case Warned(message):
                self._live.console.print(Text(f"warning: {message}", style="yellow"))
            case Notice(message):
                self._live.console.print(Text(message))
            case Begun(study, plan):
                self._live.console.print(begun_line(study.name, plan))
            case Finished(record) if record.trial_id in self.state.due and noteworthy(record):
                style = "red" if is_failure(record) else STYLES.get(record.status, "yellow")
                line = finished_line(record, self.state.label(record.trial))
                self._live.console.print(Text(line, style=style))

    def _render(self) -> RenderableType:
        state = self.state
        if not state.due:
            return Text("asking the backends what they can run ...", style="dim")
        head = Table.grid(padding=(0, 1))
        left = state.seconds_left
        head.add_row(
            ProgressBar(total=max(state.total, 1), completed=state.done, width=30),
            f"{state.done}/{state.total} trials",
            Text(f"{format_duration(left)} left" if left is not None else "", style="bold"),
            Text(state.tally(), style="dim"),
        )
        rows = Table.grid(padding=(0, 2))
        if state.done >= state.total:
            rows.add_row(Text("finishing: plugins have the last word ...", style="dim"))
        for running in state.running.values():
            rows.add_row(
                Text(state.label(running.trial), style="cyan", overflow="ellipsis", no_wrap=True),
                progress_words(running.latest),
                Text(format_duration(state.clock() - running.since), style="dim"),
            )
        return Group(head, rows)


RunDisplay = PlainDisplay | LiveDisplay


def display(console: Console) -> RunDisplay:
    """The live display where the console is a terminal, plain lines elsewhere."""
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console.file)


class SilentDisplay:
    """Shows nothing; what ought to be known is a Python warning."""

    def __enter__(self) -> SilentDisplay:
        return self

    def __exit__(self, *error: object) -> None:
        del error

    def __call__(self, event: StudyEvent) -> None:
        if isinstance(event, Warned):
            warnings.warn(event.message, stacklevel=2)


PROGRESS_VARIABLE = "BENCHSUITE_PROGRESS"


def watching(progress: bool | None) -> AbstractContextManager[Callable[[StudyEvent], None]]:
    """What shows a run that a program started. Progress belongs to standard error: what a program prints can
    be piped.

    :param progress: None shows it in a terminal and in a notebook, unless BENCHSUITE_PROGRESS=0; True
        everywhere; False nowhere.
    """
    from benchsuite.api.notebook_progress import NotebookDisplay, in_notebook

    if progress is None and os.environ.get(PROGRESS_VARIABLE) == "0":
        progress = False
    if progress is False:
        return SilentDisplay()
    if in_notebook():
        return NotebookDisplay()
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        return LiveDisplay(console)
    return PlainDisplay(sys.stderr) if progress else SilentDisplay()


def begun_line(name: str, plan: Plan) -> str:
    """`study quick: 116 trials to run, 4 recorded already, 3 skipped, about 8 min 20 s`."""
    actions: tuple[Action, ...] = ("run", "fresh", "fail", "skip", "left")
    runs, fresh, fails, skips, left = (len(plan.of(action)) for action in actions)
    words = [f"{runs} trial{'' if runs == 1 else 's'} to run"]
    words += [f"{fresh} recorded already"] if fresh else []
    words += [f"{fails} failed before the start"] if fails else []
    words += [f"{skips} skipped"] if skips else []
    words += [f"{left} not recorded and left alone"] if left else []
    if runs and plan.seconds is not None:
        words.append(f"about {format_duration(plan.seconds)}")
    if runs and plan.jobs > 1:
        words.append(f"{plan.jobs} at a time")
    return f"study {name}: {', '.join(words)}"


def noteworthy(record: Record) -> bool:
    """Whether the record is one that a person should see at once."""
    return bool(problem(record))


def finished_line(record: Record, label: str) -> str:
    """`ok  TRIAL  accuracy 0.967  3.2 s`, with what is wrong with the record in place of the metric or behind
    it.

    :param label: what the trial is called in its study.
    """
    what = ""
    if record.status is Status.OK:
        value = record.scalars.get(f"test/{record.primary}")
        what = f"{record.primary} {format_value(value)}" if value is not None else ""
    if kind := problem(record):
        reason = problem_reason(record)
        what += f"  {kind.upper()}: {reason}" if record.status is Status.OK else reason
    seconds = record.finished - record.started
    took = format_value(seconds, form="seconds") if seconds > 0 else ""
    return "  ".join(part for part in (f"{record.status:8}", label, what.strip(), took) if part)


def progress_words(latest: Progress | None) -> str:
    """`train  epoch 2/10  loss 0.41  metric 0.88`."""
    if latest is None:
        return "starting"
    words = [latest.phase]
    if latest.epochs:
        words.append(f"epoch {latest.epoch}/{latest.epochs}")
    if latest.loss is not None:
        words.append(f"loss {format_value(latest.loss)}")
    if latest.metric is not None:
        words.append(f"metric {format_value(latest.metric)}")
    return "  ".join(words)
