"""The rules about what may be asked of a backend, once for all backends: models and executions that mean
nothing, parameters and states that do not fit a model. Batches are checked in contracts.batch_checks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.batch_checks import check_batch, check_data
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import (
    BUILTIN_CELLS,
    DROPOUTS,
    NO_CELL,
    Convolutional,
    Dense,
    DeviceName,
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    Tokens,
    parameter_shapes,
    state_shapes,
)
from benchsuite.schema.cells import AffineCell, cell_named

__all__ = [
    "check_batch",
    "check_data",
    "check_parameters",
    "check_state",
    "execution_problem",
    "model_problem",
    "scan_problem",
]


def execution_problem(execution: Execution) -> str | None:
    """Why no backend could run under `execution`, or None."""
    try:
        device = DeviceName.parse(execution.device)
    except UnsupportedError as error:
        return str(error)
    if device.kind == "cpu" and device.number:
        return f"device {execution.device!r}: there is one CPU; use device cpu"
    if device.kind == "cpu" and execution.precision == "tf32":
        return "precision tf32 is a mode of NVIDIA's tensor cores; on the CPU use float32 or float64"
    return None


def scan_problem(model: ModelSpec, execution: Execution) -> str | None:
    """Why `model` cannot run under unroll `scan`, or None; always None under another one."""
    if execution.unroll != "scan":
        return None
    if isinstance(model.body, Convolutional):
        return "the convolutional baseline has no steps to scan; use unroll dynamic"
    for body in _recurrent_bodies(model):
        if not isinstance(cell_named(body.cell), AffineCell):
            return (
                f"cell {body.cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"
            )
    return None


def model_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Why no backend could compute `model` under `recipe`, or None."""
    body = model.body
    if problem := _dropout_problem(model, recipe) or _initialisation_problem(model, recipe):
        return problem
    if problem := _tied_problem(model):
        return problem
    if recipe.label_smoothing and model.loss != "cross_entropy":
        return (
            f"recipe.label_smoothing is {recipe.label_smoothing:g} and the loss {model.loss!r}: only "
            "'cross_entropy' has classes to smooth over; set it to 0"
        )
    if problem := _sequence_problem(model, recipe) or _resets_problem(model):
        return problem
    if not isinstance(body, Convolutional):
        if body.bidirectional and recipe.carry:
            return (
                "recipe.carry needs a forward stack: a backward layer starts at the end of each batch, so no "
                "state can be carried into it; use architecture plain or deep"
            )
        return None
    if isinstance(model.input, Tokens):
        return "the convolutional baseline reads pictures of real numbers, not tokens"
    if model.readout == "steps":
        return "the convolutional baseline has one output per picture; use readout 'last', not 'steps'"
    if recipe.carry:
        return "recipe.carry needs recurrent states; the convolutional baseline has none"
    return None


def _recurrent_bodies(model: ModelSpec) -> list[Recurrent]:
    """The model's recurrent stacks: its body, unless that is the convolutional baseline, and its decoder's."""
    bodies = [model.body, *([] if model.decoder is None else [model.decoder.body])]
    return [body for body in bodies if isinstance(body, Recurrent)]


def _dropout_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Which dropout has nothing to act on."""
    asked = {name: getattr(recipe, name) for name in DROPOUTS if getattr(recipe, name)}
    if not asked:
        return None
    if isinstance(model.body, Convolutional):
        name = next(iter(asked))
        return f"recipe.{name} masks what recurrent layers read; the convolutional baseline has none"
    bodies = _recurrent_bodies(model)
    if "layer_dropout" in asked and all(body.layers == 1 for body in bodies):
        return (
            "recipe.layer_dropout masks what one layer gives the next; this model has one layer: set it to 0"
        )
    if "recurrent_dropout" in asked:
        for body in bodies:
            if not cell_named(body.cell).reads_hidden:
                return (
                    f"recipe.recurrent_dropout masks the hidden state that a step reads; a step of cell "
                    f"{body.cell!r} reads none"
                )
    return None


def _initialisation_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Which initial values the model's cells do not have."""
    default = Recipe()
    fields = ("initialisation", "recurrent_scale", "forget_bias")
    asked = [name for name in fields if getattr(recipe, name) != getattr(default, name)]
    if not asked:
        return None
    cells = [body.cell for body in _recurrent_bodies(model)] or [NO_CELL]
    for cell in cells:
        if cell not in BUILTIN_CELLS:
            known = ", ".join(BUILTIN_CELLS)
            return f"recipe.{asked[0]} is for the cells {known}; cell {cell!r} has initial values of its own"
    if "forget_bias" in asked and "lstm" not in cells:
        return (
            f"recipe.forget_bias is for the cell lstm; cell {cells[0]!r} has no forget gate: leave it unset"
        )
    return None


def _tied_problem(model: ModelSpec) -> str | None:
    """Why the output layer cannot share the embedding's matrix, or None."""
    head, read = model.head, model.input
    if not isinstance(head, Dense) or not head.tied:
        return None
    if not isinstance(read, Tokens) or model.decoder is not None or read.vocabulary != head.outputs:
        return (
            "tied embeddings share one matrix between what reads ids and what scores the same ids; this model "
            "has no such pair: set size.tied to false"
        )
    if read.embedding != model.head_inputs:
        return (
            f"tied embeddings need one width: the embedding has {read.embedding} columns and the output layer "
            f"reads {model.head_inputs} features; set size.embedding to {model.head_inputs}"
        )
    return None


def _sequence_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """What a decoder and CTC cannot be combined with."""
    decoder, dense = model.decoder, isinstance(model.head, Dense)
    if model.has_sequence_targets and recipe.carry:
        return "recipe.carry streams one long sequence; targets of a length of their own have no place in it"
    if model.loss == "ctc":
        if decoder is not None:
            return "loss 'ctc' aligns scores with labels by itself; it goes without a decoder"
        return None if model.readout == "steps" else "loss 'ctc' reads every step; use readout 'steps'"
    if decoder is None:
        return None
    if isinstance(model.body, Convolutional):
        return "a decoder needs a recurrent encoder, not the convolutional baseline"
    if decoder.body.bidirectional:
        return "a decoder generates forwards: its body cannot be bidirectional"
    if not dense or model.head.outputs != decoder.vocabulary or model.loss != "cross_entropy":
        return "a decoder needs a dense head over its vocabulary and the loss 'cross_entropy'"
    return None if model.readout == "last" else "a decoder starts from the encoder's readout 'last'"


def _resets_problem(model: ModelSpec) -> str | None:
    """What sequences that lie one after the other in a row cannot be combined with."""
    if not model.resets:
        return None
    if isinstance(model.body, Convolutional):
        return "resets set recurrent states to their initial values; the convolutional baseline has none"
    if model.body.bidirectional:
        return (
            "resets say where a sequence begins, read forwards; a backward layer begins where one ends: use "
            "architecture plain or deep"
        )
    if model.decoder is not None:
        return "resets join sequences in one row, and a decoder generates one sequence for each row"
    if model.loss == "ctc":
        return "resets join sequences in one row, and loss 'ctc' aligns one label sequence with each row"
    return None


def check_parameters(model: ModelSpec, parameters: Parameters) -> None:
    """Raises ContractError naming every parameter that is missing, unknown, of another shape, or not of real
    numbers."""
    shapes = parameter_shapes(model)
    problems = _unlike(shapes, parameters)
    if problems:
        raise ContractError(f"parameters do not fit the model: {'; '.join(problems)}")


def check_state(model: ModelSpec, values: Mapping[str, np.ndarray]) -> int:
    """The rows B of an initial state given as arrays (B, H) by name, see schema.state_shapes().

    Raises ContractError for a model that starts at zero only, and naming every array that is missing, unknown,
    of another shape, or not of real numbers.
    """
    widths = state_shapes(model)
    if not widths:
        raise ContractError(
            "this model starts at zero: an initial state needs a recurrent stack of the forward direction "
            "alone, without a decoder"
        )
    first = next((np.shape(values[name]) for name in widths if name in values), ())
    rows = first[0] if first else 0
    problems = _unlike({name: (rows, *width) for name, width in widths.items()}, values)
    if not problems and not rows:
        problems = ["there are no rows"]
    if problems:
        raise ContractError(f"the initial state does not fit the model: {'; '.join(problems)}")
    return rows


def _unlike(shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, np.ndarray]) -> list[str]:
    """What is wrong with `arrays`, which should have the names and shapes of `shapes`."""
    problems = [f"{name} is missing" for name in shapes if name not in arrays]
    problems += [f"{name} is unknown" for name in arrays if name not in shapes]
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            kind = getattr(array, "dtype", type(array).__name__)
            problems.append(f"{name} is {kind}, not a NumPy array of real numbers")
        elif array.shape != shape:
            problems.append(f"{name} is {array.shape}, not {shape}")
    return problems
