"""What a cluster was asked to run for a study, in a folder of the study that every node sees.

STUDY/.cluster/NAME/job.json            the shards with their trials, and how to run them; never changed
                    state.json          what was submitted; written by the driver alone
                    shards/3/attempt-1  the study that one attempt of a shard writes; each attempt has its own
                    logs                what the scheduler and the jobs printed
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from benchsuite.contracts import RunOptions
from benchsuite.errors import StoreError
from benchsuite.running.store import atomic_write
from benchsuite.schema import Trial

ReadT = TypeVar("ReadT")

CLUSTER_FOLDER = ".cluster"
EVENTS = ".events"
"""Ending of the file, beside an attempt's study, in which a node says what happens."""
_FINISHED, _CANCELLED = "finished", "cancelled"
_ATTEMPT = re.compile(r"attempt-\d+")


@dataclass(frozen=True)
class ClusterRun:
    """What was asked for at once.

    executor  the name of the executor that asked
    options   how nodes run the trials
    shards    the trials of each shard
    settings  variables of the environment by which a user sets benchsuite, as they were where it was asked
    seconds   what each shard is expected to take, None where no record tells it; () in older files
    """

    executor: str
    options: RunOptions
    shards: tuple[tuple[Trial, ...], ...]
    settings: tuple[tuple[str, str], ...] = ()
    seconds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class ShardJobs:
    """Shards that were given to the scheduler together.

    name      what the scheduler knows them by
    shards    places in ClusterRun.shards
    recorded  how many trials of each were recorded by then
    ids       what the scheduler called them, where it needs that
    """

    name: str
    shards: tuple[int, ...]
    recorded: tuple[int, ...]
    ids: tuple[str, ...] = ()


_RUN = TypeAdapter(ClusterRun)
_STATE = TypeAdapter(tuple[ShardJobs, ...])


class RunFolder:
    """The folder of one ClusterRun."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"

    @classmethod
    def create(cls, study: Path, run: ClusterRun) -> RunFolder:
        """Make the folder of a new run. Raises StoreError."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        made = cls(study / CLUSTER_FOLDER / f"{stamp}-{secrets.token_hex(2)}")
        try:
            made.logs.mkdir(parents=True)
            made._write("job.json", _RUN.dump_json(run))
        except OSError as error:
            raise StoreError(f"{made.path} cannot be written: {error}") from error
        return made

    @property
    def name(self) -> str:
        """Tells the run from every other one, of other studies too."""
        return f"{self.path.parent.parent.name}.{self.path.name}"

    def read(self) -> ClusterRun:
        """What was asked for. Raises StoreError."""
        return _read(self.path / "job.json", _RUN)

    def submissions(self) -> tuple[ShardJobs, ...]:
        """What was submitted, oldest first. Raises StoreError."""
        path = self.path / "state.json"
        return _read(path, _STATE) if path.exists() else ()

    def keep(self, submissions: Sequence[ShardJobs]) -> None:
        """Write down what was submitted. Raises StoreError."""
        try:
            self._write("state.json", _STATE.dump_json(tuple(submissions)))
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error}") from error

    @property
    def cancelled(self) -> bool:
        """Whether a user has asked for its end."""
        return (self.path / _CANCELLED).exists()

    def cancel(self) -> None:
        """Mark it as cancelled: a driver that watches it submits nothing again."""
        (self.path / _CANCELLED).touch()

    def finish(self) -> None:
        """All of its records are in the study: what the shards wrote is not needed any more. The logs stay
        until the next run."""
        (self.path / _FINISHED).touch()
        shutil.rmtree(self.path / "shards", ignore_errors=True)

    def remove(self) -> None:
        """Nothing of it is left."""
        shutil.rmtree(self.path, ignore_errors=True)

    def attempts(self, shard: int) -> list[Path]:
        """The studies of a shard's attempts, oldest first."""
        found: list[Path] = []
        with contextlib.suppress(FileNotFoundError):
            found = [path for path in self._shard(shard).iterdir() if _ATTEMPT.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(path.name.removeprefix("attempt-")))

    def new_attempt(self, shard: int) -> Path:
        """The folder of a new attempt, which no other process has."""
        parent = self._shard(shard)
        parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = parent / f"attempt-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return path

    def _shard(self, shard: int) -> Path:
        return self.path / "shards" / str(shard)

    def _write(self, name: str, content: bytes) -> None:
        with atomic_write(self.path / name) as file:
            file.write(content)


def runs_of(study: Path) -> list[RunFolder]:
    """The runs of a study whose records may not all be in it, oldest first. What others left is removed."""
    found = []
    for path in sorted((study / CLUSTER_FOLDER).glob("*")):
        if (path / _FINISHED).exists():
            shutil.rmtree(path, ignore_errors=True)
        elif (path / "job.json").exists():
            found.append(RunFolder(path))
    return found


def _read(path: Path, kind: TypeAdapter[ReadT]) -> ReadT:
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} cannot be read ({type(error).__name__}); remove {path.parent} to run its trials again"
        ) from error
