"""What makes a virtual environment and installs into it: uv where it is there, otherwise venv and pip."""

from __future__ import annotations

import abc
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchsuite.errors import RequestError
from benchsuite.running.environments.pythons import Base
from benchsuite.running.environments.registration import interpreter_in

DRY_RUN_PIP = (23, 3)
"""The first pip whose dry run reads descriptions of distributions and does not download them."""
MOST_SAID = 300
"""Characters of an installer's error in a message."""
STOP_INSTALLER_SECONDS = 10
ERRORS = tuple(map(re.compile, (r"[\w.]+(Error|Exception): ", r"╰─▶ ", r"(?i)(error|fatal):")))
"""Lines that say what went wrong, those that say it best first."""


class InstallError(RequestError):
    """An installer failed; the message has its last word, and says where all of its words are."""


@dataclass
class Installer(abc.ABC):
    """Makes an environment in `folder` and installs into it; every command's output goes to the file `log`.

    arguments  further ones of `pip install`, as a user gave them
    defaults   environment variables of the commands, where they are not set
    """

    folder: Path
    base: Base
    log: Path
    arguments: Sequence[str] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        return str(interpreter_in(self.folder))

    @abc.abstractmethod
    def make(self) -> None:
        """Make an empty environment. Raises InstallError."""

    @abc.abstractmethod
    def install(self, requirements: Sequence[str]) -> None:
        """Raises InstallError."""

    @abc.abstractmethod
    def would_install(self, requirements: Sequence[str]) -> list[str]:
        """Names of the distributions that install() would bring. Raises InstallError."""

    def run(self, command: Sequence[str], what: str) -> str:
        """The standard output of a command that must succeed. Raises InstallError."""
        with self.log.open("a+", encoding="utf-8", errors="replace") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            begin = log.tell()
            with _ended(self._start(command, log)) as process:
                output = process.communicate()[0]
            log.write(output)
            log.flush()
            if process.returncode == 0:
                return output
            log.seek(begin)
            said = last_word(log.read())
        raise InstallError(f"{what} failed: {said}; all that it said is in {self.log}")

    def _start(self, command: Sequence[str], log: IO[str]) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                errors="replace",
                env={**self.defaults, **os.environ},
            )
        except OSError as error:
            raise InstallError(f"{command[0]} cannot be run: {error}") from None


class Pip(Installer):
    """venv and pip, which come with Python."""

    def make(self) -> None:
        self.run([self.base.path, "-m", "venv", str(self.folder)], "making a virtual environment")
        if self._version() < DRY_RUN_PIP:
            self.run(
                [self.python, "-m", "pip", "install", "-q", "--upgrade", *self.arguments, "pip"],
                "a newer pip",
            )

    def install(self, requirements: Sequence[str]) -> None:
        self.run(
            [self.python, "-m", "pip", "install", *self.arguments, *requirements],
            f"pip install {short(requirements)}",
        )

    def would_install(self, requirements: Sequence[str]) -> list[str]:
        dry = ["install", "-q", "--dry-run", "--report", "-"]
        said = self.run(
            [self.python, "-m", "pip", *dry, *self.arguments, *requirements],
            f"pip install --dry-run {short(requirements)}",
        )
        return [str(one["metadata"]["name"]) for one in json.loads(said)["install"]]

    def _version(self) -> tuple[int, ...]:
        said = self.run([self.python, "-m", "pip", "--version"], "pip")
        return tuple(int(part) for part in re.findall(r"\d+", said.split()[1])[:2])


class Uv(Installer):
    """uv: it also brings a Python that is not there."""

    def make(self) -> None:
        self.run(
            ["uv", "venv", "-q", "--python", self.base.path, str(self.folder)], "making a virtual environment"
        )

    def install(self, requirements: Sequence[str]) -> None:
        self.run([*self._pip(), *requirements], f"uv pip install {short(requirements)}")

    def would_install(self, requirements: Sequence[str]) -> list[str]:
        self.run(
            [*self._pip(), "--dry-run", *requirements], f"uv pip install --dry-run {short(requirements)}"
        )
        lines = self.log.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2].splitlines()
        return [line[3:].partition("==")[0].partition(" @ ")[0] for line in lines if line.startswith(" + ")]

    def _pip(self) -> list[str]:
        return ["uv", "pip", "install", "--python", self.python, *self.arguments]


INSTALLERS: Mapping[str, type[Installer]] = {"uv": Uv, "pip": Pip}


def installer_class(asked: str | None, inherit: bool) -> type[Installer]:
    """The class that `asked` names; by default uv where it is there. uv does not see what an environment
    inherits. Raises RequestError."""
    if asked is None:
        return Uv if shutil.which("uv") and not inherit else Pip
    if asked not in INSTALLERS:
        raise RequestError(f"--installer {asked}: give one of {', '.join(INSTALLERS)}")
    if asked == "uv" and inherit:
        raise RequestError("--installer uv: it does not see what --inherit shows; leave one of them out")
    if asked == "uv" and not shutil.which("uv"):
        raise RequestError("--installer uv: uv was not found; install it, or use --installer pip")
    return INSTALLERS[asked]


def last_word(output: str) -> str:
    """The line of an installer's output that says what went wrong, no longer than MOST_SAID: an exception of a
    build, else pip's or uv's own error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = (found for kind in ERRORS if (found := [line for line in lines if kind.match(line)]))
    word = next(told, lines or ["it said nothing"])[-1]
    return word[: MOST_SAID - 1] + "…" if len(word) > MOST_SAID else word


def short(requirements: Sequence[str]) -> str:
    """Without the file of constraints and the mark of editable projects."""
    kept = list(requirements)
    if kept[:1] == ["-c"]:
        del kept[:2]
    return " ".join(part for part in kept if part != "-e")


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Ends the process where its caller is interrupted: nothing may write into a folder that is deleted."""
    try:
        yield process
    except BaseException:
        process.terminate()
        try:
            process.wait(STOP_INSTALLER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
