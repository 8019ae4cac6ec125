"""The messages between a worker and the process that supervises it: one JSON object per line.

Commands go to the worker's standard input. Answers come back on a pipe of their own, because frameworks print
on standard output and error. Every message is one class here, with a `kind` of its own; pydantic
writes and reads them, and refuses what is none of them. NaN and the infinities travel as text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from benchsuite.contracts.executor import (
    BackendInfo,
    CalibratedTrial,
    Progress,
    RaceSample,
    Ready,
    TrialSupport,
)
from benchsuite.errors import ContractError, WorkerError
from benchsuite.schema import Exhibit, Record, Series, Trial
from benchsuite.schema.bounds import bounded
from benchsuite.schema.texts import cleaned
from benchsuite.schema.trial import Frozen
from benchsuite.schema.validation import first_problem


class CaseId(Frozen):
    """Names one case of a check. `unroll` is "" for a check that has none, such as a task's."""

    check: str
    unroll: str = ""


class CaseResult(CaseId):
    """How one case of a check ended.

    message   why it failed or is not supported
    begins    where in the computation a failure begins: the step, the gate, the parameter; "" for unknown
    smallest  the smallest input that shows the failure, and its numbers
    place     `file:line in function`: the plugin's own code that the failure came from
    trace     the traceback of what was raised
    seconds   how long the case took
    """

    status: Literal["ok", "failed", "unsupported", "absent"] = "ok"
    """`absent`: what the case needs is not on this machine, such as data that would be downloaded."""
    message: str = ""
    begins: str = ""
    smallest: str = ""
    place: str = ""
    trace: str = ""
    seconds: float = 0.0


class _Answer(Frozen):
    """`ends`: whether it is the last answer to its command."""

    ends: ClassVar[bool] = True


class BackendDescribed(_Answer):
    kind: Literal["backend"] = "backend"
    content: BackendInfo


class SupportChecked(_Answer):
    """One entry per trial, in the order of the command's trials."""

    kind: Literal["support"] = "support"
    content: list[TrialSupport]


class ProgressMade(_Answer):
    ends: ClassVar[bool] = False
    kind: Literal["progress"] = "progress"
    content: Progress


class TrialFinished(_Answer):
    """The record, and beside it what the JSON of a record leaves out."""

    kind: Literal["record"] = "record"
    record: Record
    series: list[Series]
    exhibits: list[Exhibit]
    artifacts: dict[str, str]

    @classmethod
    def of(cls, record: Record) -> TrialFinished:
        """The answer for `record`, which is bounded here."""
        kept = bounded(record)
        return cls(record=kept, series=kept.series, exhibits=kept.exhibits, artifacts=kept.artifacts)

    @property
    def content(self) -> Record:
        apart = {"series": self.series, "exhibits": self.exhibits, "artifacts": self.artifacts}
        return self.record.model_copy(update=apart)


class RacerReady(_Answer):
    kind: Literal["ready"] = "ready"
    content: Ready


class SampleTaken(_Answer):
    kind: Literal["sample"] = "sample"
    content: RaceSample


class TrialCalibrated(_Answer):
    kind: Literal["calibrated"] = "calibrated"
    content: CalibratedTrial


class CaseStarted(_Answer):
    """`content` is the case that is checked from now on; it has no outcome yet."""

    ends: ClassVar[bool] = False
    kind: Literal["case_started"] = "case_started"
    check: str
    unroll: str = ""

    @property
    def content(self) -> CaseStarted:
        return self


class CaseFailed(_Answer):
    """`content` is a case that has failed; how is looked into from now on, and CaseChecked says the rest."""

    ends: ClassVar[bool] = False
    kind: Literal["case_failed"] = "case_failed"
    result: CaseResult

    @property
    def content(self) -> CaseFailed:
        return self


class CaseChecked(_Answer):
    ends: ClassVar[bool] = False
    kind: Literal["case"] = "case"
    content: CaseResult


class CasesListed(_Answer):
    """`content` is itself: the cases in their order.

    fingerprint  hash of the code and versions that the results will depend on
    """

    kind: Literal["cases_listed"] = "cases_listed"
    cases: tuple[CaseId, ...]
    fingerprint: str

    @property
    def content(self) -> CasesListed:
        return self


class ChecksFinished(_Answer):
    """`content` is how many cases were checked."""

    kind: Literal["checks_finished"] = "checks_finished"
    content: int


WorkerAnswer = (
    BackendDescribed
    | SupportChecked
    | ProgressMade
    | TrialFinished
    | RacerReady
    | SampleTaken
    | TrialCalibrated
    | CaseStarted
    | CaseFailed
    | CaseChecked
    | CasesListed
    | ChecksFinished
)
Content = (
    BackendInfo
    | list[TrialSupport]
    | Progress
    | Record
    | Ready
    | RaceSample
    | CalibratedTrial
    | CaseStarted
    | CaseFailed
    | CaseResult
    | CasesListed
    | int
)
"""What an answer's `content` is."""


class DescribeBackend(Frozen):
    """What is the backend, and what does it find on this machine?"""

    answers: ClassVar = (BackendDescribed,)
    kind: Literal["describe_backend"] = "describe_backend"


class CheckSupport(Frozen):
    """Can these trials run?"""

    answers: ClassVar = (SupportChecked,)
    kind: Literal["check_support"] = "check_support"
    trials: tuple[Trial, ...]


class RunTrial(Frozen):
    """Run this trial."""

    answers: ClassVar = (ProgressMade, TrialFinished)
    kind: Literal["run_trial"] = "run_trial"
    trial: Trial


class PrepareRacer(Frozen):
    """Get ready to race this trial: its training steps (`step`), or its inference."""

    answers: ClassVar = (ProgressMade, RacerReady)
    kind: Literal["prepare_racer"] = "prepare_racer"
    trial: Trial
    what: str


class TakeSample(Frozen):
    """Time so many calls of the racer that is ready."""

    answers: ClassVar = (SampleTaken,)
    kind: Literal["take_sample"] = "take_sample"
    calls: int


class CalibrateTrial(Frozen):
    """In which way does this trial run on this machine? What was measured before `since`, in seconds since
    1970, is measured again."""

    answers: ClassVar = (TrialCalibrated,)
    kind: Literal["calibrate_trial"] = "calibrate_trial"
    trial: Trial
    since: float = 0.0


class _Check(Frozen):
    """`cases` are those that are run, in the check's own order; None for all."""

    answers: ClassVar = (CaseStarted, CaseFailed, CaseChecked, ChecksFinished)
    cases: tuple[CaseId, ...] | None = None


class CheckBackend(_Check):
    """Run the conformance kit on the backend. `core` leaves out what repeats a property on a further model."""

    kind: Literal["check_backend"] = "check_backend"
    precision: str
    unrolls: tuple[str, ...]
    device: str = "cpu"
    core: bool = False


class CheckTask(_Check):
    """Check a task on these of its sources. `download`: also on those whose data are not on this machine."""

    kind: Literal["check_task"] = "check_task"
    task: str
    sources: tuple[str, ...]
    download: bool = True


class CheckCell(_Check):
    """Check a cell by itself (`unrolls` is empty), or in the backend under these unrolls."""

    kind: Literal["check_cell"] = "check_cell"
    cell: str
    precision: str = "float64"
    unrolls: tuple[str, ...] = ()
    device: str = "cpu"


CheckCommand = CheckBackend | CheckTask | CheckCell


class ListCases(Frozen):
    """Which cases would this check run?"""

    answers: ClassVar = (CasesListed,)
    kind: Literal["list_cases"] = "list_cases"
    of: Annotated[CheckCommand, Field(discriminator="kind")]


WorkerCommand = (
    DescribeBackend
    | CheckSupport
    | RunTrial
    | PrepareRacer
    | TakeSample
    | CalibrateTrial
    | CheckBackend
    | CheckTask
    | CheckCell
    | ListCases
)

_COMMAND: TypeAdapter[WorkerCommand] = TypeAdapter(Annotated[WorkerCommand, Field(discriminator="kind")])
_ANSWER: TypeAdapter[WorkerAnswer] = TypeAdapter(Annotated[WorkerAnswer, Field(discriminator="kind")])


Tell = Callable[[CaseStarted | CaseFailed | CaseResult], None]
"""Called for every case of a check: as it begins, where it has failed, and as it ends."""


_BACKEND: TypeAdapter[BackendInfo] = TypeAdapter(BackendInfo)


def validated(found: BackendInfo) -> BackendInfo:
    """`found` with texts that can be sent. Raises ContractError where a plugin gave something else."""
    try:
        return _BACKEND.validate_python(cleaned(asdict(found)))
    except ValidationError as error:
        raise ContractError(
            f"a backend described itself against its contract: {first_problem(error)}"
        ) from error


def encode(message: WorkerCommand | WorkerAnswer) -> bytes:
    """A message as one line; lone surrogates, which no JSON holds, become question marks."""
    try:
        return message.model_dump_json().encode() + b"\n"
    except PydanticSerializationError:
        plain = type(message).model_validate(cleaned(message.model_dump()))
        return plain.model_dump_json().encode() + b"\n"


def decode_command(line: bytes) -> WorkerCommand:
    """The command that a line holds. Raises WorkerError for anything else."""
    try:
        return _COMMAND.validate_json(line)
    except ValidationError as error:
        raise WorkerError(
            f"a worker was sent a message that it does not know{_detail(error, line)}"
        ) from error


def decode_answer(line: bytes, command: WorkerCommand) -> WorkerAnswer:
    """A worker's answer to `command`. Raises WorkerError when it is no answer to it."""
    try:
        answer = _ANSWER.validate_json(line)
    except ValidationError as error:
        raise WorkerError(f"a worker's answer is malformed{_detail(error, line)}") from error
    if not isinstance(answer, command.answers) or not _fits(answer, command):
        raise WorkerError(f"a worker answered out of turn: {_shorten(line)}")
    return answer


def _fits(answer: WorkerAnswer, command: WorkerCommand) -> bool:
    """Whether an answer of the right kind is about what was asked."""
    match answer, command:
        case SupportChecked(content=found), CheckSupport(trials=trials):
            return len(found) == len(trials)
        case TrialFinished(record=record), RunTrial(trial=trial):
            return record.trial_id == trial.id
        case _:
            return True


def _detail(error: ValidationError, line: bytes) -> str:
    return f" ({first_problem(error)[:200]}): {_shorten(line)}"


def _shorten(line: bytes, most: int = 120) -> str:
    return repr(line[:most].decode(errors="replace")) + ("..." if len(line) > most else "")
