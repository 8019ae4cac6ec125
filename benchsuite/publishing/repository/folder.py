"""Repository: the folder of published studies.

benchsuite-results.json     what makes the folder a results repository, and the version of its layout
studies/<id>/               a submission: study.crate.zip, verification.json, summary.json; and races.json,
                            the results of its races, where there are any
index/<id>.parquet          its records as a table
accepted.toml               changes of speed or metric that were looked into, with their reasons (optional)

Nothing in it is ever rewritten: a submission adds its own files. A submission is there from the moment at
which its folder has its name, which it gets when all else is written.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchsuite.analysis.machines import Machine
from benchsuite.errors import RequestError, StoreError
from benchsuite.publishing.repository.index import read_index
from benchsuite.publishing.repository.submission import Submission, check_plain, read_submission
from benchsuite.running.races.files import races_from
from benchsuite.running.store import INDEX, REPOSITORY_MARKER, STUDIES_FOLDER, atomic_write
from benchsuite.schema import Record
from benchsuite.schema.race import RaceResults

ACCEPTED = "accepted.toml"
BUNDLE, VERIFICATION, RACES_FILE = "study.crate.zip", "verification.json", "races.json"
REPOSITORY_FORMAT = 1
HARMLESS = ("README", "LICENSE", "LICENCE", "CITATION", ".git", ".DS_Store", "CNAME")
"""Beginnings of names that a folder may hold and still become a results repository: those of a new git
repository."""


@dataclass(frozen=True)
class Repository:
    """A results repository on disk."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Repository:
        """One that exists. Raises StoreError for a folder that is none, or of a newer layout."""
        path = folder / REPOSITORY_MARKER
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise StoreError(
                f"{folder} is no results repository: it lacks {REPOSITORY_MARKER}; "
                f"`benchsuite publish STUDY --to {folder}` makes one of an empty folder"
            ) from None
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error
        number = found.get("format") if isinstance(found, dict) else None
        if not isinstance(number, int) or number > REPOSITORY_FORMAT:
            raise StoreError(f"{folder} is of a newer layout (format {number!r}); update benchsuite")
        return cls(folder)

    @classmethod
    def at(cls, folder: Path) -> Repository:
        """The repository in `folder`, or the one that its first submission makes there: where the folder is
        missing, empty or a new git repository. Raises RequestError for a folder that holds something else."""
        if (folder / REPOSITORY_MARKER).exists():
            return cls.open(folder)
        try:
            names = sorted(one.name for one in folder.iterdir())
        except FileNotFoundError:
            names = []
        except OSError as error:
            raise RequestError(f"{folder} cannot be a results repository: {error}") from error
        if others := [name for name in names if not name.startswith(HARMLESS)]:
            raise RequestError(
                f"{folder} is no results repository and holds {others[0]}; choose an empty folder, or one that "
                f"has {REPOSITORY_MARKER}"
            )
        return cls(folder)

    @classmethod
    def create(cls, folder: Path) -> Repository:
        """at(), and made at once. Raises StoreError where nothing can be written."""
        found = cls.at(folder)
        found._make()
        return found

    def _make(self) -> None:
        try:
            for name in (STUDIES_FOLDER, INDEX):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            if not (self.folder / REPOSITORY_MARKER).exists():
                with atomic_write(self.folder / REPOSITORY_MARKER) as file:
                    file.write(json.dumps({"format": REPOSITORY_FORMAT}).encode() + b"\n")
        except OSError as error:
            raise StoreError(f"nothing can be added to {self.folder}: {error}") from error

    def study(self, submission: str) -> Path:
        """The folder of a submission."""
        return self.folder / STUDIES_FOLDER / submission

    def index(self, submission: str) -> Path:
        """The index of a submission."""
        return self.folder / INDEX / f"{submission}.parquet"

    def holds(self, submission: str) -> bool:
        return self.study(submission).is_dir()

    def submissions(self) -> list[Submission]:
        """All submissions, the first published first. Raises StoreError for one that cannot be read."""
        check_plain(self.folder / STUDIES_FOLDER, self.folder / INDEX, self.folder / ACCEPTED)
        folders = sorted((self.folder / STUDIES_FOLDER).glob("*"))
        found = [read_submission(one) for one in folders if one.is_dir() and not one.name.startswith(".")]
        return sorted(found, key=lambda one: (one.published, one.id))

    @property
    def names(self) -> dict[str, Submission]:
        """What published studies are called: each by its id; and by the name of a board, `quick@1`, the
        verified study of it that has most trials, of several the one that was published last. Raises
        StoreError."""
        held = self.submissions()
        boards: dict[str, Submission] = {}
        for one in held:
            known = boards.get(one.board)
            if one.level == "verified" and (known is None or one.trials >= known.trials):
                boards[one.board] = one
        return boards | {one.id: one for one in held}

    def records(self, submission: Submission) -> list[tuple[Record, Machine]]:
        """The records of a submission with their machines, from the index. Raises StoreError."""
        path = self.index(submission.id)
        check_plain(path)
        if not path.exists():
            raise StoreError(f"{path} is missing: the submission {submission.id} has no index")
        return list(read_index(path))

    def races(self, submission: Submission) -> list[RaceResults]:
        """The races of a submission, oldest first; none where its study has none. Raises StoreError."""
        path = self.study(submission.id) / RACES_FILE
        check_plain(path)
        return races_from(path.read_bytes(), path) if path.exists() else []

    @contextlib.contextmanager
    def adding(self, submission: str) -> Iterator[Path]:
        """An empty folder for the files of a submission, which becomes its folder when the context is left
        without an exception. Where another publisher was faster, theirs stays. Raises StoreError."""
        self._make()
        target = self.study(submission)
        try:
            made = Path(tempfile.mkdtemp(prefix=f".{submission}.", dir=target.parent))
        except OSError as error:
            raise StoreError(f"nothing can be added to {self.folder}: {error}") from error
        try:
            made.chmod(0o755)  # mkdtemp's is for its owner alone
            yield made
            try:
                made.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
        except OSError as error:
            raise StoreError(f"the submission cannot be added to {self.folder}: {error}") from error
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def place_index(self, submission: str, written: Path) -> None:
        """Move an index file to its place, at once."""
        target = self.index(submission)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        shutil.copyfile(written, partial)
        partial.replace(target)
