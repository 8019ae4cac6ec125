"""Finds the study that a command names."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchsuite.running.study import Study
    from benchsuite.schema import Record


def open_study(name: str, results: Path | None) -> Study:
    """The study of that name in the results folder, or at that path, or in the bundle at that path.

    Raises UnknownNameError for a name that is not there, StoreError for a folder that is no study, or a file
    that is no bundle.
    """
    from benchsuite.errors import UnknownNameError
    from benchsuite.running.store import DESCRIPTION
    from benchsuite.running.study import Study, results_folder

    if name.endswith(".zip") and Path(name).is_file():
        return _from_bundle(Path(name))
    if "/" in name or Path(name).is_absolute():
        return Study.load(name)
    folder = results_folder(results)
    if not (folder / name).is_dir():
        known = [path.parent.name for path in folder.glob(f"*/{DESCRIPTION}")]
        raise UnknownNameError("study", name, known, f"Looked in {folder}; --results names another folder.")
    return Study.load(folder / name)


def _from_bundle(path: Path) -> Study:
    """The study in a bundle, unpacked for as long as the command runs. It has the name it was bundled under."""
    import dataclasses

    from benchsuite.bundle import unpacked
    from benchsuite.running.store import StudyStore
    from benchsuite.running.study import Study

    folder = _unpacked.enter_context(unpacked(path))
    name = StudyStore.open(folder).description().get("name")
    return dataclasses.replace(Study.load(folder), name=str(name or path.name))


_unpacked = contextlib.ExitStack()


def close_bundles() -> None:
    """Remove what open_study() unpacked; the end of every command calls it."""
    _unpacked.close()


def find_record(study: Study, start: str) -> Record:
    """The record whose trial id begins with `start`. Raises RequestError when none or several do."""
    from benchsuite.errors import RequestError

    found = [record for record in study.records if record.trial_id.startswith(start)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(
            f"no trial of {study.name} begins with {start!r}; `benchsuite show {study.name}` lists them"
        )
    several = "\n".join(f"  {record.trial_id}  {record.trial.label}" for record in found[:10])
    raise RequestError(f"{len(found)} trials of {study.name} begin with {start!r}:\n{several}")
