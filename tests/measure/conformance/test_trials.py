"""Whole trials in every backend, in worker processes: one framework a process, the same numbers in all of
them, the same bits twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from benchsuite.plugins import registry
from benchsuite.schema import Trial
from benchsuite.schema.thresholds import TOLERANCES

BACKENDS = ("numpy", "torch", "tensorflow", "jax")
FRAMEWORKS = ("torch", "tensorflow", "jax", "cupy", "mlflow")
RUN = """
import json, sys
from benchsuite.schema import Trial
from benchsuite.measure.worker.runner import Session

session = Session(sys.argv[1])
records = [session.run(Trial.model_validate_json(text), lambda progress: None) for text in sys.argv[2:]]
found = [json.loads(record.model_dump_json()) for record in records]
losses = [[s.y for s in record.series if s.name == "train/loss"] for record in records]
print("RESULT" + json.dumps({
    "modules": sorted(name for name in sys.modules if "." not in name),
    "records": found,
    "losses": losses,
}))
"""


def trial(backend: str, **changes: Any) -> Trial:
    entry = registry().task("mnist_rows")
    return Trial.model_validate(
        {
            "task": "mnist_rows",
            "source": "digits",
            "options": {name: option.default for name, option in entry.options.items()},
            "cell": "lstm",
            "architecture": "plain",
            "backend": backend,
            "size": {"hidden": 8},
            "recipe": {"epochs": 2, "batch_size": 32, "limit": 256, "learning_rate": 0.01},
            "protocol": {"rounds": 3, "round_seconds": 0.005, "warmup_seconds": 0.02},
        }
        | changes
    )


@cache
def results(backend: str) -> dict[str, Any]:
    """One process of `backend`: a float32 trial twice, deterministically."""
    asked = trial(backend, execution={"deterministic": True})
    environment = os.environ | dict(registry().backend(backend).environment(asked.execution))
    text = asked.model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", RUN, backend, text, text],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT"))
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_trial_is_ok_at_parity_and_timed(backend: str) -> None:
    for record in results(backend)["records"]:
        assert record["status"] == "ok", record["exception"]
        assert record["verdicts"]["parity"] == "ok"
        assert record["kernel"]
        assert record["scalars"]["speed/step_median_seconds"] > 0
        assert 0 < record["scalars"]["speed/peak_share"] < 1.5
        assert record["scalars"]["test/accuracy"] > 0.15


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_holds_one_framework(backend: str) -> None:
    """Two frameworks in a process mean two OpenMP runtimes and memory taken twice."""
    loaded = {name for name in FRAMEWORKS if name in results(backend)["modules"]}
    assert loaded == {backend} - {"numpy"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_trial_gives_the_same_bits(backend: str) -> None:
    first, second = results(backend)["losses"]
    assert first == second
    one, two = results(backend)["records"]
    assert one["scalars"]["test/cross_entropy"] == two["scalars"]["test/cross_entropy"]


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_every_backend_trains_alike(backend: str) -> None:
    """Not parity of one batch but of a whole training: the loss curves run together."""
    ours, theirs = results(backend)["losses"][0][0], results("numpy")["losses"][0][0]
    assert len(ours) == len(theirs) == 16
    worst = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
    assert worst < TOLERANCES["float32"].loss_50
