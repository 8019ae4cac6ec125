"""The whole machine through the command line: every backend, the mirror, the doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def benchsuite(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "benchsuite", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_smoke_runs_on_every_backend_and_is_mirrored_twice(tmp_path: Path) -> None:
    results = ["--results", str(tmp_path)]
    text = benchsuite("run", "smoke", *results)
    assert text.count("] ok ") == 4
    assert "differ by" in text
    assert (tmp_path / "mlflow.db").exists()
    elsewhere = f"sqlite:///{tmp_path / 'other.db'}"
    assert "4 of 4 records sent" in benchsuite("sync", "smoke", "--tracking-uri", elsewhere, *results)
    assert "0 of 4 records sent" in benchsuite("sync", "smoke", "--tracking-uri", elsewhere, *results)


def test_doctor_finds_every_backend(tmp_path: Path) -> None:
    found = {
        row["what"]: row for row in json.loads(benchsuite("doctor", "--json", "--results", str(tmp_path)))
    }
    for backend in ("numpy", "torch", "tensorflow", "jax"):
        assert found[f"backend {backend}"]["state"] == "ok"
        assert "cpu" in found[f"backend {backend}"]["detail"]
        assert found[f"parity of {backend}"]["state"] == "ok"
        assert "kernel" in found[f"parity of {backend}"]["detail"]
    assert found["results folder"]["state"] == "ok"


def test_doctor_warns_of_what_holds_one_library_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    rows = json.loads(benchsuite("doctor", "--json", "--results", str(tmp_path)))
    [warning] = [row for row in rows if row["state"] == "warning"]
    assert warning["what"] == "OPENBLAS_CORETYPE"
    assert "Haswell" in warning["detail"]


def test_doctor_says_when_results_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    rows = json.loads(benchsuite("doctor", "--json", "--results", str(file), code=1))
    [problem] = [row for row in rows if row["state"] == "problem"]
    assert problem["what"] == "results folder"


def test_devices_are_asked_of_the_backends() -> None:
    rows = json.loads(benchsuite("list", "devices", "--json"))
    assert {row["backend"] for row in rows if row["device"] == "cpu"} == {
        "numpy",
        "torch",
        "tensorflow",
        "jax",
    }
