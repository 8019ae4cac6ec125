"""Executor: runs trials somewhere and yields what happened, as it happens."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ConfigDict, with_config

from benchsuite.contracts.study import StudyInfo
from benchsuite.schema import Cause, Record, Trial
from benchsuite.schema.entry_checks import check_function, check_mapping, check_name, check_text, check_tuple

NUMBERS = ConfigDict(ser_json_inf_nan="strings")
"""Of what travels as JSON: a loss may be NaN, a time infinite."""


@with_config(NUMBERS)
@dataclass(frozen=True)
class RunOptions:
    """How trials are run; none of it is part of a trial's identity.

    isolation  `worker`: warm workers serve trials in turn; `trial`: a fresh process for every trial
    jobs       trials at the same time; None for as many as fit on the machine
    timeout    seconds a trial may take, None for no limit
    memory     bytes that a trial may use with all that it starts, infinite for no limit; None for its share of
               what is free when the run begins
    retries    cause (`schema.Cause`) -> how often a trial that ended so is tried again
    pythons    backend name -> interpreter, for backends that live in another one than this; goes before the
               environments of `benchsuite env create`
    pin        whether trials on the CPU are kept on processor cores of their own, as many as they have threads
    settings   (name, value) of `--executor-option`, in the order given: what only one executor knows
    """

    isolation: str = "worker"
    jobs: int | None = 1
    timeout: float | None = None
    pythons: tuple[tuple[str, str], ...] = ()
    pin: bool = True
    memory: float | None = None
    retries: tuple[tuple[Cause, int], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Started:
    """A trial began."""

    trial: Trial


WAITING = "wait"
"""The phase of a trial that waits because another trial of the machine is timed alone, or to be timed alone
itself. Its time limit does not count until it goes on."""


@with_config(NUMBERS)
@dataclass(frozen=True)
class Progress:
    """A trial moved on: phase, epoch of how many, latest training loss and validation metric."""

    trial: Trial
    phase: str
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    metric: float | None = None


@dataclass(frozen=True)
class Finished:
    """A trial ended, whichever way."""

    record: Record


@dataclass(frozen=True)
class Notice:
    """Something that a user should know of how the trials run, and that is about none of them."""

    message: str


Event = Started | Progress | Finished | Notice


@dataclass(frozen=True)
class BackendInfo:
    """What a worker of one backend says of itself: asked of the backend's own interpreter, never guessed.

    problem  why the backend cannot be used here (the extra to install, an import error), or ""
    devices  device name -> description
    broken   the problem is a fault (a crash, an import that fails), not something that is not installed
    """

    backend: str
    problem: str
    devices: dict[str, str]
    versions: dict[str, str]
    python: str
    broken: bool = False


@dataclass(frozen=True)
class TrialSupport:
    """Whether a trial can run.

    reason       why not, or None where it can
    fingerprint  hash of the code, the framework and the interpreter that would produce its record; "" where a
                 reason is given, and where it can be told only where the trial runs: its record is then not
                 called stale
    broken       the reason is a fault (a crash, a framework that cannot be imported), not a limit: the trial
                 is recorded as failed, where it would be skipped otherwise
    """

    reason: str | None
    fingerprint: str = ""
    broken: bool = False


@with_config(NUMBERS)
@dataclass(frozen=True)
class Ready:
    """A racer that is ready: built, at parity with the reference, warm.

    problem  why it cannot race (parity, a framework's error, an invalid timing), or ""
    calls    calls per sample; batches: batches per call
    seconds  wall time of one batch, as measured while warming up
    warm     whether warm-up became stable within its time
    facts    what its record would say of its environment
    """

    problem: str
    calls: int = 1
    batches: int = 1
    seconds: float = 0.0
    warm: bool = False
    kernel: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@with_config(NUMBERS)
@dataclass(frozen=True)
class RaceSample:
    """One racer's timing in one round.

    wall, cpu  seconds per batch
    idle       processor seconds that its process took while the others ran: none, where all is well
    problem    why there is no such timing, or ""
    """

    wall: float
    cpu: float
    idle: float = 0.0
    problem: str = ""


@with_config(NUMBERS)
@dataclass(frozen=True)
class CalibratedTrial:
    """The way in which a trial runs on this machine.

    problem   why there is none, or ""
    way       the unroll and the backend's choices: `dynamic products=onednn tanh=plain`
    seconds   way -> median seconds of a training step when it was measured, the default first; empty where
              nothing was open
    measured  seconds that the measurement took; 0 where it was kept from before
    """

    problem: str
    way: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    measured: float = 0.0


class Executor(abc.ABC):
    """Runs trials. Leaving the context ends every process it started."""

    @abc.abstractmethod
    def describe_backends(self, backends: Sequence[str]) -> list[BackendInfo]:
        """Ask a worker of each backend what it has; one that cannot start has a problem."""

    @abc.abstractmethod
    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        """Ask the workers whether each trial can run, in the order of `trials`. Runs nothing."""

    @abc.abstractmethod
    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Yield events until every trial has its Finished; a crash or timeout of one is its record, and the
        next one runs."""

    def jobs(self, trials: Sequence[Trial]) -> int:  # noqa: ARG002
        """How many of these trials run at the same time; by default one."""
        return 1

    def join(self, study: StudyInfo) -> None:  # noqa: B027
        """Hear which study the trials of the next run() belong to. Nothing needs to be done with that."""

    def left_behind(self) -> str:
        """What goes on after a run that was interrupted, and how to end it; "" where nothing does."""
        return ""

    def cancel(self, study: StudyInfo) -> list[str]:  # noqa: ARG002
        """End what an earlier command left behind of a study; a sentence on each thing that was ended."""
        return []

    def remarks(self, trials: Sequence[Trial]) -> list[str]:  # noqa: ARG002
        """What a user should know of how these trials will run; nothing by default."""
        return []

    @abc.abstractmethod
    def close(self) -> None:
        """End every worker."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True)
class ExecutorEntry:
    """The cheap card of an executor.

    settings    name -> meaning of what `--executor-option NAME=VALUE` may set; a name that ends with `*` allows
                every name that begins so
    repeatable  those of them that may be given several times
    """

    name: str
    load: Callable[[RunOptions], Executor]
    summary: str
    requirements: tuple[str, ...] = ()
    extra: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    repeatable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises PluginError for a field that is not what this class says."""
        check_name("executor", self.name)
        check_function(self, "load")
        check_text(self, "summary")
        check_tuple(self, "requirements", str)
        check_mapping(self, "settings", str)
        check_tuple(self, "repeatable", str)
