"""The download cache: pinned files in, verified paths out.

Settings, read at every call:

    BENCHSUITE_DATA    the cache folder; unset, the user's cache folder of this platform
    BENCHSUITE_MIRROR  http(s) base URL that serves every file by its cache name, instead of the pinned URLs
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchsuite.contracts.file import DataFile
from benchsuite.errors import DataError, RequestError

FileState = Literal["present", "missing", "corrupt"]

_log = logging.getLogger(__name__)

_verified: dict[tuple[str, int, int], str] = {}
"""(path, size, mtime in ns) -> SHA-256, so that a process reads each file for its hash only once."""


@dataclass(frozen=True)
class Cached:
    """A file and its state in the cache folder; `path` is where it lies or should lie."""

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
    """Whether the cache holds `file`, by its SHA-256; looks at the disk only.

    Raises DataError when the cached file cannot be read.
    """
    path = cache_folder() / file.name
    if not path.is_file():
        return "missing"
    return "present" if _sha256(path) == file.sha256 else "corrupt"


def list_files(files: Iterable[DataFile]) -> list[Cached]:
    """Every file with its path and state, in the order given."""
    folder = cache_folder()
    return [Cached(file, folder / file.name, status(file)) for file in files]


def verify_files(files: Iterable[DataFile]) -> list[Cached]:
    """As list_files, but every hash is computed anew from the bytes on disk."""
    _verified.clear()
    return list_files(files)


def fetch(file: DataFile) -> Path:
    """Path of a copy of `file` whose SHA-256 is the pinned one; downloads it where the cache has none.

    A cached file with another hash is never used: it is replaced, with a warning in the log, or where no
    replacement can be had it is left alone. Safe when several processes ask at once.

    Raises DataError saying which file, the expected and the found SHA-256, the URL, and where to put it by
    hand; RequestError for a BENCHSUITE_MIRROR that is no http(s) URL.
    """
    path = cache_folder() / file.name
    if status(file) == "present":
        return path
    url = _url(file)
    import filelock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.parent / f".{file.name}.lock"):
            if status(file) != "present":  # another process may have brought it while this one waited
                _download(file, url, path)
    except OSError as error:
        raise DataError(_help(file, url, path, f"the cache folder cannot be used: {error}")) from error
    return path


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


def _download(file: DataFile, url: str, path: Path) -> None:
    """Bring `file` to `path`, atomically and only if its hash is right; the caller holds the lock."""
    found = _sha256(path) if path.is_file() else None
    if found:
        _log.warning(
            "%s is corrupt (SHA-256 %s, expected %s): downloading it again", path, found, file.sha256
        )
    import pooch

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{file.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        try:
            pooch.HTTPDownloader(timeout=30)(url, str(part), None)
        except Exception as error:  # the downloader passes on whatever its HTTP library raises
            trouble = f"the download failed: {type(error).__name__}: {error}"
            raise DataError(_help(file, url, path, trouble, found)) from error
        got = _sha256(part)
        if got != file.sha256:
            trouble = f"the download has {part.stat().st_size} bytes and SHA-256 {got}"
            raise DataError(_help(file, url, path, trouble, found))
        part.chmod(0o644)  # mkstemp gives 0600, a cache may be shared
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    try:
        stat = path.stat()
        key = (str(path), stat.st_size, stat.st_mtime_ns)
        if key not in _verified:
            with path.open("rb") as stream:
                _verified[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return _verified[key]


def _help(file: DataFile, url: str, path: Path, trouble: str, found: str | None = None) -> str:
    here = f"SHA-256 {found}: corrupt, not used" if found else "no such file"
    return "\n".join(
        [
            f"data file {file.name}: {trouble}",
            f"  expected  SHA-256 {file.sha256}, {file.bytes} bytes",
            f"  found     {here}",
            f"  URL       {url}",
            f"  by hand   download it and put it at {path}",
            "  or set BENCHSUITE_DATA to a folder that has it, or BENCHSUITE_MIRROR to a server that does.",
        ]
    )
