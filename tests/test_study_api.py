"""benchsuite.run: a matrix with real workers and a real backend, from Python."""

from __future__ import annotations

import json
from pathlib import Path

import benchsuite
from benchsuite.contracts import Finished
from benchsuite.spec import Status
from benchsuite.study import Begun, StudyEvent

MATRIX = {
    "name": "tiny",
    "axes": {
        "task": "mnist_rows",
        "source": "digits",
        "cell": ["rnn", "gru"],
        "architecture": "plain",
        "backend": "numpy",
        "size.hidden": 8,
        "recipe.steps": 10,
        "recipe.limit": 100,
        "protocol.rounds": 2,
        "protocol.round_seconds": 0.001,
        "protocol.warmup_seconds": 0.01,
    },
}


def test_a_matrix_becomes_a_study_once(tmp_path: Path) -> None:
    seen: list[StudyEvent] = []
    study = benchsuite.run(MATRIX, results=tmp_path, tracking_uri="none", on_event=seen.append)
    assert [(record.status, record.reason) for record in study.records] == [(Status.OK, "")] * 2
    assert {record.verdicts["parity"] for record in study.records} == {"ok"}
    assert sum(isinstance(event, Finished) for event in seen) == 2
    frame = study.frame()
    assert list(frame["cell"]) == ["rnn", "gru"]
    assert frame["test/accuracy"].between(0, 1).all()
    assert {one.name for one in study.series(study.records[0].trial_id)} >= {"train/loss"}

    description = json.loads((tmp_path / "tiny" / "study.json").read_text())
    assert description["matrix"]["data"] == MATRIX
    assert {plugin["name"] for plugin in description["plugins"]} >= {"local", "numpy", "mnist_rows"}
    assert description["environment"]["python.version"]

    seen.clear()
    again = benchsuite.run(MATRIX, results=tmp_path, tracking_uri="none", on_event=seen.append)
    assert [type(event) for event in seen] == [Begun]
    assert [one.finished for one in again.records] == [one.finished for one in study.records]
