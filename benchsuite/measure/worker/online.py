"""Online inference: one time step of one row per call, each from the state that the call before returned.

It is how a model is used that reads or generates one symbol after the other. What a scan computes of all steps
at once in training is computed here one step at a time, in every unroll.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Backend, Batch, Program, State, why_unsupported
from benchsuite.measure.parity import relative_error
from benchsuite.measure.worker.measuring import LATENCY_QUANTILES, WARM_UP_CALLS, Speed
from benchsuite.schema import Convolutional, ModelSpec, Recipe, Series, Trial
from benchsuite.schema.thresholds import TOLERANCES

COMPARED = 16
"""Steps whose last scores are compared with those of one call for all of them."""


def measure_online(
    backend: Backend, program: Program, model: ModelSpec, recipe: Recipe, trial: Trial, batch: Batch
) -> tuple[Speed, str]:
    """Scalars `speed/online_p<quantile>_seconds` of `protocol.online` calls, and why there are none, or "".

    `program` is the trained one. Where its recipe carries no state, a second program is built from its
    parameters that does. The first row of `batch` is read, from its beginning again when it ends. Not timed
    are models that need the whole sequence (a backward layer, a decoder, no recurrence), and a program
    whose scores after the first steps differ from those of one call for these steps.
    """
    carrying = recipe.model_copy(update={"carry": True})
    problem = _problem(backend, model, carrying, trial)
    if problem:
        return Speed(), problem
    if not recipe.carry:
        program = backend.build(model, program.parameters(), carrying, trial.execution)
    length = int(batch.lengths[0])
    compared = min(length, COMPARED)
    steps = [program.place(_steps(batch, t, t + 1, model)) for t in range(length)]
    error = _difference(
        program, steps[:compared], _steps(batch, 0, compared, model), model.readout == "steps"
    )
    allowed = TOLERANCES[trial.execution.precision].forward
    if not error <= allowed:
        return Speed(), f"after {compared} steps the scores differ by {error:.1e}, allowed {allowed:.1e}"
    return _timed(program, steps, trial.protocol.online), ""


def _problem(backend: Backend, model: ModelSpec, recipe: Recipe, trial: Trial) -> str:
    if model.decoder is not None:
        return "a decoder reads the whole sequence first; its own steps are speed/generation_*"
    if isinstance(model.body, Convolutional):
        return "the convolutional baseline reads the whole picture"
    return why_unsupported(backend, model, recipe, trial.execution) or ""


def _steps(batch: Batch, begin: int, end: int, model: ModelSpec) -> Batch:
    """The first row's steps from `begin` to before `end`. predict() reads no targets, but place() may."""
    resets = None if batch.resets is None else batch.resets[:1, begin:end]
    targets, target_lengths = batch.targets[:1], None
    if model.has_sequence_targets:
        targets, target_lengths = targets[:, :1], np.ones(1, np.int32)
    elif model.readout == "steps":
        targets = targets[:, begin:end]
    lengths = np.array([end - begin], np.int32)
    return Batch(batch.inputs[:1, begin:end], lengths, targets, target_lengths=target_lengths, resets=resets)


def _difference(program: Program, steps: Sequence[object], together: Batch, every_step: bool) -> float:
    """Relative error of the last step's scores, beside those of one call for all steps."""
    state: State | None = None
    for each in steps:
        scores, state = program.predict(each, state)
    expected, _ = program.predict(program.place(together))
    return (
        relative_error(scores[:, -1:], expected[:, -1:]) if every_step else relative_error(scores, expected)
    )


def _timed(program: Program, steps: Sequence[object], calls: int) -> Speed:
    seconds = []
    state: State | None = None
    for call in range(-WARM_UP_CALLS, calls):
        place = call % len(steps)
        if place == 0:
            state = None
        begin = time.perf_counter()
        _, state = program.predict(steps[place], state)
        if call >= 0:
            seconds.append(time.perf_counter() - begin)
    each = np.arange(calls, dtype=float).tolist()
    return Speed(
        {
            f"speed/online_p{share}_seconds": float(np.percentile(seconds, share))
            for share in LATENCY_QUANTILES
        },
        [Series(name="speed/online_wall", axis="sample", x=each, y=seconds)],
    )
