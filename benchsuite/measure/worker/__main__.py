"""`python -m benchsuite.measure.worker BACKEND FD`: serves trials of one backend until its standard input ends.

Commands are read from standard input, answers written to the inherited file descriptor FD. Both are taken
out of the frameworks' reach first: standard input becomes /dev/null, and what anything prints goes to the
standard output and error that the parent captures.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Protocol

from benchsuite.contracts.executor import BackendInfo, Progress, RaceSample, Ready, TrialSupport
from benchsuite.measure.worker.channel import (
    AskExamine,
    AskReady,
    AskRun,
    AskSample,
    AskSurvey,
    decode_command,
    encode_examined,
    encode_lap,
    encode_progress,
    encode_ready,
    encode_record,
    encode_survey,
)
from benchsuite.schema import Record, Status, Trial

PROGRESS_SECONDS = 0.1
"""Least time between two progress messages of one phase."""

FAREWELL_SECONDS = 1.0
"""How long a worker without a parent may take to end by itself."""


class Serves(Protocol):
    """What a worker serves its commands with."""

    def survey(self) -> BackendInfo: ...
    def examine(self, trials: Sequence[Trial]) -> list[TrialSupport]: ...
    def run(self, trial: Trial, report: Callable[[Progress], None]) -> Record: ...
    def ready(self, trial: Trial, what: str, report: Callable[[Progress], None]) -> Ready: ...
    def lap(self, calls: int) -> RaceSample: ...


def serve(session: Serves, descriptor: int) -> None:
    """Answer commands from standard input on `descriptor` until standard input ends or the parent is gone."""
    os.set_inheritable(descriptor, False)
    inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(_take_standard_input(), inbox), daemon=True).start()
    with os.fdopen(descriptor, "wb", buffering=0) as channel:
        try:
            while (line := inbox.get()) is not None:
                _write(channel.write, _answer(session, line, channel.write))
        except BrokenPipeError:
            return


def _answer(session: Serves, line: bytes, write: Callable[[bytes], int | None]) -> bytes:
    match decode_command(line):
        case AskSurvey():
            return encode_survey(session.survey())
        case AskExamine(trials):
            return encode_examined(session.examine(trials))
        case AskRun(trial):
            record = _run(session, trial, _Reporter(write))
            # what the trial printed must be in the parent's pipe before the record that ends the trial
            sys.stdout.flush()
            sys.stderr.flush()
            return encode_record(record)
        case AskReady(trial, what):
            return encode_ready(session.ready(trial, what, _Reporter(write)))
        case AskSample(calls):
            return encode_lap(session.lap(calls))


def _run(session: Serves, trial: Trial, report: Callable[[Progress], None]) -> Record:
    started = time.time()
    try:
        return session.run(trial, report)
    except BrokenPipeError:
        raise
    except Exception as error:  # the session promises not to raise; if it does, the other trials still run
        text = "".join(traceback.format_exception(error))
        reason = f"{type(error).__name__}: {error}"
        return Record(
            trial=trial,
            status=Status.FAILED,
            reason=_printable(reason),
            exception=_printable(text),
            started=started,
            finished=time.time(),
        )


class _Reporter:
    """Passes progress on, but no more of one phase than a person can read."""

    def __init__(self, write: Callable[[bytes], int | None]) -> None:
        self._write, self._phase, self._due = write, "", 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase == self._phase and now < self._due:
            return
        self._phase, self._due = progress.phase, now + PROGRESS_SECONDS
        _write(self._write, encode_progress(progress))


def _write(write: Callable[[bytes], int | None], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[write(rest.tobytes()) or 0 :]


def _take_standard_input() -> int:
    """Move standard input out of the frameworks' reach; returns the descriptor that commands come from."""
    commands = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return commands


def _listen(commands: int, inbox: queue.SimpleQueue[bytes | None]) -> None:
    """Queue commands; at end-of-file let the process end, and end it by force when a trial holds it up."""
    with os.fdopen(commands, "rb") as lines:
        for line in lines:
            inbox.put(line)
    inbox.put(None)
    time.sleep(FAREWELL_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _printable(text: str) -> str:
    """Text without lone surrogates, which no record may hold."""
    return text.encode(errors="replace").decode()


def main(arguments: Sequence[str]) -> None:
    """Serve the backend that the first argument names, on the descriptor that the second one gives."""
    from benchsuite.measure.worker.runner import Session

    backend, descriptor = arguments
    serve(Session(backend), int(descriptor))


if __name__ == "__main__":
    main(sys.argv[1:])
