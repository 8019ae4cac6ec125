"""benchsuite.run: a matrix with real workers and a real backend, from Python."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import benchsuite
from benchsuite.contracts import Finished
from benchsuite.errors import RequestError
from benchsuite.running.study import Begun, StudyEvent
from benchsuite.schema import Status

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
    assert not (tmp_path / "tiny" / "artifacts").exists(), "weights are kept by request alone"
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": {"bakend": ["numpy"]}}, "unknown filter 'bakend'; did you mean 'backend'"),
        ({"filters": {"seed": [7]}}, "unknown seed of matrix '7'. Known: 0"),
        ({"filters": {"cell": "lstm"}}, "matrix has no cell 'lstm', which is installed"),
        ({"rerun": "fail"}, "unknown value of rerun 'fail'; did you mean 'failed'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_runs(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        benchsuite.run(MATRIX, results=tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []
