"""No download takes more of the disk than the file that is pinned."""

from __future__ import annotations

from benchsuite.contracts.file import DataFile
from benchsuite.data.progress import DownloadProgress
from benchsuite.errors import DataError

SURPLUS_BYTES = 1 << 20
"""How much more than the pinned file a server may send before it is not listened to any more."""


class LimitedProgress:
    """Ends the download of `file` when its server sends more than belongs to it; tells `progress`, where there
    is one, what it is told."""

    total = 0

    def __init__(self, file: DataFile, progress: DownloadProgress | None) -> None:
        self._file, self._progress, self._count = file, progress, 0

    def update(self, count: int) -> object:
        """Raises DataError."""
        self._count += count
        if self._count > self._file.bytes + SURPLUS_BYTES:
            raise DataError(f"the server sent more than the {self._file.bytes} bytes of the file")
        if self._progress is None:
            return None
        self._progress.total = self.total
        return self._progress.update(count)

    def reset(self) -> object:
        self._count = 0
        return None if self._progress is None else self._progress.reset()

    def close(self) -> object:
        return None if self._progress is None else self._progress.close()
