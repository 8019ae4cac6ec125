"""The files beside the journals: curves, exhibits, artifacts, races, and whatever folder a study may get."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from benchsuite.errors import StoreError
from benchsuite.running.merge.source import Source
from benchsuite.running.merge.union import Attempt
from benchsuite.running.store import ARTIFACTS, PARTIAL, RACES, STUDY_FOLDERS, attempt_of


def copy_files(source: Source, counting: Set[Attempt], target: Path) -> Iterator[Path]:
    """Copy what belongs to the source's records that count, its artifacts and its races. Yields each file that
    is made, before it is.

    A file that is there already is left as it is: its name says what it holds. Raises StoreError where a file
    vanishes that is being copied.
    """
    names = {
        (trial_id, own): attempt
        for (trial_id, attempt), own in source.files.items()
        if (trial_id, attempt) in counting
    }
    try:
        for folder in STUDY_FOLDERS:
            for path in sorted((source.folder / folder).glob("*")):
                if path.name.endswith(PARTIAL) or not path.is_file():
                    continue
                name = _name(folder, path, names)
                if name and not (made := target / folder / name).exists():
                    yield made
                    made.parent.mkdir(exist_ok=True)
                    partial = made.with_name(made.name + PARTIAL)
                    shutil.copyfile(path, partial)
                    partial.replace(made)
    except FileNotFoundError as error:
        raise StoreError(f"{error.filename} vanished: {source.name} is being written; {AGAIN}") from error
    except OSError as error:
        raise StoreError(f"the files of {source.name} cannot be copied: {error}") from error


AGAIN = "merge again when its run has ended or pauses"


def _name(folder: str, path: Path, names: Mapping[tuple[str, str], str]) -> str:
    """The name of a source's file in the merged study; "" for one that does not come along."""
    if folder == ARTIFACTS:
        return path.name
    if folder == RACES:
        return _race_name(path)
    owner = attempt_of(path)
    attempt = None if owner is None else names.get(owner)
    return "" if owner is None or attempt is None else f"{owner[0]}.{attempt}{path.suffix}"


def _race_name(path: Path) -> str:
    """A race is named by its time, and two machines may race at one: its results' hash is added, once."""
    results = path.with_suffix(".json")
    if not results.exists():
        return ""  # the samples of a race that a crash ended
    digest = hashlib.sha256(results.read_bytes()).hexdigest()[:8]
    stem = path.stem if path.stem.endswith(f"-{digest}") else f"{path.stem}-{digest}"
    return f"{stem}{path.suffix}"
