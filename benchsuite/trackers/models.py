"""Trained weights as a model of MLflow, with a signature, that `mlflow.pyfunc.load_model` loads."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.contracts.trained_model import TRAINED_MODEL, TrainedModel
from benchsuite.schema import Record
from benchsuite.schema.model import Tokens
from benchsuite.trackers import loaded_model

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL_FOLDER = "model"
"""The artifact folder of a run: `mlflow.pyfunc.load_model("runs:/RUN/model")`."""


def model_file(record: Record, artifacts: Path) -> Path | None:
    """The file of a record's trained model in a study's folder of artifacts; None where its weights were not
    kept."""
    sha256 = record.environment.get(f"{TRAINED_MODEL}.sha256", "")
    path = artifacts / sha256
    return path if sha256 and path.is_file() else None


def log_model(client: MlflowClient, run: str, file: Path) -> bool:
    """Attach a trained model to a run; False for a model with a decoder, whose inputs alone say nothing: its
    weights are attached as a file."""
    text = file.read_text(encoding="utf-8")
    trained = TrainedModel.read(text)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / loaded_model.MODEL_FILE
        kept.write_text(text, encoding="utf-8")
        if trained.model.decoder is not None:
            client.log_artifact(run, str(kept), MODEL_FOLDER)
            return False
        import mlflow.pyfunc

        path = Path(folder) / MODEL_FOLDER
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow asks for an example of an input, beside the signature
            mlflow.pyfunc.save_model(
                str(path),
                loader_module=loaded_model.__name__,
                data_path=str(kept),
                signature=_signature(trained),
                pip_requirements=["benchsuite"],
            )
        client.log_artifacts(run, str(path), MODEL_FOLDER)
    return True


def _signature(trained: TrainedModel) -> Any:
    """(rows, steps, features) reals or (rows, steps) ids -> scores."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    model, dtype = trained.model, np.dtype(trained.dtype)
    if isinstance(model.input, Tokens):
        given = TensorSpec(np.dtype(np.int32), (-1, -1))
    else:
        given = TensorSpec(dtype, (-1, -1, model.input.size))
    shape = (-1, -1, model.head.outputs) if model.readout == "steps" else (-1, model.head.outputs)
    return ModelSignature(Schema([given]), Schema([TensorSpec(dtype, shape)]))
