"""What the core and its plugins promise each other. Plugin authors import everything from here."""

from benchsuite.contracts.backend import (
    Backend,
    BackendEntry,
    Device,
    Gradients,
    Parameters,
    Program,
    State,
    StepLog,
)
from benchsuite.contracts.batch import NO_TARGETS, Batch, valid_mask
from benchsuite.contracts.checked import CheckedBackend, CheckedProgram
from benchsuite.contracts.checks import (
    check_batch,
    check_data,
    check_parameters,
    check_state,
    execution_problem,
    model_problem,
    scan_problem,
)
from benchsuite.contracts.compilation import Compilation, CompilationTimer, compilation_notes
from benchsuite.contracts.dataset import Ragged, Split
from benchsuite.contracts.decoding import Advance, Decoding
from benchsuite.contracts.executions import ways, why_unsupported
from benchsuite.contracts.executor import (
    BackendInfo,
    CalibratedTrial,
    Event,
    Executor,
    ExecutorEntry,
    Finished,
    Notice,
    Progress,
    RaceSample,
    Ready,
    RunOptions,
    Started,
    TrialSupport,
)
from benchsuite.contracts.file import DataFile
from benchsuite.contracts.flat import flattened, unflattened
from benchsuite.contracts.ingredients import INGREDIENTS, ingredient_problem
from benchsuite.contracts.optimisation import AVERAGES, StepNumbers, clipped, step_numbers, updated
from benchsuite.contracts.options import Option, Options
from benchsuite.contracts.padding import loss_weights, readout_weights
from benchsuite.contracts.probe import Phase, Probe
from benchsuite.contracts.study import Damage, StudyInfo
from benchsuite.contracts.supported import Supported, absent_device
from benchsuite.contracts.task import Alignments, LoadedTask, Task, TaskEntry
from benchsuite.schema.cells import AffineCell, Cell, CellEntry, CellParameter, Operations, StatePart

__all__ = [
    "AVERAGES",
    "INGREDIENTS",
    "NO_TARGETS",
    "Advance",
    "AffineCell",
    "Alignments",
    "Backend",
    "BackendEntry",
    "BackendInfo",
    "Batch",
    "CalibratedTrial",
    "Cell",
    "CellEntry",
    "CellParameter",
    "CheckedBackend",
    "CheckedProgram",
    "Compilation",
    "CompilationTimer",
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
    "Notice",
    "Operations",
    "Option",
    "Options",
    "Parameters",
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
    "State",
    "StatePart",
    "StepLog",
    "StepNumbers",
    "StudyInfo",
    "Supported",
    "Task",
    "TaskEntry",
    "TrialSupport",
    "absent_device",
    "check_batch",
    "check_data",
    "check_parameters",
    "check_state",
    "clipped",
    "compilation_notes",
    "execution_problem",
    "flattened",
    "ingredient_problem",
    "loss_weights",
    "model_problem",
    "readout_weights",
    "scan_problem",
    "step_numbers",
    "unflattened",
    "updated",
    "valid_mask",
    "ways",
    "why_unsupported",
]
