"""A study's folder: study.json, records.jsonl, series/, and the lock of who writes it."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock

from benchsuite.analysis.machines import Machine, described_machine
from benchsuite.contracts import Damage
from benchsuite.errors import StoreError, StoreWriteError
from benchsuite.running.store.atomic import PARTIAL, atomic_write
from benchsuite.running.store.attachments import keep_artifact, read_exhibits, write_exhibits
from benchsuite.running.store.attempts import Attempts, attempt_of
from benchsuite.running.store.description import read_description
from benchsuite.running.store.journal import Journal
from benchsuite.running.store.series import read_series, write_series
from benchsuite.running.store.writer import read_writer, write_writer
from benchsuite.schema import Exhibit, Record, Series

STUDY_FORMAT = 1
"""Version of the folder's layout; a reader refuses newer ones."""

DESCRIPTION, JOURNAL, SERIES, LOCK = "study.json", "records.jsonl", "series", ".lock"
MERGED = "merged"
"""What study.json names the studies by that were merged to this one; it stays."""
WRITER = ".writer"
"""Who holds the lock."""
EXHIBITS_FOLDER, ARTIFACTS, RACES = "exhibits", "artifacts", "races"
STUDY_FOLDERS = (SERIES, EXHIBITS_FOLDER, ARTIFACTS, RACES)

ATTEMPT_FOLDERS = (SERIES, EXHIBITS_FOLDER)
"""Their files belong to one attempt of a trial each, and are named by both."""

REPOSITORY_MARKER, STUDIES_FOLDER, INDEX = "benchsuite-results.json", "studies", "index"
"""A results repository (publishing.repository) may lie in a results folder: these are its own."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def study_folder(results: Path, name: str) -> Path:
    """Where the study of that name lies. Raises StoreError for a name that is not plainly a folder's name, and
    for those of a results repository."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise StoreError(
            f"{name!r} cannot name a study: use up to 100 letters, digits, `-`, `_` and `.`, "
            "beginning with a letter or digit and not ending with a dot"
        )
    if name in (STUDIES_FOLDER, INDEX):
        raise StoreError(
            f"{name!r} cannot name a study: a results repository keeps what is published in folders called "
            f"{STUDIES_FOLDER} and {INDEX}; choose another name"
        )
    return results / name


class StudyStore:
    """One study on disk. Reading needs no lock; writing holds one for as long as the study runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = Journal(folder / JOURNAL)
        self._writing = False

    @classmethod
    def open(cls, folder: Path) -> StudyStore:
        """A study that exists. Raises StoreError when the folder is none, or is of a newer layout."""
        store = cls(folder)
        if not folder.is_dir():
            raise StoreError(f"there is no study at {folder}; `benchsuite run` makes one")
        if not (folder / DESCRIPTION).exists() and not (folder / JOURNAL).exists():
            raise StoreError(f"{folder} is not a study: it has neither {DESCRIPTION} nor {JOURNAL}")
        _check_format(store.description(), folder)
        return store

    @property
    def name(self) -> str:
        return self.folder.name

    def description(self) -> dict[str, Any]:
        """What study.json holds, or {} where it is missing. Raises StoreError when it is unreadable."""
        return read_description(self.folder / DESCRIPTION)

    @property
    def is_described(self) -> bool:
        """Whether there is a study.json."""
        return (self.folder / DESCRIPTION).exists()

    @cached_property
    def id(self) -> str:
        """Tells this study from one of the same name on another machine."""
        return str(self.description().get("id", self.name))

    def history(self) -> tuple[list[Record], list[Damage]]:
        """Every record ever written, oldest first, and the lines that are none. Of a study that is being
        written, files that a crash left beside a journal without damage are removed: no record has them."""
        records, damage = self._journal.read()
        attempts = Attempts.of(records, self.home)
        self.__dict__["_attempts"] = attempts
        if self._writing and not damage:
            self._remove_orphans(attempts.kept)
        return records, damage

    @property
    def home(self) -> Machine:
        """The machine of the study's last run, so far as study.json says it."""
        return described_machine(self.description())

    def _remove_orphans(self, kept: Set[tuple[str, str]]) -> None:
        for folder in ATTEMPT_FOLDERS:
            for path in (self.folder / folder).glob("*"):
                owner = attempt_of(path)
                if owner is not None and owner not in kept:
                    path.unlink(missing_ok=True)

    def latest(self) -> dict[str, Record]:
        """Trial id -> its latest record, in the order in which trials were first recorded. What is damaged in
        the journal is passed over: a caller that shows records asks history() for it, too."""
        records, _ = self.history()
        return latest(records)

    def series_path(self, trial_id: str, attempt: str | None = None) -> Path:
        """Where the curves of a trial's attempt lie, if it has any; by default those of its latest record."""
        return self._beside(SERIES, trial_id, attempt, ".parquet")

    def series(self, trial_id: str, attempt: str | None = None) -> list[Series]:
        """The curves of a trial's attempt, by default of its latest record; empty when it has none. Raises
        StoreError if unreadable."""
        path = self.series_path(trial_id, attempt)
        if not path.exists():
            return []
        try:
            return read_series(path)
        except Exception as error:  # pyarrow's errors share no base with a damaged file's OSError
            raise StoreError(f"{path} cannot be read: {error}") from error

    def exhibits_path(self, trial_id: str, attempt: str | None = None) -> Path:
        """Where the exhibits of a trial's attempt lie, if it has any; by default those of its latest record."""
        return self._beside(EXHIBITS_FOLDER, trial_id, attempt, ".json")

    def exhibits(self, trial_id: str, attempt: str | None = None) -> list[Exhibit]:
        """What there is to look at of a trial's attempt, by default of its latest record, perhaps nothing.
        Raises StoreError."""
        path = self.exhibits_path(trial_id, attempt)
        if not path.exists():
            return []
        try:
            return read_exhibits(path)
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error

    def _beside(self, folder: str, trial_id: str, attempt: str | None, ending: str) -> Path:
        if attempt is None:
            attempt = self._attempts.latest.get(trial_id, "")
        return self.folder / folder / f"{trial_id}{f'.{attempt}' if attempt else ''}{ending}"

    @cached_property
    def _attempts(self) -> Attempts:
        self.history()
        found: Attempts = self.__dict__["_attempts"]
        return found

    def artifact_path(self, digest: str) -> Path:
        """Where the artifact lies that a record's environment names by hash (`artifact.<name>`)."""
        return self.folder / ARTIFACTS / digest

    @contextlib.contextmanager
    def writing(self) -> Iterator[list[Damage]]:
        """Hold the study's lock: make its folder, mend what a crash left, allow describe() and append().

        Yields what was torn. Raises StoreError when another process is writing the study, or the folder
        holds something else.
        """
        self._prepare()
        lock = filelock.FileLock(self.folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StoreError(
                f"study {self.name!r} is being written by another run{read_writer(self.folder / WRITER)} "
                f"(lock {self.folder / LOCK}); wait for it to end, or choose another name"
            ) from None
        try:
            write_writer(self.folder / WRITER)
            torn = self._journal.recover()
            for folder in STUDY_FOLDERS:
                for partial in (self.folder / folder).glob(f"*{PARTIAL}"):
                    partial.unlink()
            self._writing = True
            yield [torn] if torn else []
        finally:
            self._writing = False
            (self.folder / WRITER).unlink(missing_ok=True)
            lock.release()

    def _prepare(self) -> None:
        try:
            (self.folder / SERIES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the study's folder {self.folder} cannot be made: {error}") from error
        names = {path.name for path in self.folder.iterdir() if not path.name.endswith(PARTIAL)}
        others = {name for name in names - set(STUDY_FOLDERS) if not name.startswith(".")}
        if others and not others & {DESCRIPTION, JOURNAL}:
            strange = min(others)
            raise StoreError(f"{self.folder} is not a study: it holds {strange}; choose another name")
        _check_format(self.description(), self.folder)

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Write study.json: `facts` beside the name, the id, the time of creation and what was merged, which
        stay."""
        self._check_writing()
        kept = self.description()
        content = {
            "format": STUDY_FORMAT,
            "name": self.name,
            "id": kept.get("id", uuid.uuid4().hex),
            "created": kept.get("created", time.time()),
            **({MERGED: kept[MERGED]} if MERGED in kept else {}),
            **facts,
        }
        path = self.folder / DESCRIPTION
        try:
            with atomic_write(path) as file:
                file.write(json.dumps(content, indent=1, ensure_ascii=False).encode())
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error}; make room or choose another folder"
            ) from error
        self.__dict__.pop("id", None)
        if "_attempts" in self.__dict__:
            self._attempts.home = described_machine(content)

    def append(self, record: Record) -> Record:
        """Store a record, and return it as it is stored: with an `attempt`, which the files beside the journal
        carry in their names.

        They are written before the line. A line therefore finds its own files or none, never those of another
        attempt, wherever a crash or a full disk ends the writing. Raises StoreWriteError.
        """
        self._check_writing()
        attempts = self._attempts
        if not record.attempt:
            record = record.model_copy(update={"attempt": secrets.token_hex(4)})
        own = {
            SERIES: self.series_path(record.trial_id, record.attempt),
            EXHIBITS_FOLDER: self.exhibits_path(record.trial_id, record.attempt),
        }
        curves = [one for one in record.series if one.x]
        try:
            try:
                if curves:
                    write_series(own[SERIES], curves)
                if record.exhibits:
                    write_exhibits(own[EXHIBITS_FOLDER], record.exhibits)
                for text in record.artifacts.values():
                    keep_artifact(self.folder / ARTIFACTS, text)
                self._journal.append(record)
            except BaseException:
                for path in own.values():
                    path.unlink(missing_ok=True)
                raise
            before = attempts.replace(record)
            if before is not None:
                self.series_path(record.trial_id, before).unlink(missing_ok=True)
                self.exhibits_path(record.trial_id, before).unlink(missing_ok=True)
        except OSError as error:
            raise StoreWriteError(
                f"a record cannot be stored in {self.folder}: {error}; what is recorded is kept, and the same "
                "command goes on from there"
            ) from error
        return record

    def keep_journal(self) -> Path:
        """Copy the journal as it is beside it, where no reader of studies looks, and give the copy."""
        path = self.folder / f"{JOURNAL}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        shutil.copyfile(self.folder / JOURNAL, path)
        return path

    def replace(self, records: Iterable[Record]) -> None:
        """Replace the whole journal at once, by records that have attempts and whose files are there. Raises
        StoreError."""
        self._check_writing()
        try:
            self._journal.replace(records)
        except OSError as error:
            raise StoreError(f"the journal of {self.folder} cannot be replaced: {error}") from error
        self.__dict__.pop("_attempts", None)

    def _check_writing(self) -> None:
        if not self._writing:
            raise StoreError(f"study {self.name!r} is open for reading only")


def latest(records: Iterable[Record]) -> dict[str, Record]:
    """Trial id -> its latest record.

    :param records: oldest first.
    """
    return {record.trial_id: record for record in records}


def _check_format(description: Mapping[str, Any], folder: Path) -> None:
    number = description.get("format", STUDY_FORMAT)
    if not isinstance(number, int) or number > STUDY_FORMAT:
        raise StoreError(f"{folder} was written by a newer benchsuite (format {number!r}); update this one")
