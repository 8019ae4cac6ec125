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
    Event,
    Examined,
    Executor,
    ExecutorEntry,
    Finished,
    Progress,
    RunOptions,
    Started,
    Survey,
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
    "Batch",
    "Dataset",
    "Decoding",
    "Device",
    "Event",
    "Examined",
    "Executor",
    "ExecutorEntry",
    "Finished",
    "Gradients",
    "Option",
    "Phase",
    "Probe",
    "Program",
    "Progress",
    "Ragged",
    "RunOptions",
    "Split",
    "Started",
    "StepLog",
    "StudyInfo",
    "Survey",
    "Task",
    "TaskEntry",
    "by_start",
    "generation_limit",
    "known_of",
    "text_exhibits",
    "written_splits",
    "written_texts",
]
