"""The download cache: pinned files in, verified paths out. pooch downloads and compares hashes.

Settings, read at every call:

    BENCHSUITE_DATA    the cache folder; unset, the user's cache folder of this platform
    BENCHSUITE_MIRROR  http(s) base URL that serves every file by its cache name, instead of the pinned URLs
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchsuite.contracts.file import DataFile
from benchsuite.data.download_limit import PIECE_BYTES, LimitedProgress, wait_while_it_comes
from benchsuite.data.progress import DownloadProgress
from benchsuite.data.unreachable import known_failure, note_failure
from benchsuite.errors import DataError, NotDownloadedError, RequestError
from benchsuite.schema.texts import described

FileState = Literal["present", "missing", "corrupt"]

TIMEOUT_SECONDS = 30
"""Longest silence of a server before a download fails."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cached:
    """A file and its state in the cache folder; `path` is where it is or should be."""

    file: DataFile
    path: Path
    state: FileState


def cache_folder() -> Path:
    """The folder that downloads are kept in; it need not exist yet."""
    given = os.environ.get("BENCHSUITE_DATA")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("benchsuite")) / "data"


def status(file: DataFile) -> FileState:
    """Whether the cache holds `file`, by the SHA-256 of the bytes on disk.

    Raises DataError when the cached file cannot be read.
    """
    found = _sha256(cache_folder() / file.name)
    if found is None:
        return "missing"
    return "present" if found == file.sha256 else "corrupt"


def list_files(files: Iterable[DataFile]) -> list[Cached]:
    """Every file with its path and state, in the order given; every file that is there is read."""
    folder = cache_folder()
    return [Cached(file, folder / file.name, status(file)) for file in files]


def fetch(file: DataFile, progress: DownloadProgress | None = None) -> Path:
    """Path of a copy of `file` whose SHA-256 is the pinned one; downloads it where the cache has none.

    A cached file with another hash is never used: it is replaced, with a warning in the log, or where no
    replacement can be had it is left alone. Of several processes that ask at once, one downloads.

    Raises DataError saying which file, the expected and the found SHA-256, the URL, and where to put it by
    hand, also for a file without an address (DataFile.url) that is not there; RequestError for a
    BENCHSUITE_MIRROR that is no http(s) URL; NotDownloadedError inside without_downloads().
    """
    path = cache_folder() / file.name
    if status(file) == "present":
        return path
    if not _may_download.get():
        raise NotDownloadedError(f"data file {file.name} is not in {path.parent}")
    url = _url(file)
    if not url:
        raise DataError(_help(file, url, path, f"it has no address to be downloaded from; {file.licence}"))
    import filelock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.parent / f".{file.name}.lock"):
            if status(file) != "present":  # another process may have brought it while this one waited
                if trouble := known_failure(path.parent, url):
                    raise DataError(_help(file, url, path, trouble))
                try:
                    _download(file, url, path, progress)
                except DataError as error:
                    note_failure(path.parent, url, error)
                    raise
    except OSError as error:
        raise DataError(_help(file, url, path, f"the cache folder cannot be used: {error}")) from error
    return path


@contextlib.contextmanager
def without_downloads() -> Iterator[None]:
    """Inside it fetch() gives what the cache holds, and raises NotDownloadedError for what it does not."""
    before = _may_download.set(False)
    try:
        yield
    finally:
        _may_download.reset(before)


_may_download: ContextVar[bool] = ContextVar("may_download", default=True)


def _url(file: DataFile) -> str:
    mirror = os.environ.get("BENCHSUITE_MIRROR", "")
    if not mirror:
        return file.url
    if not mirror.startswith(("http://", "https://")):
        raise RequestError(
            f"BENCHSUITE_MIRROR is {mirror!r}; it must be a base URL that starts with http:// or https://. "
            "For files on this machine set BENCHSUITE_DATA to their folder instead."
        )
    return f"{mirror.rstrip('/')}/{file.name}"


def _download(file: DataFile, url: str, path: Path, progress: DownloadProgress | None) -> None:
    """Bring `file` to `path`, atomically and only if its hash is right; the caller holds the lock."""
    import pooch

    if found := _sha256(path):
        _log.warning(
            "%s is corrupt (SHA-256 %s, expected %s): downloading it again", path, found, file.sha256
        )
    pooch.get_logger().setLevel(logging.WARNING)  # what it says of each download is the caller's to say
    limited = LimitedProgress(file, progress)
    downloader = pooch.HTTPDownloader(limited, PIECE_BYTES, timeout=TIMEOUT_SECONDS)
    # a folder of its own, so that what a download that was killed has left is found and removed
    part = path.parent / f".{file.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        brought = wait_while_it_comes(
            lambda: pooch.retrieve(url, f"sha256:{file.sha256}", file.name, part, downloader=downloader),
            limited,
        )
        brought.chmod(0o644)  # pooch's temporary file is for its owner alone, a cache may be shared
        brought.replace(path)
    except Exception as error:  # pooch passes on whatever its HTTP library raises
        trouble = f"the download failed: {described(error)}"
        raise DataError(_help(file, url, path, trouble, found)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sha256(path: Path) -> str | None:
    """SHA-256 of the file, None where there is none."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _help(file: DataFile, url: str, path: Path, trouble: str, found: str | None = None) -> str:
    here = f"SHA-256 {found}: corrupt, not used" if found else "no such file"
    return "\n".join(
        [
            f"data file {file.name}: {trouble}",
            f"  expected  SHA-256 {file.sha256}, {file.bytes} bytes",
            f"  found     {here}",
            f"  URL       {url or 'none'}",
            f"  by hand   {'download' if url else 'get'} it and put it at {path}",
            "  or set BENCHSUITE_DATA to a folder that has it, or BENCHSUITE_MIRROR to a server that does.",
        ]
    )
