"""What a run shows in a notebook: one output that changes while the run goes on."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

from benchsuite.api.progress import RunState, begun_line, finished_line, noteworthy, progress_words
from benchsuite.contracts import Finished
from benchsuite.report.formatting import format_duration
from benchsuite.running.study import Begun, StudyEvent, Warned

REFRESH_SECONDS = 0.25
MOST_SHOWN_LINES = 20
"""Warnings and failures that are shown, the last ones."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is not imported for the answer."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


class NotebookDisplay:
    """A bar, the tally, the time left, and a line for every running trial; failures stay below."""

    def __init__(self) -> None:
        self.state = RunState()
        self._lines: list[str] = []
        self._head, self._shown, self._over = "", 0.0, False
        self._handle: Any = None

    def __enter__(self) -> NotebookDisplay:
        from IPython.display import display

        self._handle = display(self, display_id=True)
        return self

    def __exit__(self, *error: object) -> None:
        del error
        self._over = True
        self._handle.update(self)

    def __call__(self, event: StudyEvent) -> None:
        self.state.update(event)
        match event:
            case Warned(message):
                self._lines.append(f"warning: {message}")
            case Begun(study, plan):
                self._head = begun_line(study.name, plan)
            case Finished(record) if record.trial_id in self.state.due and noteworthy(record):
                self._lines.append(finished_line(record, self.state.label(record.trial)))
        if time.monotonic() - self._shown > REFRESH_SECONDS:
            self._shown = time.monotonic()
            self._handle.update(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.as_html(), "text/plain": self._head}

    def as_html(self) -> str:
        """What is shown now."""
        state, lines = self.state, self._lines[-MOST_SHOWN_LINES:]
        told = [html.escape(self._head or "asking the backends what they can run ...")]
        if state.due:
            left = state.seconds_left
            words = [f"{state.done}/{state.total} trials", state.tally()]
            if not self._over and left is not None:
                words.append(f"{format_duration(left)} left")
            bar = f"<progress max='{max(state.total, 1)}' value='{state.done}'></progress> "
            told.append(bar + html.escape(", ".join(word for word in words if word)))
        if not self._over:
            told += [
                html.escape(f"{state.label(one.trial)}: {progress_words(one.latest)}")
                for one in state.running.values()
            ]
        return "<br>".join([*told, *map(html.escape, lines)])
