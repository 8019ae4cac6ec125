"""Whether a batch, or a data set, is what a model reads. Called outside of timed loops."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts.batch import Batch, valid_mask
from benchsuite.contracts.dataset import Ragged, Split
from benchsuite.contracts.task import LoadedTask
from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import BLANK, DROPOUTS, Convolutional, ModelSpec, Recipe, Tokens, mask_widths

CLASSES = ("cross_entropy", "ctc")
"""Losses whose targets are ids."""


def check_batch(model: ModelSpec, batch: Batch, dtype: str, targets: bool = True) -> None:
    """Raises ContractError that says what was given and what is allowed: for shapes, dtypes, lengths, ids out
    of range, padded positions included.

    :param dtype: of the reals, `float32` or `float64`. :param targets: whether they are looked at.
    """
    _check_inputs(model, batch, dtype)
    if not targets:
        return
    if model.has_sequence_targets:
        _check_sequences(model, batch)
        return
    shape: tuple[int, ...] = (batch.size, batch.time) if model.readout == "steps" else (batch.size,)
    if model.loss in CLASSES:
        _check_array("targets", batch.targets, shape, np.dtype(np.int32))
        _check_range("targets", batch.targets, 0, model.head.outputs - 1)
    else:
        _check_array("targets", batch.targets, (*shape, model.head.outputs), np.dtype(dtype))
        if model.loss == "binary_cross_entropy":
            _check_range("targets of loss 'binary_cross_entropy'", batch.targets, 0, 1)


def check_data(model: ModelSpec, task: LoadedTask) -> None:
    """Raises ContractError where a split cannot be cut into batches that check_batch() accepts: widths, kinds
    of numbers and ids of inputs and targets. Reads each array of values once."""
    seen: set[int] = set()
    for name in ("train", "validation", "test"):
        split: Split = getattr(task, name)
        _check_values(f"{name} inputs", split.inputs.values, _input_kind(model), seen)
        aligned = split.aligned and isinstance(split.targets, Ragged)
        if aligned != (model.readout == "steps" and model.loss != "ctc") or split.aligned == (
            model.has_sequence_targets
        ):
            wanted = (
                "sequences of a length of their own"
                if model.has_sequence_targets
                else ("one target per step" if model.readout == "steps" else "one target per row")
            )
            raise ContractError(f"{name} targets: the model needs {wanted}")
        values = split.targets.values if isinstance(split.targets, Ragged) else split.targets
        _check_values(f"{name} targets", values, _target_kind(model), seen)
        if model.resets != (split.resets is not None):
            given, wanted = ("none", "some") if model.resets else ("some", "none")
            raise ContractError(f"{name} resets: {given} given, {wanted} wanted; ModelSpec.resets says which")


_Values = tuple[int, int]
"""(width, largest id): reals of that width, or, with width 0, ids from 0."""


def _input_kind(model: ModelSpec) -> _Values:
    return (0, model.input.vocabulary - 1) if isinstance(model.input, Tokens) else (model.input.size, 0)


def _target_kind(model: ModelSpec) -> _Values:
    outputs = model.head.outputs
    return (0, outputs - 1) if model.loss in CLASSES else (outputs, 0)


def _check_values(what: str, values: np.ndarray, kind: _Values, seen: set[int]) -> None:
    if id(values) in seen:  # splits of one array
        return
    seen.add(id(values))
    width, largest = kind
    if width:
        if values.dtype.kind != "f" or values.shape[1:] != (width,):
            raise ContractError(f"{what}: {_described(values)} given, reals (n, {width}) wanted")
        return
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise ContractError(f"{what}: {_described(values)} given, whole numbers (n,) wanted")
    _check_range(what, values, 0, largest)


def _check_inputs(model: ModelSpec, batch: Batch, dtype: str) -> None:
    inputs, lengths = batch.inputs, batch.lengths
    tokens = isinstance(model.input, Tokens)
    wanted = "ids (B, T)" if tokens else f"reals (B, T, {model.input_size})"
    if inputs.ndim != (2 if tokens else 3) or 0 in inputs.shape[:2]:
        raise ContractError(f"inputs: {_described(inputs)} given, {wanted} wanted, with rows and steps")
    if isinstance(model.input, Tokens):
        _check_array("inputs", inputs, inputs.shape, np.dtype(np.int32))
        _check_range("inputs", inputs, 0, model.input.vocabulary - 1)
    else:
        _check_array("inputs", inputs, (*inputs.shape[:2], model.input.size), np.dtype(dtype))
    _check_array("lengths", lengths, inputs.shape[:1], np.dtype(np.int32))
    _check_range("lengths", lengths, 1, batch.time)
    if model.resets != (batch.resets is not None):
        given, wanted = ("none", "bool (B, T)") if model.resets else ("some", "none")
        raise ContractError(f"resets: {given} given, {wanted} wanted; ModelSpec.resets says which")
    if batch.resets is not None:
        _check_array("resets", batch.resets, inputs.shape[:2], np.dtype(bool))
    if batch.masks:
        _check_masks(model, batch, dtype)
    body = model.body
    if isinstance(body, Convolutional) and batch.time * model.input_size != body.height * body.width:
        raise ContractError(
            f"inputs: {batch.time} steps of {model.input_size} given, a picture of "
            f"{body.height} x {body.width} numbers wanted"
        )


def _check_masks(model: ModelSpec, batch: Batch, dtype: str) -> None:
    every = mask_widths(model, Recipe(**dict.fromkeys(DROPOUTS, 0.5)))
    for name, mask in batch.masks.items():
        if name not in every:
            raise ContractError(unknown_name("mask", name, every))
        _check_array(f"mask {name}", mask, (batch.size, every[name][1]), np.dtype(dtype))


def _check_sequences(model: ModelSpec, batch: Batch) -> None:
    """Targets of a length of their own, ids (B, U)."""
    targets, lengths = batch.targets, batch.target_lengths
    if targets.ndim != 2 or 0 in targets.shape:
        raise ContractError(f"targets: {_described(targets)} given, ids (B, U) wanted")
    _check_array("targets", targets, (batch.size, targets.shape[1]), np.dtype(np.int32))
    if lengths is None:
        raise ContractError("targets of a length of their own were given without target_lengths; give (B,)")
    _check_array("target_lengths", lengths, (batch.size,), np.dtype(np.int32))
    _check_range("target_lengths", lengths, 1, targets.shape[1])
    _check_range("targets", targets, 0, model.head.outputs - 1)
    valid = valid_mask(lengths, targets.shape[1])
    if model.loss == "ctc" and bool(np.any(targets[valid] == BLANK)):
        raise ContractError(f"targets: id {BLANK} is CTC's blank, which no label may be")


def _check_array(what: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ContractError(f"{what}: {_described(array)} given, {dtype} {shape} wanted")


def _check_range(what: str, array: np.ndarray, low: int, high: int) -> None:
    if array.size and (array.min() < low or array.max() > high):
        raise ContractError(f"{what} must lie in {low}..{high}, given {array.min()}..{array.max()}")


def _described(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"
