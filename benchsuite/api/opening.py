"""Finds the study that a name, a path or a bundle stands for: one rule for the command line and for
Python."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from benchsuite.contracts.study import results_folder
from benchsuite.errors import UnknownNameError


@dataclass(frozen=True)
class Located:
    """Where a study lies.

    folder  the study's own, or the one that its bundle was unpacked to
    name    what it was bundled under; "" where the folder's name is the study's
    origin  the bundle; "" for a study's own folder
    """

    folder: Path
    name: str = ""
    origin: str = ""


def locate(study: str | Path, results: str | Path | None, keep: contextlib.ExitStack) -> Located:
    """A bundle is a file that ends with `.zip`. A Path, and a text with a slash, is a folder, or a study that
    is published in a results repository: `results/quick@1`, by its board or its id. Any other text is the name
    of a study in the results folder, or of a folder in the working directory, or of a published study where the
    results folder is a repository.

    :param results: the results folder; BENCHSUITE_RESULTS, else `results`, by default. :param keep: what
        removes an unpacked bundle when it is closed.

    Raises UnknownNameError for a name that is not there, StoreError for a file that is no bundle.
    """
    from benchsuite.running.store import DESCRIPTION

    path = Path(study)
    if path.suffix == ".zip" and path.is_file():
        return _from_bundle(path, keep)
    if isinstance(study, Path) or "/" in study or path.is_absolute():
        if path.exists() or not (names := _published(path.parent)):
            return Located(path)
        if path.name not in names:
            raise UnknownNameError("published study", path.name, names, f"Looked in {path.parent}.")
        return _from_bundle(names[path.name], keep)
    folder = results_folder(results)
    if (folder / study).is_dir():
        return Located(folder / study)
    if (path / DESCRIPTION).is_file():
        return Located(path)
    published = _published(folder)
    if study in published:
        return _from_bundle(published[study], keep)
    known = [*(found.parent.name for found in folder.glob(f"*/{DESCRIPTION}")), *published]
    raise UnknownNameError("study", study, known, f"Looked in {folder}; --results names another folder.")


def _published(folder: Path) -> dict[str, Path]:
    """The bundles of the studies that are published in `folder`, by name; none where it is no results
    repository. Raises StoreError for a repository that cannot be read."""
    from benchsuite.running.store import REPOSITORY_MARKER

    if not (folder / REPOSITORY_MARKER).is_file():
        return {}
    from benchsuite.publishing.repository.folder import BUNDLE, Repository

    repository = Repository.open(folder)
    return {name: repository.study(one.id) / BUNDLE for name, one in repository.names.items()}


def _from_bundle(path: Path, keep: contextlib.ExitStack) -> Located:
    from benchsuite.publishing.bundle import unpacked
    from benchsuite.running.store import StudyStore

    folder = keep.enter_context(unpacked(path))
    name = StudyStore.open(folder).description().get("name")
    return Located(folder, str(name or path.name), str(path))
