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
from benchsuite.contracts.dataset import Dataset, Ragged, Split
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
from benchsuite.contracts.probe import Phase, Probe
from benchsuite.contracts.study import StudyInfo
from benchsuite.contracts.task import Option, Task, TaskEntry
from benchsuite.contracts.written import (
    UNREADABLE,
    by_start,
    generation_limit,
    known_of,
    text_exhibits,
    written_splits,
    written_texts,
)

__all__ = [
    "UNREADABLE",
    "Advance",
    "Backend",
    "BackendEntry",
    "BackendInfo",
    "Batch",
    "Dataset",
    "Decoding",
    "Device",
    "Event",
    "Executor",
    "ExecutorEntry",
    "Finished",
    "Gradients",
    "Option",
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
    "by_start",
    "generation_limit",
    "known_of",
    "text_exhibits",
    "written_splits",
    "written_texts",
]
