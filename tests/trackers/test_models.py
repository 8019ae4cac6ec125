"""Trained weights and the machine's load in MLflow, from a run that asks for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchsuite
from benchsuite.contracts.trained_model import TrainedModel
from benchsuite.errors import ContractError, RequestError
from benchsuite.plugins import registry
from benchsuite.schema import Dense, Features, ModelSpec, Recurrent, Tokens
from benchsuite.trackers.loaded_model import LoadedModel
from benchsuite.trackers.system_metrics import MOST_SENT, Sampler

pytest.importorskip("mlflow")
pytest.importorskip("sklearn")

MATRIX = {
    "name": "kept",
    "axes": {
        "task": "mnist_rows",
        "source": "digits",
        "cell": "gru",
        "architecture": "plain",
        "backend": "numpy",
        "size.hidden": 8,
        "recipe.steps": 40,
        "protocol.rounds": 2,
        "protocol.round_seconds": 0.001,
        "protocol.warmup_seconds": 0.01,
    },
}


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(client, the run of one trial, its record) of a run that asked for weights and load."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("models")
    study = benchsuite.run(MATRIX, results=folder, log_models=True, system_metrics=True, progress=False)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("benchsuite/mnist_rows")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    return client, run, study.records[0]


def test_a_logged_model_is_loaded_and_has_the_accuracy_of_its_trial(mirrored: Any) -> None:
    import mlflow

    client, run, record = mirrored
    mlflow.set_tracking_uri(client.tracking_uri)
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    entry = registry().task("mnist_rows")
    test = entry.load().load("digits", entry.complete(record.trial.options)).test
    inputs = np.asarray(test.inputs, np.float32)
    scores = loaded.predict(inputs)
    assert scores.dtype == np.float32
    assert float(np.mean(scores.argmax(1) == test.targets)) == pytest.approx(
        record.scalars["test/accuracy"], abs=1e-9
    )
    signature = loaded.metadata.signature
    assert signature.inputs.inputs[0].shape == (-1, -1, inputs.shape[2])
    assert signature.outputs.inputs[0].shape == (-1, 10)


@pytest.mark.parametrize("read", [Features(3), Tokens(7, 3)])
def test_a_trained_model_comes_back_as_it_was(read: Features | Tokens) -> None:
    model = ModelSpec(read, Recurrent("gru", 4), Dense(2), "cross_entropy")
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b.c": np.zeros(0, np.float32)}
    back = TrainedModel.read(TrainedModel(model, weights).as_text())
    assert (back.model, back.dtype) == (model, "float32")
    assert all(np.array_equal(back.parameters[name], value) for name, value in weights.items())
    with pytest.raises(ContractError, match="no trained model"):
        TrainedModel.read("{}")


def test_inputs_of_another_shape_are_refused_in_words(mirrored: Any) -> None:
    client, run, _ = mirrored
    text = Path(client.download_artifacts(run.info.run_id, "model/data/trained_model.json")).read_text()
    with pytest.raises(RequestError, match=r"this model reads \(rows, steps, 8\)"):
        LoadedModel(TrainedModel.read(text)).predict(np.zeros((2, 8), np.float32))


def test_the_load_of_the_machine_is_sampled_until_it_is_stopped() -> None:
    begin = time.time()
    sampler = Sampler(period=0.002)
    while len(sampler.between(begin, time.time())) < MOST_SENT:
        time.sleep(0.01)
    sampler.stop()
    found = sampler.between(begin, time.time())
    assert len(found) == MOST_SENT
    assert [one.when for one in found] == sorted(one.when for one in found)
    assert all(0 <= one.figures["system/system_memory_usage_percentage"] <= 100 for one in found)
    assert sampler.between(begin - 10, begin - 5) == []
