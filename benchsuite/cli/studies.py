"""Finds the study that a command names."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.cli.output import warn

if TYPE_CHECKING:
    from benchsuite.running.study import StoredStudy
    from benchsuite.schema import Record


def open_study(name: str, results: Path | None, *, allow_damage: bool = True) -> StoredStudy:
    """The study of that name in the results folder, or at that path, or in the bundle at that path. Warns of
    every line of its journal that is no record.

    :param allow_damage: whether there may be such lines: what publishes a study or decides by it refuses.

    Raises UnknownNameError for a name that is not there, StoreError for a folder that is no study, a file that
    is no bundle, or damage that is not allowed.
    """
    from benchsuite.errors import StoreError

    study = _open(name, results)
    said = [one.sentence(study.name) for one in study.damage]
    if said and not allow_damage:
        raise StoreError("\n".join([*said, DAMAGED]))
    for sentence in said:
        if sentence not in _warned:
            _warned.add(sentence)
            warn(sentence)
    return study


def named_folder(name: str, results: Path | None) -> Path:
    """The folder of a study that is to be made: at the path `name`, or of that name in the results folder.
    Raises StoreError for a name that cannot be a study's."""
    from benchsuite.contracts.study import results_folder
    from benchsuite.running.store import study_folder

    path = Path(name)
    is_path = "/" in name or path.is_absolute()
    return study_folder(path.parent if is_path else results_folder(results), path.name)


DAMAGED = "run its trial again and remove the line, or give --allow-damage to go on without it"
"""What to do where damage is refused."""

_warned: set[str] = set()
"""Warnings about damage that were printed: a command may open a study twice."""


def _open(name: str, results: Path | None) -> StoredStudy:
    import dataclasses

    from benchsuite.api.opening import locate
    from benchsuite.running.study import StoredStudy

    found = locate(name, results, _unpacked)
    study = StoredStudy.read(found.folder)
    return dataclasses.replace(study, name=found.name or study.name, origin=found.origin)


_unpacked = contextlib.ExitStack()


def close_bundles() -> None:
    """Remove what open_study() unpacked; the end of every command calls it."""
    _unpacked.close()
    _warned.clear()


def find_records(study: StoredStudy, start: str) -> list[Record]:
    """The records of the trial whose id begins with `start`, one for each machine that ran it. Raises
    RequestError when the ids of no trial or of several do."""
    from benchsuite.errors import RequestError

    found = [record for record in study.records if record.trial_id.startswith(start)]
    if len({record.trial_id for record in found}) == 1:
        return found
    if not found:
        where = shlex.quote(study.origin or study.name)
        raise RequestError(
            f"no trial of {study.name} begins with {start!r}; `benchsuite show {where}` lists them"
        )
    several = "\n".join(f"  {record.trial_id}  {study.label(record.trial)}" for record in found[:10])
    raise RequestError(f"{len(found)} trials of {study.name} begin with {start!r}:\n{several}")
