"""A study as one file that can be archived, cited and read again: an RO-Crate (version 1.1) in a zip.

study/       study.json, records.jsonl, series/, exhibits/, artifacts/, races/: all that its folder holds
report/      its report, if one was asked for
matrix.toml  the matrix that asked for the trials, where it was written in TOML
CITATION.cff how to cite benchsuite
ro-crate-metadata.json  what each of these is, with the hashes and licences of the data that were used
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from benchsuite.data.citation import citation_file
from benchsuite.errors import MissingFrameworkError, StoreError
from benchsuite.running.store import RACES, STUDY_FOLDERS, StudyStore
from benchsuite.running.study import Study
from benchsuite.schema import Record

STUDY = "study"
METADATA = "ro-crate-metadata.json"
MOST_BYTES = 8 * 2**30
"""A bundle that unpacks to more than this is refused: it would fill the disk."""


def write_bundle(study: Study, path: Path, report: Path | None = None, licence: str = "") -> Path:
    """Write `study` to the zip `path` and return it.

    :param report: folder of its report, to be taken along. :param licence: under which the author publishes it.

    Raises MissingFrameworkError without the rocrate library, StoreError when the file cannot be written.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError as error:
        raise MissingFrameworkError("bundle", ["rocrate"], "report") from error
    with tempfile.TemporaryDirectory(prefix="benchsuite-bundle-") as made:
        folder = Path(made)
        _copy_study(study, folder / STUDY)
        description = StudyStore(study.folder).description()
        crate = ROCrate()
        crate.name = f"benchsuite study {study.name}"
        crate.description = (
            f"{len(study.records)} trials of the benchmark suite benchsuite: records, curves and environment"
        )
        created = float(description.get("created") or 0)
        crate.datePublished = datetime.datetime.fromtimestamp(created, datetime.UTC).date()
        crate.license = licence or "not stated"
        for name, what in _contents(folder / STUDY):
            crate.add_file(folder / STUDY / name, f"{STUDY}/{name}", properties=what)
        matrix = description.get("matrix", {}).get("text")
        if matrix:
            (folder / "matrix.toml").write_text(matrix, encoding="utf-8")
            crate.add_file(
                folder / "matrix.toml",
                properties={"name": "the matrix that asked for the trials", "encodingFormat": "text/x-toml"},
            )
        if report is not None:
            crate.add_dataset(report, "report", properties={"name": "the report, a site: open index.html"})
        citation = citation_file()
        if citation is not None:
            crate.add_file(citation, properties={"name": "how to cite benchsuite"})
        for data in _data_sets(study.records):
            crate.add_jsonld(data)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.partial.zip")
            crate.write_zip(partial)
            partial.replace(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from error
    return path


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The study's folder inside a bundle, unpacked for as long as the context lasts.

    Raises StoreError for a file that is no bundle, or that would write outside of its folder.
    """
    with tempfile.TemporaryDirectory(prefix="benchsuite-bundle-") as made:
        root = Path(made)
        try:
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if one.filename.startswith(f"{STUDY}/")]
                if METADATA not in archive.namelist() or not members:
                    raise StoreError(f"{path} is no bundle: it lacks {METADATA} or {STUDY}/")
                if sum(one.file_size for one in members) > MOST_BYTES:
                    raise StoreError(f"{path} unpacks to more than {MOST_BYTES >> 30} GiB")
                for member in members:
                    if ".." in PurePosixPath(member.filename).parts or member.filename.startswith("/"):
                        raise StoreError(f"{path} holds {member.filename!r}, which leads out of the bundle")
                    archive.extract(member, root)
        except (OSError, zipfile.BadZipFile) as error:
            raise StoreError(f"{path} cannot be read as a bundle: {error}") from error
        yield root / STUDY


def _copy_study(study: Study, target: Path) -> None:
    """What belongs to the study and nothing else that may lie in its folder."""
    target.mkdir()
    for path in sorted(study.folder.iterdir()):
        if path.is_file() and path.suffix in (".json", ".jsonl"):
            shutil.copyfile(path, target / path.name)
        elif path.is_dir() and path.name in STUDY_FOLDERS:
            shutil.copytree(path, target / path.name)


def _contents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    words = {
        "study.json": ("matrix, plugins, versions, environment", "application/json"),
        "records.jsonl": ("one record a trial: the source of truth", "application/x-ndjson"),
    }
    folders = {
        "series": ("curves of a trial", "application/vnd.apache.parquet"),
        "exhibits": ("what there is to look at of a trial", "application/json"),
        "artifacts": ("what the data were made with, by SHA-256", "text/plain"),
    }
    races = {".json": "application/json", ".parquet": "application/vnd.apache.parquet"}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            if name.startswith(f"{RACES}/"):
                kind = races.get(path.suffix, "application/octet-stream")
                yield name, {"name": "trials raced side by side", "encodingFormat": kind}
                continue
            what, kind = words.get(name) or folders.get(name.split("/")[0], ("", "application/octet-stream"))
            yield name, {"name": what or name, "encodingFormat": kind}


def _data_sets(records: list[Record]) -> list[dict[str, Any]]:
    """The data sets that were used: not in the bundle, but known by hash and licence."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        digest = record.environment.get("data.sha256")
        if digest and digest not in found:
            trial = record.trial
            found[digest] = {
                "@id": f"#data-{digest[:16]}",
                "@type": "Dataset",
                "name": f"{trial.task} / {trial.source}",
                "sha256": digest,
                "license": record.environment.get("data.licence", "not stated"),
                "description": "used by the trials; not part of this bundle",
            }
    return list(found.values())
