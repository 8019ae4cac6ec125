"""What happens on a node, as lines of JSON in a file that grows: written by the node, read by the driver."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from benchsuite.contracts import Progress, Started
from benchsuite.running.cluster.runs import EVENTS
from benchsuite.running.study.events import StudyEvent, Warned

TOLD_SECONDS = 1.0
"""How often a trial's progress is told: every line is sent through a shared file system."""
_FIELDS = ("phase", "epoch", "epochs", "loss", "metric")


def events_path(attempt: Path) -> Path:
    """Where the events of an attempt are told, given the folder of its study."""
    return attempt.with_name(attempt.name + EVENTS)


class EventLog:
    """Writes the events of one attempt."""

    def __init__(self, attempt: Path) -> None:
        self._file = events_path(attempt).open("ab", buffering=0)
        self._told: dict[str, float] = {}

    def __call__(self, event: StudyEvent) -> None:
        """Tell what the driver shows. Records are in the journal and are not told here."""
        match event:
            case Started(trial):
                self._told.pop(trial.id, None)
                self.tell("started", trial=trial.id)
            case Progress(trial):
                now = time.monotonic()
                if now >= self._told.get(trial.id, -TOLD_SECONDS) + TOLD_SECONDS:
                    self._told[trial.id] = now
                    self.tell("progress", trial=trial.id, **{name: getattr(event, name) for name in _FIELDS})
            case Warned(message):
                self.tell("warned", text=message)
            case _:
                pass

    def tell(self, kind: str, **facts: Any) -> None:
        """Append a line. `ended` says that the attempt has a record of every trial that it was to run; `failed`
        that it could not go on, and why."""
        os.write(self._file.fileno(), json.dumps({"kind": kind, **facts}).encode() + b"\n")

    def close(self) -> None:
        """Wait until all of it is on the disk."""
        os.fsync(self._file.fileno())
        self._file.close()


class Tail:
    """The whole lines that are new in a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._place = path, 0

    def lines(self) -> list[bytes]:
        """Those since the last call; none while there is no file."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content.rfind(b"\n") + 1
        self._place += whole
        return content[:whole].split(b"\n")[:-1]


def read_line(line: bytes) -> dict[str, Any]:
    """What a line tells; nothing where it cannot be read: it only says how far a trial is."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def progress_fields(told: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Progress, without its trial, in what a line tells."""
    return {name: told[name] for name in _FIELDS if name in told}
