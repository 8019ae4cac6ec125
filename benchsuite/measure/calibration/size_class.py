"""What a calibration holds for: models and batches of one size class."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from benchsuite.contracts import Batch
from benchsuite.schema import Execution, ModelSpec, Recipe

EXACT = 8
"""Numbers up to this one are classes of their own; larger ones are rounded to the nearest power of two."""


def size_class(model: ModelSpec, recipe: Recipe, execution: Execution, batch: Batch) -> str:
    """Text that is equal for models of one kind and nearly one size, whose batches are nearly of one shape,
    under one execution.

    Only what decides how long a step takes is in it: optimiser and learning rate are not.
    """
    ragged = bool((batch.lengths < batch.time).any())
    parts = {
        "model": _rounded(asdict(model)),
        "rows": _class(batch.size),
        "time": _class(batch.time),
        "targets": None if batch.target_lengths is None else _class(batch.targets.shape[1]),
        "ragged": ragged,
        "carry": recipe.carry,
        "truncation": recipe.truncation is not None,
        "recurrent_dropout": recipe.recurrent_dropout > 0,
        "execution": execution.model_dump(mode="json"),
    }
    return json.dumps(parts, sort_keys=True)


def _class(number: int) -> int:
    """The nearest power of two, by ratio; 0 to EXACT are themselves."""
    if number <= EXACT:
        return number
    lower = 1 << (number.bit_length() - 1)
    return lower if number * number < 2 * lower * lower else 2 * lower


def _rounded(value: Any) -> Any:
    """`value`, as JSON has it, with every whole number replaced by its class."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return _class(value) if isinstance(value, int) and not isinstance(value, bool) else value
