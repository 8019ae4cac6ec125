"""Sends a study's records to its mirror in a thread of its own: nothing that MLflow does can delay a trial.

The queue is bounded: a record that finds no room is sent at the end, with all that is still missing. So is the
time: an observer waits only as long as stated here, and whatever is missing then is for `benchsuite sync`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.schema import Record

if TYPE_CHECKING:
    from benchsuite.trackers.mirror import Mirror

MOST_WAITING = 1_000
"""Records that wait to be sent."""
START_SECONDS, TRIAL_SECONDS = 5.0, 0.5
"""How long is waited for a mirror to start, and for a record to be sent: this work is usually done before the
next trial begins. After one wait that was too short there is no other until the sender has caught up."""
WAITING_SECONDS, WAITING_SHARE = 5.0, 0.05
"""How long all trials of a study together wait for their records to be sent: this, and this share of the
study's time so far."""
FINISH_SECONDS = 30.0
"""How long the end of a study waits for what is still to be sent: this, or what is left of WAITING_SHARE."""
RETRY_SECONDS, MOST_RETRY_SECONDS = 10.0, 300.0
"""When a mirror that failed is tried again; twice as long after each failure."""


@dataclass(frozen=True)
class _Finish:
    """The last thing to be sent: all records of the study."""

    records: Sequence[Record]
    status: str


class Sender:
    """One study's sender. `connect` gives the mirror; it runs in the thread, as all that the mirror does."""

    def __init__(self, connect: Callable[[], Mirror]) -> None:
        self._connect = connect
        self._waiting: queue.Queue[Record | _Finish] = queue.Queue(MOST_WAITING)
        self._idle, self._ended = threading.Event(), threading.Event()
        self._stopped = False
        self._began, self._waited = time.monotonic(), 0.0
        self._mirror: Mirror | None = None
        self._due, self._pause = 0.0, RETRY_SECONDS
        self.problem: Exception | None = None
        """What went wrong last."""
        self.finished = False
        """Whether all of the study was sent."""
        threading.Thread(target=self._work, name="benchsuite mirror", daemon=True).start()
        self._idle.wait(START_SECONDS)

    @property
    def mirror(self) -> Mirror | None:
        """The mirror, once all was sent: until then the thread uses it."""
        return self._mirror if self.finished else None

    def send(self, record: Record) -> None:
        """Have a record sent soon; one that finds no room is sent at the end."""
        caught_up = self._idle.is_set()
        self._idle.clear()
        try:
            # its curves are on the disk
            self._waiting.put_nowait(
                record.model_copy(update={"series": [], "exhibits": [], "artifacts": {}})
            )
        except queue.Full:
            return
        left = WAITING_SECONDS + self._share() - self._waited
        if caught_up and left > 0:
            begin = time.monotonic()
            self._idle.wait(min(TRIAL_SECONDS, left))
            self._waited += time.monotonic() - begin

    def _share(self) -> float:
        """Seconds that are WAITING_SHARE of the study's time so far."""
        return WAITING_SHARE * (time.monotonic() - self._began)

    def finish(self, records: Sequence[Record], status: str) -> None:
        """Have everything sent that is missing, and the study's run ended with MLflow's `status`. Waits for it,
        but no longer than stated."""
        end = time.monotonic() + max(FINISH_SECONDS, self._share() - self._waited)
        while True:
            try:  # what waits is among the records
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._waiting.put(_Finish(records, status))
        self._ended.wait(max(end - time.monotonic(), 0.0))
        self._stopped = True
        if not self.finished and self.problem is None:
            self.problem = TimeoutError("it takes too long")

    def _work(self) -> None:
        self._try(self._start)
        while not self._stopped:
            if self._waiting.empty():
                self._idle.set()
            match self._waiting.get():
                case _Finish(records, status):
                    self._due = 0.0
                    self.finished = self._try(lambda: self._finish(records, status))
                    self._ended.set()
                    return
                case Record() as record:
                    self._try(lambda: self._send(record))

    def _try(self, act: Callable[[], object]) -> bool:
        """Whether `act` did what it should. After a failure nothing is tried for a while."""
        if time.monotonic() < self._due:
            return False
        try:
            act()
        except Exception as error:  # MLflow may fail in any way
            self.problem, self._mirror = error, None
            self._due, self._pause = time.monotonic() + self._pause, min(2 * self._pause, MOST_RETRY_SECONDS)
            return False
        self.problem, self._pause = None, RETRY_SECONDS
        return True

    def _start(self) -> Mirror:
        if self._mirror is None:
            mirror = self._connect()
            mirror.start()
            self._mirror = mirror
        return self._mirror

    def _send(self, record: Record) -> None:
        self._start().send(record)

    def _finish(self, records: Sequence[Record], status: str) -> None:
        mirror = self._start()
        for record in records:
            if self._stopped:
                return
            mirror.send(record)
        mirror.finish(records, status)
