"""The data of a trial as an input of its MLflow run: name, digest, licence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchsuite.schema import Record

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

DIGEST = 16
"""Characters of the hash in a data set's name; MLflow takes at most 36. The whole SHA-256 is in the profile."""


def dataset_input(record: Record) -> DatasetInput | None:
    """The data set that a record was trained on; None where the record has no hash of it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    sha256 = record.environment.get("data.sha256", "")
    if not sha256:
        return None
    trial, licence = record.trial, record.environment.get("data.licence", "not stated")
    profile = {"sha256": sha256, "licence": licence}
    data = Dataset(
        name=f"{trial.task}/{trial.source}",
        digest=sha256[:DIGEST],
        source_type="benchsuite",
        source=json.dumps({"task": trial.task, "source": trial.source, **trial.options}),
        profile=json.dumps(profile),
    )
    return DatasetInput(
        data, [InputTag("mlflow.data.context", "training"), InputTag("licence", licence[:500])]
    )
