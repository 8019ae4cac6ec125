"""merge_studies: studies of several machines or shards into one that every command reads."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.analysis.agreement import disagreements, plugin_versions
from benchsuite.analysis.machines import Machine, described_machine
from benchsuite.contracts.study import StudyReader
from benchsuite.errors import StoreError
from benchsuite.running.merge.files import AGAIN, copy_files
from benchsuite.running.merge.missing import Missing, find_missing, several_cuts
from benchsuite.running.merge.source import Source, read_source
from benchsuite.running.merge.union import Attempt, Keep, unite
from benchsuite.running.store import MERGED, StudyStore
from benchsuite.running.study.asked import Asked
from benchsuite.schema import Record


@dataclass(frozen=True)
class Merged:
    """What a merge gave.

    sources   the studies, with what the output held before where it was there
    records   lines of the merged journal
    trials    trials that have a record
    warnings  what the studies disagree in, and lines of their journals that are no records
    missing   what was asked for and has no record
    """

    folder: Path
    sources: tuple[Source, ...]
    records: int
    trials: int
    warnings: tuple[str, ...]
    missing: tuple[Missing, ...]


def merge_studies(
    studies: Sequence[StudyReader], output: Path, keep: Keep | None = None, strict: bool = False
) -> Merged:
    """Merge studies into the study at `output`. What that holds already stays, and takes part.

    A new study is written beside its place and moved there. One that exists is locked; its journal is replaced
    at once, when everything else is on the disk. However a merge ends, the study is the one before or the one
    after.

    :param keep: what becomes of several records of one trial on one machine; None refuses them.
    :param strict: refuse studies that disagree, and damaged journals.

    Raises StoreError for what is refused, and where the output cannot be written or is being written.
    """
    if output.exists():
        store = StudyStore(output)
        with store.writing():
            return _merge(studies, output, store, keep, strict)
    with _beside(output) as folder:
        store = StudyStore(folder)
        with store.writing():
            return _merge(studies, output, store, keep, strict)


@contextlib.contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """A folder that becomes `output` when the context is left without an exception, and else is removed."""
    start = f".{output.name}.merging-"
    _remove_left(output.parent, start)
    made = output.with_name(f"{start}{secrets.token_hex(4)}")
    try:
        yield made
        made.rename(output)
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _remove_left(parent: Path, start: str) -> None:
    """Remove what merges left that were killed. One that still runs holds its lock."""
    for left in parent.glob(f"{start}*"):
        with contextlib.suppress(StoreError, OSError), StudyStore(left).writing():
            shutil.rmtree(left, ignore_errors=True)


def _merge(
    studies: Sequence[StudyReader], output: Path, store: StudyStore, keep: Keep | None, strict: bool
) -> Merged:
    sources = _read(studies, output, store)
    every = [one for source in sources for one in source.asked]
    asked = list({one.whole: one for one in every}.values())
    warnings = _warnings(sources, every)
    if strict and warnings:
        raise StoreError("\n".join(["--strict refuses:", *(f"  {one}" for one in warnings)]))
    ids = dict.fromkeys(trial for one in asked for part in one.parts for trial in part)
    home = described_machine(sources[0].description) if sources else Machine()
    records, counting = unite(sources, keep, {trial: place for place, trial in enumerate(ids)}, home)
    made: list[Path] = []
    try:
        for source in sources:
            if source.folder != store.folder:
                made.extend(copy_files(source, counting, store.folder))
        _check_unchanged(sources, counting, store.folder)
        if any(source.damage for source in sources if source.folder == store.folder):
            warnings.append(f"the damaged journal is kept as {store.keep_journal().name}")
        store.replace(records)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    store.describe(_description(sources, asked, output.name))
    store.history()  # removes the files of what no longer counts
    recorded = {record.trial_id for record in records}
    missing = find_missing(asked, recorded, output.absolute().parent)
    return Merged(output, tuple(sources), len(records), len(recorded), tuple(warnings), tuple(missing))


def _read(studies: Sequence[StudyReader], output: Path, store: StudyStore) -> list[Source]:
    """Every study once, in an order that does not depend on the one they were given in; the output first."""
    given = {study.folder.resolve(): study for study in studies}
    given.pop(output.resolve(), None)
    found = sorted(
        (read_source(study.origin or study.name, study.folder) for study in given.values()),
        key=lambda source: (source.name, str(source.description.get("id", "")), str(source.folder)),
    )
    if store.is_described or any(store.history()):
        found.insert(0, read_source(output.name, store.folder))
    return _named_apart(found)


def _named_apart(sources: Sequence[Source]) -> list[Source]:
    """Sources of one name are called by their folders."""
    names = [source.name for source in sources]
    return [
        Source(str(one.folder), one.folder, one.description, one.records, one.files, one.damage)
        if names.count(one.name) > 1
        else one
        for one in sources
    ]


def _warnings(sources: Sequence[Source], asked: Sequence[Asked]) -> list[str]:
    told = [one.sentence(source.name) for source in sources for one in source.damage]
    told += several_cuts(asked)
    current: dict[str, list[Record]] = {
        source.name: [one for one in source.records if (one.trial_id, one.attempt) in source.files]
        for source in sources
    }
    plugins = {source.name: plugin_versions(source.description) for source in sources}
    return told + [one.sentence() for one in disagreements(current, plugins)]


def _check_unchanged(sources: Sequence[Source], counting: set[Attempt], own: Path) -> None:
    """Raise StoreError where a record that counts was replaced while files were copied: its own may be gone."""
    for source in sources:
        if source.folder != own:
            now = read_source(source.name, source.folder).files
            if any(key in counting and key not in now for key in source.files):
                raise StoreError(f"{source.name} has replaced records in the meantime; {AGAIN}")


def _description(sources: Sequence[Source], asked: Sequence[Asked], name: str) -> dict[str, Any]:
    """What study.json of the merged study holds, beside its format, id and time: that of the first source, and
    of every source where it comes from and what it was asked for."""
    first = sources[0].description if sources else {}
    kept = {key: value for key, value in first.items() if key not in ("format", "name", "id", "created")}
    origins = {(one.get("name"), one.get("id")): one for source in sources for one in source.origins}
    return {
        **kept,
        "name": name,
        "asked": [one.as_json() for one in asked],
        MERGED: sorted(origins.values(), key=lambda one: (str(one.get("name")), str(one.get("id")))),
    }
