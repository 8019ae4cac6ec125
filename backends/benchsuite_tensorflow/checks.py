"""What this backend asks of a trial, and a model before anything is built."""

from __future__ import annotations

import tensorflow as tf

from benchsuite.contracts import Batch
from benchsuite.contracts.checks import BIDIRECTIONAL_CARRY
from benchsuite.contracts.checks import model_problem as contract_problem
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Trial
from benchsuite.schema.names import NO_CELL
from benchsuite_tensorflow import runtime
from benchsuite_tensorflow.cells import CELLS

MOST_UNROLLED = 200
"""Steps of a static graph, over all layers and directions, a decoder's and CTC's together. Tracing and
optimising the graph takes about 30 ms a step, and more than in proportion beyond."""


def execution_problem(execution: Execution) -> str | None:
    """Why TensorFlow cannot run under `execution` on this machine, or None."""
    problem = runtime.device_problem(execution.device)
    if problem:
        return problem
    if execution.device == "cpu":
        if execution.precision == "tf32":
            return "precision tf32 is a mode of NVIDIA's tensor cores; on the CPU use float32 or float64"
        return None
    if execution.precision == "tf32":
        gpu = tf.config.list_physical_devices("GPU")[runtime.gpu_index(execution.device) or 0]
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        if tuple(capability) < (8, 0):
            return f"precision tf32 needs compute capability 8.0; {execution.device} has {capability}"
    return None


def recurrence_problem(cell: str, bidirectional: bool, recipe: Recipe, execution: Execution) -> str | None:
    """Why this backend does not run a recurrent stack so, or None."""
    if cell not in CELLS:
        return f"tensorflow backend has no cell {cell!r}; it has {', '.join(CELLS)}"
    if recipe.carry and bidirectional:
        return BIDIRECTIONAL_CARRY
    if execution.unroll != "fused":
        return None
    if execution.device == "cpu":
        return (
            "TensorFlow's fused recurrent kernels are cuDNN's and need a GPU; on the CPU use unroll dynamic "
            "or static"
        )
    if cell == "rnn":
        return "Keras' SimpleRNN has no cuDNN path; use unroll dynamic or static"
    if recipe.truncation or recipe.carry:
        return (
            "the cuDNN kernel cannot be entered between two steps, so truncation and carried states are left "
            "to unroll dynamic and static"
        )
    return None


def trial_problem(trial: Trial) -> str | None:
    """Why the trial cannot run here, as far as the trial alone tells."""
    problem = execution_problem(trial.execution)
    if problem is None and trial.cell != NO_CELL:
        both = "bidirectional" in trial.architecture
        problem = recurrence_problem(trial.cell, both, trial.recipe, trial.execution)
    return problem


def model_problem(model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """Why this backend cannot compute `model` so, or None."""
    problem = contract_problem(model, recipe)
    if problem or isinstance(model.body, Convolutional):
        return problem
    cells = [model.body.cell, *([] if model.decoder is None else [model.decoder.body.cell])]
    problems = (recurrence_problem(c, model.body.bidirectional, recipe, execution) for c in cells)
    return next(filter(None, problems), None)


def check_unrolled(model: ModelSpec, batch: Batch) -> None:
    """Raises UnsupportedError where a static graph of the batch's steps would be too large."""
    if isinstance(model.body, Convolutional):
        return
    copies = model.body.layers * len(model.body.directions)
    what, steps = f"{batch.time} steps x {copies} layers and directions", batch.time * copies
    if model.decoder is not None:
        written, layers = batch.targets.shape[1], model.decoder.body.layers
        what, steps = f"{what}, and {written} x {layers} of the decoder", steps + written * layers
    if model.loss == "ctc":
        what, steps = f"{what}, and {batch.time} of CTC", steps + batch.time
    if steps > MOST_UNROLLED:
        raise UnsupportedError(
            f"unroll static would lay out {what}; TensorFlow graphs are kept to {MOST_UNROLLED} steps because "
            "tracing them takes minutes beyond; use unroll dynamic"
        )
