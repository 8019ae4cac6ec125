"""The fingerprint of what would produce a record: when it changes, the record is stale."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
from collections.abc import Iterable, Sequence
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchsuite.contracts import BackendEntry, CellEntry, TaskEntry
from benchsuite.plugins import registry
from benchsuite.schema import Trial

MEASURING = ("contracts", "data", "measure", "schema")
"""The packages of the core that decide what a trial measures. The others choose trials, carry records and say
what records mean."""


def fingerprint(
    backend: BackendEntry, task: TaskEntry, reference: BackendEntry, source: str, cell: CellEntry | None
) -> str:
    """16 hexadecimal digits over the source of the core and of the plugins that take part, the versions of
    what they need (the task for `source`), and the Python version.

    :param cell: None for a model without recurrence.
    """
    entries: list[BackendEntry | CellEntry | TaskEntry] = [backend, task, reference]
    if cell is not None:
        entries.append(cell)
    return _digest(entries, {*backend.requirements, *task.required(source)})


def trial_fingerprint(trial: Trial, backend: str) -> str:
    """fingerprint() of what would produce the record of `trial` in the backend of that name, from the installed
    plugins.

    Raises UnknownNameError for a backend or a task that is not registered.
    """
    found = registry()
    cell = found.cells.get(trial.cell)
    return fingerprint(found.backend(backend), found.task(trial.task), found.reference(), trial.source, cell)


def kit_fingerprint(*entries: BackendEntry | CellEntry | TaskEntry) -> str:
    """16 hexadecimal digits over the source of the core and of the plugins of these entries, the versions of
    what they need, and the Python version: what the results of a conformance check depend on."""
    needed: set[str] = set()
    for entry in entries:
        if not isinstance(entry, CellEntry):
            needed.update(entry.requirements)
        if isinstance(entry, TaskEntry):
            needed.update(*entry.source_requirements.values())
    return _digest(entries, needed)


def software_facts(entry: BackendEntry) -> dict[str, str]:
    """What a backend's speed depends on in software: versions of Python, NumPy and what the backend needs, and
    the source of its plugin."""
    versions = {name: _version(name) for name in ("numpy", *entry.requirements)}
    source = _source_digest(_package(entry.load))[:16]
    return {"python": platform.python_version(), **versions, "plugin": source}


def _digest(entries: Iterable[BackendEntry | CellEntry | TaskEntry], requirements: set[str]) -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    for package in sorted({"benchsuite"} | {_package(entry.load) for entry in entries}):
        digest.update(_source_digest(package).encode())
    for requirement in sorted({*requirements, "numpy"}):
        digest.update(f"{requirement}=={_version(requirement)}".encode())
    return digest.hexdigest()[:16]


def _package(load: object) -> str:
    while isinstance(load, partial):  # whose own module would be functools
        load = load.func
    return str(getattr(load, "__module__", "benchsuite")).split(".", 1)[0]


@cache
def _version(requirement: str) -> str:
    """Asked once per process: a worker does not see what is installed while it runs."""
    try:
        return version(requirement)
    except PackageNotFoundError:
        return "absent"


@cache
def _source_digest(package: str) -> str:
    """Over every Python file of an import package, by relative path."""
    digest = hashlib.sha256(package.encode())
    for root, path in _sources(package):
        relative = path.relative_to(root).as_posix()
        if package == "benchsuite" and relative.split("/")[0] not in MEASURING:
            continue
        digest.update(relative.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(package: str) -> Sequence[tuple[Path, Path]]:
    spec = importlib.util.find_spec(package)
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        origin = Path(spec.origin or "")
        return [(origin.parent, origin)] if origin.is_file() else []
    roots = [Path(location) for location in spec.submodule_search_locations]
    return [(root, path) for root in roots for path in sorted(root.rglob("*.py"))]
