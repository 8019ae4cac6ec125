"""What `mlflow.pyfunc.load_model` loads of a run that was mirrored with its weights: the model, run by the
NumPy backend, whose numbers are those of the reference. It needs benchsuite, and no framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.trained_model import TrainedModel
from benchsuite.errors import RequestError
from benchsuite.plugins import load_backend, registry
from benchsuite.schema import Execution, Recipe
from benchsuite.schema.model import Tokens

MODEL_FILE = "trained_model.json"


class LoadedModel:
    """predict(inputs) gives the scores before the loss: logits (B, C) or (B, T, C), forecasts (B, O) or
    (B, T, O), in the trial's dtype."""

    def __init__(self, trained: TrainedModel) -> None:
        registry()  # makes the cells of plugins known
        self._model, self._dtype = trained.model, trained.dtype
        execution = Execution(precision="float64" if trained.dtype == "float64" else "float32")
        backend = load_backend("numpy", execution)
        self._program = backend.build(trained.model, dict(trained.parameters), Recipe(), execution)

    def predict(self, inputs: Any, params: dict[str, Any] | None = None) -> np.ndarray:
        """The scores of sequences of one length.

        :param inputs: (B, T, D) reals, or (B, T) ids. :param params: none are known.

        Raises RequestError for an array of another shape.
        """
        del params
        read = self._model.input
        ids = isinstance(read, Tokens)
        array = np.asarray(inputs, np.int32 if ids else self._dtype)
        if array.ndim != (2 if ids else 3):
            shape = "(rows, steps), ids" if isinstance(read, Tokens) else f"(rows, steps, {read.size})"
            raise RequestError(f"inputs have the shape {array.shape}; this model reads {shape}")
        lengths = np.full(len(array), array.shape[1], np.int32)
        resets = np.zeros(array.shape[:2], bool) if self._model.resets else None
        scores, _ = self._program.predict(self._program.place(Batch(array, lengths, resets=resets)))
        return scores


def _load_pyfunc(path: str) -> LoadedModel:
    """MLflow's entry: `path` is the file, or the folder that holds it."""
    place = Path(path)
    text = (place / MODEL_FILE if place.is_dir() else place).read_text(encoding="utf-8")
    return LoadedModel(TrainedModel.read(text))
