"""What the core and its plugins promise each other. Plugin authors import everything from here."""

from benchsuite.contracts.backend import (
    Advance,
    Backend,
    BackendEntry,
    Decoding,
    Device,
    Gradients,
    Program,
    StepLog,
)
from benchsuite.contracts.batch import Batch
from benchsuite.contracts.dataset import Ragged, Split
from benchsuite.contracts.executor import (
    BackendInfo,
    Event,
    Executor,
    ExecutorEntry,
    Finished,
    Progress,
    RaceSample,
    Ready,
    RunOptions,
    Started,
    TrialSupport,
)
from benchsuite.contracts.file import DataFile
from benchsuite.contracts.options import Option, Options
from benchsuite.contracts.probe import Phase, Probe
from benchsuite.contracts.study import Damage, StudyInfo
from benchsuite.contracts.task import Alignments, LoadedTask, Task, TaskEntry

__all__ = [
    "Advance",
    "Alignments",
    "Backend",
    "BackendEntry",
    "BackendInfo",
    "Batch",
    "Damage",
    "DataFile",
    "Decoding",
    "Device",
    "Event",
    "Executor",
    "ExecutorEntry",
    "Finished",
    "Gradients",
    "LoadedTask",
    "Option",
    "Options",
    "Phase",
    "Probe",
    "Program",
    "Progress",
    "RaceSample",
    "Ragged",
    "Ready",
    "RunOptions",
    "Split",
    "Started",
    "StepLog",
    "StudyInfo",
    "Task",
    "TaskEntry",
    "TrialSupport",
]
