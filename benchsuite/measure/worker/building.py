"""What a trial is made of before its first step: backend, data, model, weights, program."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from benchsuite.contracts import (
    Backend,
    Batch,
    LoadedTask,
    Parameters,
    Program,
    check_batch,
    check_data,
    check_parameters,
    why_unsupported,
)
from benchsuite.errors import RequestError, UnsupportedError
from benchsuite.measure.batching import Batcher, Chunk, batcher, training_batches, training_steps
from benchsuite.measure.dropout import with_masks
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.padded_lengths import with_affordable_lengths
from benchsuite.measure.training.loop import limited
from benchsuite.measure.worker.parity_check import STEPS
from benchsuite.schema import Execution, ModelSpec, Recipe, Trial, is_scheduled, with_tied_embeddings


class Loader(Protocol):
    """What a trial needs of its worker: things that are loaded once and kept."""

    def load_backend(self) -> tuple[Backend, float]: ...

    def load_reference(self) -> Backend: ...

    def planned_model(self, trial: Trial) -> ModelSpec: ...

    def load_task(self, trial: Trial) -> tuple[LoadedTask, str]: ...


@dataclass(frozen=True)
class Loaded:
    """A trial's parts. `digest` is that of the data, `import_seconds` what importing the framework took;
    `recipe` is the trial's, with the length of its schedule. `execution` is the trial's until a calibration
    has found what it leaves open."""

    backend: Backend
    import_seconds: float
    task: LoadedTask
    digest: str
    model: ModelSpec
    batcher: Batcher
    recipe: Recipe
    execution: Execution


def load(session: Loader, trial: Trial) -> Loaded:
    """Raises UnsupportedError where the trial's model cannot be run so, with the reason, and ContractError
    where the task's data are not what its model reads, and RequestError for a warm-up that is no shorter than
    the training.

    What is known without the data is asked first: they may be large.
    """
    backend, import_seconds = session.load_backend()
    _check_supported(backend, session.planned_model(trial), trial)
    task, digest = session.load_task(trial)
    task = replace(task, train=limited(task.train, trial.recipe.limit))
    model = task.model(trial.architecture, trial.cell, trial.size)
    if trial.size.tied:
        model = with_tied_embeddings(model)
    _check_supported(backend, model, trial)
    check_data(model, task)
    cut = _batcher(trial, task)
    steps = training_steps(trial.recipe, cut, task.train)
    if not trial.recipe.carry:
        cut = with_affordable_lengths(cut, task.train, model, steps)
    recipe = with_schedule(trial.recipe, steps)
    return Loaded(backend, import_seconds, task, digest, model, cut, recipe, trial.execution)


def with_schedule(recipe: Recipe, steps: int) -> Recipe:
    """`recipe` with a schedule as long as the training's `steps`, unless it gives a length itself or has no
    schedule.

    Raises RequestError for a warm-up that is no shorter than the training.
    """
    if not is_scheduled(recipe) or recipe.schedule_steps is not None:
        return recipe
    steps = steps or recipe.warmup + 1  # too few examples for one batch: the first batch says so
    if recipe.warmup >= steps:
        raise RequestError(
            f"recipe.warmup is {recipe.warmup} steps and the training {steps}: make the warm-up shorter, or "
            "set recipe.schedule_steps"
        )
    return recipe.model_copy(update={"schedule_steps": steps})


def _check_supported(backend: Backend, model: ModelSpec, trial: Trial) -> None:
    if reason := why_unsupported(backend, model, trial.recipe, trial.execution):
        raise UnsupportedError(reason)


def build(loaded: Loaded, trial: Trial) -> tuple[Program, Parameters, float]:
    """The trial's program, the weights that it starts from, and the seconds that the backend took over it."""
    weights = initial_parameters(loaded.model, trial.seed, trial.execution.dtype, loaded.recipe)
    check_parameters(loaded.model, weights)
    begin = time.perf_counter()
    program = loaded.backend.build(loaded.model, weights, loaded.recipe, loaded.execution)
    return program, weights, time.perf_counter() - begin


def masked(batch: Batch, loaded: Loaded, trial: Trial, step: int) -> Batch:
    """A training batch with the dropout masks of optimiser step number `step`, from 1."""
    return with_masks(batch, loaded.model, loaded.recipe, trial.seed, step, trial.execution.dtype)


def first_batches(loaded: Loaded, trial: Trial) -> list[Chunk]:
    """The first STEPS batches of training, which parity is checked on."""
    drawn = training_batches(trial.recipe, loaded.batcher, loaded.task.train, trial.seed, 0)
    chunks = [
        chunk._replace(batch=masked(chunk.batch, loaded, trial, step))
        for step, chunk in enumerate(islice(drawn, STEPS), 1)
    ]
    for chunk in chunks:
        check_batch(loaded.model, chunk.batch, trial.execution.dtype)
    return chunks


def _batcher(trial: Trial, task: LoadedTask) -> Batcher:
    recipe = trial.recipe
    if recipe.carry:
        return Batcher(recipe.batch_size, (recipe.truncation or 1,), trial.execution.dtype)
    others = [task.validation, task.test]
    return batcher(task.train, others, recipe.batch_size, trial.execution.dtype)
