"""`python -m benchsuite.measure.worker BACKEND FD`: serves trials of one backend until its standard input ends.

Commands are read from standard input, answers written to the inherited file descriptor FD. Frameworks
have access to neither: standard input becomes /dev/null, and what anything prints goes to the standard output
and error that the parent captures.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from benchsuite.contracts.executor import (
    BackendInfo,
    CalibratedTrial,
    Progress,
    RaceSample,
    Ready,
    TrialSupport,
)
from benchsuite.measure.worker.channel import (
    BackendDescribed,
    CalibrateTrial,
    CaseChecked,
    CaseFailed,
    CaseResult,
    CasesListed,
    CaseStarted,
    CheckBackend,
    CheckCell,
    CheckCommand,
    ChecksFinished,
    CheckSupport,
    CheckTask,
    DescribeBackend,
    ListCases,
    PrepareRacer,
    ProgressMade,
    RacerReady,
    RunTrial,
    SampleTaken,
    SupportChecked,
    TakeSample,
    Tell,
    TrialCalibrated,
    TrialFinished,
    WorkerAnswer,
    decode_command,
    encode,
)
from benchsuite.schema import Record, Status, Trial
from benchsuite.schema.texts import described, traced

Write = Callable[[bytes], int | None]
"""Writes some of the bytes given; returns how many."""

PROGRESS_SECONDS = 0.1
"""Least time between two progress messages of one phase."""

FAREWELL_SECONDS = 1.0
"""How long a worker without a parent may take to end by itself."""


class Serves(Protocol):
    """What a worker serves its commands with."""

    def describe_backend(self) -> BackendInfo: ...
    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]: ...
    def run(self, trial: Trial, report: Callable[[Progress], None]) -> Record: ...
    def ready(self, trial: Trial, what: str, report: Callable[[Progress], None]) -> Ready: ...
    def sample(self, calls: int) -> RaceSample: ...
    def calibrate(self, trial: Trial, since: float) -> CalibratedTrial: ...
    def list_cases(self, asked: CheckCommand) -> CasesListed: ...
    def check(self, asked: CheckCommand, tell: Tell) -> int: ...


def serve(session: Serves, descriptor: int) -> None:
    """Answer commands from standard input on `descriptor` until standard input ends or the parent is gone."""
    os.set_inheritable(descriptor, False)
    inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(_take_standard_input(), inbox), daemon=True).start()
    with os.fdopen(descriptor, "wb", buffering=0) as channel:
        try:
            while (line := inbox.get()) is not None:
                _send(channel.write, _answer(session, line, channel.write))
        except BrokenPipeError:
            return


def _answer(session: Serves, line: bytes, write: Write) -> WorkerAnswer:
    """The last answer to the command on `line`; those before it are written as they come."""
    match decode_command(line):
        case DescribeBackend():
            return BackendDescribed(content=session.describe_backend())
        case CheckSupport(trials=trials):
            return SupportChecked(content=session.check_support(trials))
        case RunTrial(trial=trial):
            record = _run(session, trial, _Reporter(write))
            # what the trial printed must be in the parent's pipe before the record that ends the trial
            sys.stdout.flush()
            sys.stderr.flush()
            return TrialFinished.of(record)
        case PrepareRacer(trial=trial, what=what):
            return RacerReady(content=session.ready(trial, what, _Reporter(write)))
        case TakeSample(calls=calls):
            return SampleTaken(content=session.sample(calls))
        case CalibrateTrial(trial=trial, since=since):
            return TrialCalibrated(content=session.calibrate(trial, since))
        case ListCases(of=check):
            return session.list_cases(check)
        case CheckBackend() | CheckTask() | CheckCell() as check:
            return ChecksFinished(content=session.check(check, _teller(write)))


def _run(session: Serves, trial: Trial, report: Callable[[Progress], None]) -> Record:
    started = time.time()
    try:
        return session.run(trial, report)
    except BrokenPipeError:
        raise
    except Exception as error:  # the session promises not to raise; if it does, the other trials still run
        return Record(
            trial=trial,
            status=Status.FAILED,
            cause="exception",
            reason=described(error),
            exception=traced(error),
            started=started,
            finished=time.time(),
        )


class _Reporter:
    """Passes progress on, but no more of one phase than a person can read."""

    def __init__(self, write: Write) -> None:
        self._write, self._phase, self._due = write, "", 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase == self._phase and now < self._due:
            return
        self._phase, self._due = progress.phase, now + PROGRESS_SECONDS
        _send(self._write, ProgressMade(content=progress))


def _teller(write: Write) -> Tell:
    """Writes the start and the result of every case of a check."""

    def tell(event: CaseStarted | CaseFailed | CaseResult) -> None:
        _send(write, CaseChecked(content=event) if isinstance(event, CaseResult) else event)

    return tell


def _send(write: Write, answer: WorkerAnswer) -> None:
    rest = memoryview(encode(answer))
    while rest:
        rest = rest[write(rest.tobytes()) or 0 :]


def _take_standard_input() -> int:
    """Move standard input away from the frameworks; returns the descriptor that commands come from."""
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


def main(arguments: Sequence[str]) -> None:
    """Serve the backend that the first argument names, on the descriptor that the second one gives."""
    from benchsuite.measure.worker.runner import Session

    backend, descriptor = arguments
    serve(Session(backend), int(descriptor))


if __name__ == "__main__":
    main(sys.argv[1:])
