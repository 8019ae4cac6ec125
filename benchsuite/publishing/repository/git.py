"""A results repository behind a git URL: cloned into a temporary folder, committed on a branch, pushed if
asked."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.errors import RequestError
from benchsuite.schema.texts import capped

GIT_SECONDS = 600
"""A git command that takes longer is ended."""
MOST_OUTPUT = 1000
_SCP = re.compile(r"[\w.+-]+@[\w.-]+:(?!\d+/)\S+")


def is_git_url(target: str) -> bool:
    """Whether `target` names a git repository to clone and not a folder: a URL, `user@host:path`, or a path
    that ends in `.git`."""
    return "://" in target or bool(_SCP.fullmatch(target)) or target.rstrip("/").endswith(".git")


@dataclass(frozen=True)
class Clone:
    """A clone in a temporary folder, on a branch of its own."""

    url: str
    folder: Path

    @classmethod
    def of(cls, url: str) -> Clone:
        """Clone `url`. Raises RequestError where git is missing or cannot."""
        if url.startswith("-"):
            raise RequestError(f"{url!r} is no address of a git repository")
        folder = Path(tempfile.mkdtemp(prefix="benchsuite-results-"))
        try:
            _git(["clone", "--quiet", "--", url, str(folder)], folder.parent, url)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(url, folder)

    def commit(self, branch: str, message: str) -> bool:
        """Commit all that was added, on a new branch; False where nothing was."""
        if not self.run("status", "--porcelain"):
            return False
        self.run("checkout", "--quiet", "-b", branch)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--message", message)
        return True

    def push(self, branch: str) -> None:
        self.run("push", "--quiet", "origin", branch)

    def push_command(self, branch: str) -> str:
        """What pushes the branch later."""
        return shlex.join(["git", "-C", str(self.folder), "push", "origin", branch])

    def run(self, *words: str) -> str:
        """The output of a git command in the clone. Raises RequestError."""
        return _git(list(words), self.folder, self.url)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _git(words: Sequence[str], folder: Path, url: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=GIT_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise RequestError(f"git is not installed, and {url} is a git repository") from None
    except subprocess.TimeoutExpired:
        raise RequestError(f"`git {words[0]}` of {url} took more than {GIT_SECONDS} seconds") from None
    if done.returncode:
        told = capped((done.stderr or done.stdout).strip(), MOST_OUTPUT)
        raise RequestError(f"`git {words[0]}` of {url} failed: {told}")
    return done.stdout
