"""TrainedModel: a model with its trained weights as one text, which a record can carry and a study keeps."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchsuite.errors import ContractError
from benchsuite.schema import ModelSpec

WEIGHTS_VARIABLE = "BENCHSUITE_WEIGHTS"
"""The environment variable that asks workers for weights (`1`); no field of a trial, for what is trained
does not depend on it."""
TRAINED_MODEL = "trained_model"
"""The artifact's name; its SHA-256 is the fact `trained_model.sha256` of the record's environment."""


def are_weights_asked() -> bool:
    """Whether this process is to keep trained weights."""
    return os.environ.get(WEIGHTS_VARIABLE) == "1"


@dataclass(frozen=True)
class TrainedModel:
    """A model and its parameters by name, in the canonical layout and the trial's dtype."""

    model: ModelSpec
    parameters: Mapping[str, np.ndarray]

    @property
    def dtype(self) -> str:
        """`float32` or `float64`."""
        return str(next(iter(self.parameters.values())).dtype)

    def as_text(self) -> str:
        """JSON: the model's fields, and the parameters as NumPy's zip, in base64."""
        from pydantic import TypeAdapter

        packed = io.BytesIO()
        arrays: dict[str, Any] = {name: np.asarray(value) for name, value in self.parameters.items()}
        np.savez(packed, **arrays)
        model = TypeAdapter(ModelSpec).dump_python(self.model, mode="json")
        return json.dumps({"model": model, "parameters": base64.b64encode(packed.getvalue()).decode()})

    @classmethod
    def read(cls, text: str) -> TrainedModel:
        """The inverse of as_text(). Raises ContractError for any other text."""
        from pydantic import TypeAdapter

        try:
            held = json.loads(text)
            model = TypeAdapter(ModelSpec).validate_python(held["model"])
            with np.load(io.BytesIO(base64.b64decode(held["parameters"])), allow_pickle=False) as packed:
                parameters = {name: packed[name] for name in packed.files}
        except Exception as error:  # a text that is none may be wrong in any way
            raise ContractError(f"this is no trained model: {error}") from error
        return cls(model, parameters)
