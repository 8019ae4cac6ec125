"""A study as one file that can be archived, cited and read again: an RO-Crate (version 1.1) in a zip.

study/       study.json, records.jsonl, series/, exhibits/, artifacts/, races/: all that its folder holds
report/      its report, if one was asked for
matrix.toml  the matrix that asked for the trials, where it was written in TOML
CITATION.cff how to cite benchsuite
ro-crate-metadata.json  what each of these is, with the SHA-256 of each file of the study, and the hashes and
                        licences of the data that were used
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from benchsuite.data.citation import citation_file
from benchsuite.errors import MissingFrameworkError, StoreError
from benchsuite.publishing.samples import withheld_words, withhold
from benchsuite.running.store import PARTIAL, RACES, STUDY_FOLDERS, StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record
from benchsuite.schema.texts import described

STUDY = "study"
METADATA = "ro-crate-metadata.json"
MOST_METADATA_BYTES = 256 * 2**20
MOST_BYTES = 8 * 2**30
"""A bundle that unpacks to more than this is refused: it would fill the disk."""


ReportWriter = Callable[[StoredStudy, Path], object]
"""Writes the report of a study into a folder."""


def write_bundle(
    study: StoredStudy,
    path: Path,
    report: ReportWriter | None = None,
    licence: str = "",
    *,
    samples: bool = False,
) -> Path:
    """Write `study` to the zip `path` and return it.

    :param report: writes the report that is taken along, of the study as it is in the bundle. :param licence:
        under which the author publishes it. :param samples: keep the samples of the data that withheld() names.

    Raises MissingFrameworkError without the rocrate library, StoreError when the file cannot be written.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError as error:
        raise MissingFrameworkError("bundle", ["rocrate"], "report") from error
    with tempfile.TemporaryDirectory(prefix="benchsuite-bundle-") as made:
        folder = Path(made)
        _copy_study(study, folder / STUDY)
        left_out = {} if samples else withhold(folder / STUDY)
        description = StudyStore(study.folder).description()
        crate = ROCrate()
        crate.name = f"benchsuite study {study.name}"
        crate.description = (
            f"{len(study.records)} trials of the benchmark suite benchsuite: records, curves and environment"
        )
        if left_out:
            crate.description += f"; without {withheld_words(left_out)}"
        created = float(description.get("created") or 0)
        crate.datePublished = datetime.datetime.fromtimestamp(created, datetime.UTC).date()
        crate.license = licence or "not stated"
        for name, what in _contents(folder / STUDY):
            digest = hashlib.sha256((folder / STUDY / name).read_bytes()).hexdigest()
            crate.add_file(folder / STUDY / name, f"{STUDY}/{name}", properties={**what, "sha256": digest})
        matrix = description.get("matrix", {}).get("text")
        if matrix:
            (folder / "matrix.toml").write_text(matrix, encoding="utf-8")
            crate.add_file(
                folder / "matrix.toml",
                properties={"name": "the matrix that asked for the trials", "encodingFormat": "text/x-toml"},
            )
        if report is not None:
            site = folder / "report"
            report(replace(StoredStudy.read(folder / STUDY), name=study.name), site)
            crate.add_dataset(site, "report", properties={"name": "the report, a site: open index.html"})
        citation = citation_file()
        if citation is not None:
            crate.add_file(citation, properties={"name": "how to cite benchsuite"})
        for data in _data_sets(study.records):
            crate.add_jsonld(data)
        partial = path.with_name(f"{path.name}.partial.zip")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            crate.write_zip(partial)
            partial.replace(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
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
                _check_listed(archive, path)
                for member in _members(archive, path):
                    archive.extract(member, root)
        except StoreError:
            raise
        except Exception as error:  # a damaged zip makes zipfile raise what comes to its mind
            raise StoreError(f"{path} cannot be read as a bundle: {described(error)}") from error
        yield root / STUDY


def _members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The files of the study. Raises StoreError for a name that leads elsewhere, and for too many bytes."""
    members = [one for one in archive.infolist() if one.filename.startswith(f"{STUDY}/")]
    if sum(one.file_size for one in members) > MOST_BYTES:
        raise StoreError(f"{path} unpacks to more than {MOST_BYTES / 2**30:g} GiB")
    for member in members:
        if ".." in PurePosixPath(member.filename).parts or "\\" in member.filename:
            raise StoreError(f"{path} holds {member.filename!r}, which leads out of the bundle")
    return members


def _check_listed(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise StoreError unless the bundle holds just the files of the study that it says it holds: the checksums
    of a zip are those of the files, and its directory has none."""
    names = archive.namelist()
    if METADATA not in names or not any(name.startswith(f"{STUDY}/") for name in names):
        raise StoreError(f"{path} is no bundle: it lacks {METADATA} or {STUDY}/")
    if len(set(names)) < len(names):
        raise StoreError(f"{path} is damaged: it holds two files of one name")
    info = archive.getinfo(METADATA)
    if info.file_size > MOST_METADATA_BYTES:
        raise StoreError(f"{path} is damaged: {METADATA} is larger than {MOST_METADATA_BYTES >> 20} MiB")
    described_files = json.loads(archive.read(info)).get("@graph", [])
    listed = {unquote(str(one.get("@id", ""))) for one in described_files}
    listed = {name for name in listed if name.startswith(f"{STUDY}/")}
    held = {name for name in names if name.startswith(f"{STUDY}/") and not name.endswith("/")}
    if leads_out := sorted(name for name in held if ".." in PurePosixPath(name).parts):
        raise StoreError(f"{path} holds {leads_out[0]!r}, which leads out of the bundle")
    if missing := sorted(listed - held):
        raise StoreError(f"{path} is damaged: it lacks {missing[0]}, and says that it holds it")
    if foreign := sorted(held - listed):
        raise StoreError(f"{path} is damaged: it holds {foreign[0]}, which its description does not name")


COPIES, COPY_SECONDS = 20, 0.2
"""How often a study that is being written is copied again, until a copy is of one moment, and the pause."""


def _copy_study(study: StoredStudy, target: Path) -> None:
    """What belongs to the study and nothing else that may lie in its folder, as it was at one moment. Raises
    StoreError where it is written faster than it is copied."""
    for _ in range(COPIES):
        before = _moment(study.folder)
        try:
            _copy_once(study.folder, target)
        except FileNotFoundError:  # replaced in the meantime
            pass
        else:
            if _moment(study.folder) == before:
                return
        shutil.rmtree(target)
        time.sleep(COPY_SECONDS)
    raise StoreError(
        f"{study.folder} is being written all the time; bundle it when its run has ended or pauses"
    )


def _copy_once(folder: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in (".json", ".jsonl"):
            shutil.copyfile(path, target / path.name)
        elif path.is_dir() and path.name in STUDY_FOLDERS:
            (target / path.name).mkdir()
            for one in sorted(path.iterdir()):
                if one.is_file() and not one.name.endswith(PARTIAL):
                    shutil.copyfile(one, target / path.name / one.name)


def _moment(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of the files that _copy_once() copies."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.endswith(PARTIAL):
                known = path.stat()
                found.append((path.relative_to(folder).as_posix(), known.st_size, known.st_mtime_ns))
    return found


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
