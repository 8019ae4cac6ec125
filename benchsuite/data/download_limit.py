"""No download takes more of the disk than the file that is pinned, and none goes on for ever."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchsuite.contracts.file import DataFile
from benchsuite.data.progress import DownloadProgress
from benchsuite.errors import DataError

SURPLUS_BYTES = 1 << 20
"""How much more than the pinned file a server may send before it is not listened to any more."""

PIECE_BYTES = 1 << 16
"""What is read at a time, and told to a progress bar."""

PIECE_SECONDS = 60.0
"""How long a server may need for a piece, and for its first answer. It may answer in time each time that it is
listened to and still never end: a byte every second is no silence."""

_LOOK_SECONDS = 1.0


class LimitedProgress:
    """Ends the download of `file` when its server sends more than belongs to it, or when nobody waits for it
    any more; tells `progress`, where there is one, what it is told.

    heard  time.monotonic() when the last piece came
    whole  whether all of it is here
    """

    total = 0

    def __init__(self, file: DataFile, progress: DownloadProgress | None) -> None:
        self._file, self._progress, self._count = file, progress, 0
        self.heard, self.whole, self._abandoned = time.monotonic(), False, False

    def abandon(self) -> None:
        """Nobody waits for it any more: the next piece raises."""
        self._abandoned = True

    def update(self, count: int) -> object:
        """Raises DataError."""
        self._go_on()
        self._count += count
        if self._count > self._file.bytes + SURPLUS_BYTES:
            raise DataError(f"the server sent more than the {self._file.bytes} bytes of the file")
        if self._progress is None:
            return None
        self._progress.total = self.total
        return self._progress.update(count)

    def reset(self) -> object:
        """Raises DataError."""
        self._go_on()
        self._count = 0
        return None if self._progress is None else self._progress.reset()

    def close(self) -> object:
        self.whole = True
        return None if self._progress is None else self._progress.close()

    def _go_on(self) -> None:
        if self._abandoned:
            raise DataError("nobody waits for this download any more")
        self.heard = time.monotonic()


def wait_while_it_comes(bring: Callable[[], str], progress: LimitedProgress) -> Path:
    """What `bring` gives, which downloads a file and tells `progress` of each piece.

    It is called in a thread, because no time limit of an HTTP library ends a server that sends a byte now and
    then, in its headers for instance. Raises TimeoutError when a piece takes longer than PIECE_SECONDS, and
    whatever `bring` raises. A thread that is given up ends with the next piece that its server sends, or with
    the server's silence.
    """
    answers: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(bring())
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        while True:
            try:
                answer = answers.get(timeout=min(_LOOK_SECONDS, PIECE_SECONDS))
            except queue.Empty:
                if not progress.whole and time.monotonic() > progress.heard + PIECE_SECONDS:
                    raise TimeoutError(
                        f"the server sent less than {PIECE_BYTES >> 10} KiB in {PIECE_SECONDS:g} s"
                    ) from None
                continue
            if isinstance(answer, BaseException):
                raise answer
            return Path(answer)
    finally:
        progress.abandon()
