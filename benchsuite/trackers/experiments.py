"""The experiments of MLflow that studies are mirrored to: found, or made, by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.trackers import views

if TYPE_CHECKING:
    from mlflow import MlflowClient

STUDIES = "benchsuite/studies"


def task_of(experiment: str) -> str:
    """The task whose trials an experiment holds; "" for other experiments."""
    _, _, name = experiment.partition("/")
    return name if experiment != STUDIES and "/" not in name else ""


class Experiments:
    """Ids by name, each asked for once.

    known  name -> id of those that were asked for
    """

    def __init__(self, client: MlflowClient, artifacts: Path | None) -> None:
        """:param artifacts: folder for the runs' files where MLflow has no server to keep them, else None."""
        self._client, self._artifacts = client, artifacts
        self.known: dict[str, str] = {}

    def id(self, name: str) -> str:
        """The id of an experiment, which is made where it is missing, and restored where it was deleted."""
        if name not in self.known:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                folder = None if self._artifacts is None else (self._artifacts / name).as_uri()
                self.known[name] = self._create(name, folder)
            else:
                if found.lifecycle_stage == "deleted":
                    self._client.restore_experiment(found.experiment_id)
                self.known[name] = str(found.experiment_id)
            if found is None or views.KIND_TAG not in found.tags:
                self._client.set_experiment_tag(self.known[name], views.KIND_TAG, views.KIND)
        return self.known[name]

    def _create(self, name: str, folder: str | None) -> str:
        """Make an experiment, unless another process has made it since it was looked for."""
        try:
            return str(self._client.create_experiment(name, folder))
        except Exception:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)
