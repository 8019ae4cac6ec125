"""What a trial's execution leaves open, decided before its program is built."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from benchsuite.contracts import Batch, Parameters
from benchsuite.measure.calibration import Choice, calibrated, default_way
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.worker.building import Loaded
from benchsuite.measure.worker.heap import trim_heap
from benchsuite.measure.worker.measuring import timing_batches
from benchsuite.plugins import registry
from benchsuite.schema import Trial


def choose_way(
    loaded: Loaded,
    trial: Trial,
    since: float = 0.0,
    alone: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[Loaded, Choice]:
    """`loaded` with the execution that the trial runs under: the fastest one that it leaves open, or the
    default where protocol.calibration is none. The batch is the one in the middle of those that are timed.

    :param since: what was measured before is measured again. :param alone: ways are measured in this context.

    Raises UnsupportedError where the backend has no way to run the model.
    """
    if trial.protocol.calibration == "none":
        choice = default_way(loaded.backend, loaded.model, loaded.recipe, trial.execution)
        return replace(loaded, execution=choice.way.execution), choice

    def parameters() -> Parameters:
        return initial_parameters(loaded.model, trial.seed, trial.execution.dtype, loaded.recipe)

    def middle_batch() -> Batch:
        batches = timing_batches(trial, loaded.batcher, loaded.task.train, loaded.model)
        return batches[len(batches) // 2]

    choice = calibrated(
        registry().backend(trial.backend),
        loaded.backend,
        loaded.model,
        parameters,
        loaded.recipe,
        trial.execution,
        middle_batch,
        since,
        alone,
    )
    if choice.measured_seconds:
        loaded.backend.release()  # or the training would find its first step compiled
        trim_heap()  # or the peak of training would be that of all ways together
    return replace(loaded, execution=choice.way.execution), choice
