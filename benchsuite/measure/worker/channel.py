"""The messages between a worker and the process that supervises it: one JSON object a line.

Commands go to the worker's standard input; answers come back on a pipe of their own, because frameworks
print on standard output and error. Both ends are Python, so NaN and the infinities travel as the literals
that the json module writes and reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchsuite.contracts.executor import BackendInfo, Progress, RaceSample, Ready, TrialSupport
from benchsuite.errors import WorkerError
from benchsuite.schema import Record, Trial


@dataclass(frozen=True)
class AskSurvey:
    """What is the backend, and what does it find on this machine?"""


@dataclass(frozen=True)
class AskExamine:
    """Can these trials run?"""

    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class AskRun:
    """Run this trial."""

    trial: Trial


@dataclass(frozen=True)
class AskReady:
    """Get ready to race this trial: its training steps, or its inference."""

    trial: Trial
    what: str


@dataclass(frozen=True)
class AskSample:
    """Run one lap of so many calls of what is ready."""

    calls: int


Command = AskSurvey | AskExamine | AskRun | AskReady | AskSample
Answer = BackendInfo | list[TrialSupport] | Progress | Record | Ready | RaceSample


def encode_command(command: Command) -> bytes:
    """A command as one line."""
    match command:
        case AskSurvey():
            return _line({"command": "survey"})
        case AskExamine(trials):
            return _line({"command": "examine", "trials": [trial.model_dump() for trial in trials]})
        case AskRun(trial):
            return _line({"command": "run", "trial": trial.model_dump()})
        case AskReady(trial, what):
            return _line({"command": "ready", "trial": trial.model_dump(), "what": what})
        case AskSample(calls):
            return _line({"command": "lap", "calls": calls})


def decode_command(line: bytes) -> Command:
    """The command that a line holds. Raises WorkerError for anything else."""
    message = _message(line)
    match message:
        case {"command": "survey"}:
            return AskSurvey()
        case {"command": "examine", "trials": [*trials]}:
            return AskExamine(tuple(Trial.model_validate(trial) for trial in trials))
        case {"command": "run", "trial": trial}:
            return AskRun(Trial.model_validate(trial))
        case {"command": "ready", "trial": trial, "what": str(what)}:
            return AskReady(Trial.model_validate(trial), what)
        case {"command": "lap", "calls": int(calls)}:
            return AskSample(calls)
    raise WorkerError(f"a worker was sent a message it does not know: {_shorten(line)}")


def encode_survey(survey: BackendInfo) -> bytes:
    """The answer to AskSurvey."""
    return _line({"answer": "survey", **asdict(survey)})


def encode_examined(examined: Sequence[TrialSupport]) -> bytes:
    """The answer to AskExamine, in the order of its trials, which need not travel back."""
    return _line(
        {"answer": "examined", "found": [[one.reason, one.fingerprint, one.broken] for one in examined]}
    )


def encode_progress(progress: Progress) -> bytes:
    """A sign of life from the trial being run, which need not travel back."""
    fields = {key: value for key, value in vars(progress).items() if key != "trial"}
    return _line({"answer": "progress", **fields})


def encode_record(record: Record) -> bytes:
    """The answer to AskRun: the record without its trial, and what its dump leaves out."""
    beside = {
        "series": [one.model_dump() for one in record.series],
        "exhibits": [one.model_dump() for one in record.exhibits],
        "artifacts": record.artifacts,
    }
    return _line(
        {
            "answer": "record",
            "trial_id": record.trial_id,
            "record": record.model_dump(exclude={"trial"}),
            **beside,
        }
    )


def encode_ready(ready: Ready) -> bytes:
    """The answer to AskReady."""
    return _line({"answer": "ready", **asdict(ready)})


def encode_lap(lap: RaceSample) -> bytes:
    """The answer to AskSample."""
    return _line({"answer": "lap", **asdict(lap)})


def decode_answer(line: bytes, command: Command) -> Answer:
    """What a worker said to `command`. Raises WorkerError when it is no answer to it."""
    message = _message(line)
    kind = message.pop("answer", None)
    try:
        match kind, command:
            case "survey", AskSurvey():
                return BackendInfo(**message)
            case "examined", AskExamine(trials):
                found = zip(trials, message["found"], strict=True)
                return [TrialSupport(trial, reason, mark, broken) for trial, (reason, mark, broken) in found]
            case "progress", AskRun(trial) | AskReady(trial, _):
                return Progress(trial=trial, **message)
            case "ready", AskReady():
                return Ready(**message)
            case "lap", AskSample():
                return RaceSample(**message)
            case "record", AskRun(trial) if message["trial_id"] == trial.id:
                beside = {name: message[name] for name in ("series", "exhibits", "artifacts")}
                return Record.model_validate({**message["record"], "trial": trial, **beside})
    except (KeyError, TypeError, ValueError) as error:
        raise WorkerError(f"a worker's answer is malformed ({error}): {_shorten(line)}") from error
    raise WorkerError(f"a worker answered out of turn: {_shorten(line)}")


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise WorkerError(f"a line on a worker's channel is not JSON: {_shorten(line)}") from error
    if not isinstance(message, dict):
        raise WorkerError(f"a line on a worker's channel is not a JSON object: {_shorten(line)}")
    return message


def _shorten(line: bytes, most: int = 120) -> str:
    return repr(line[:most].decode(errors="replace")) + ("..." if len(line) > most else "")
