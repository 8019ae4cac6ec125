"""`benchsuite env` as a user meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.twin import write_card, write_twin

MATRIX = """
name = "twin"
[defaults]
size.hidden = 4
recipe.epochs = 1
recipe.limit = 32
recipe.batch_size = 16
protocol.rounds = 2
protocol.round_seconds = 0.002
protocol.warmup_seconds = 0.01
[axes]
task = "adding"
cell = "lstm"
architecture = "plain"
backend = "twin"
"""


def benchsuite(*arguments: str, code: int = 0, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchsuite", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "environments"
    monkeypatch.setenv("BENCHSUITE_ENVS", str(folder))
    return folder


def test_a_plugin_runs_in_an_environment_of_its_own_from_then_on(home: Path, tmp_path: Path) -> None:
    """For real: venv and pip, without a network; a card of the backend is all that this Python has."""
    path = os.pathsep.join(filter(None, [str(write_card(tmp_path / "site")), os.environ.get("PYTHONPATH")]))
    folder = write_twin(tmp_path / "twin")
    offline = "--no-index --no-build-isolation"
    said = benchsuite("env", "create", str(folder), "--inherit", "--pip-args", offline)
    assert "environment benchsuite-twin: Python" in said
    [row] = json.loads(benchsuite("env", "list", "--json"))
    assert row["backends"] == row["used_for"] == ["twin"]
    assert row["interpreter"] == str(home / "benchsuite-twin" / "bin" / "python")
    matrix = tmp_path / "twin.toml"
    matrix.write_text(MATRIX, encoding="utf-8")
    results = ["--results", str(tmp_path / "results")]
    planned = benchsuite("plan", str(matrix), *results, PYTHONPATH=path)
    assert f"twin runs with {row['interpreter']}, environment benchsuite-twin" in planned
    ran = benchsuite("run", str(matrix), *results, "--tracking-uri", "none", PYTHONPATH=path)
    assert "ok" in ran
    journal = (tmp_path / "results" / "twin" / "records.jsonl").read_text(encoding="utf-8")
    assert json.loads(journal)["environment"]["python.environment"] == "benchsuite-twin"
    benchsuite("env", "remove", "benchsuite-twin")
    assert json.loads(benchsuite("env", "list", "--json")) == []


@pytest.mark.data
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
def test_an_environment_of_a_built_in_backend_runs_the_matrix_smoke(
    home: Path, tmp_path: Path, backend: str
) -> None:
    """From the package index; where that has PyTorch for NVIDIA GPUs alone, it is not installed."""
    command = [sys.executable, "-m", "benchsuite", "env", "create", backend]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False)
    if "build for NVIDIA GPUs" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    results = ["--results", str(tmp_path), "--tracking-uri", "none"]
    benchsuite("run", "smoke", "--backend", backend, *results)
    journal = (tmp_path / "smoke" / "records.jsonl").read_text(encoding="utf-8")
    assert json.loads(journal)["environment"]["python.environment"] == backend
    assert (home / backend).is_dir()


def test_an_interrupt_ends_the_installer_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f"#!/bin/sh\necho $$ > {tmp_path / 'pid'}\nexec sleep 60\n", encoding="utf-8")
    uv.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchsuite", "env", "create", "numpy"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    limit = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < limit, "the installer was not started"
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not (home / "numpy").exists()
    assert json.loads(benchsuite("env", "list", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "torhc"], "did you mean 'torch'"),
        (["create", "numpy", "--python", "2.7"], "--python 2.7"),
        (["create", "numpy", "--name", "../x"], "cannot name an environment"),
        (["create", "numpy", "--from", "nowhere"], "--from nowhere: give a folder"),
        (["create", "numpy", "--pip-args", "'"], "--pip-args ': No closing quotation"),
        (["create", "numpy", "--installer", "conda"], "give one of uv, pip"),
        (["remove", "nothing"], "unknown environment 'nothing'"),
        (["remove", "../x"], "cannot name an environment"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_is_wrong_is_one_sentence_and_ends_with_2(arguments: list[str], said: str) -> None:
    result = call("env", *arguments, code=2)
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.usefixtures("home")
def test_without_environments_the_list_says_how_to_make_one() -> None:
    assert "benchsuite env create BACKEND" in call("env", "list").output


def test_an_environment_that_cannot_be_read_is_named(home: Path) -> None:
    (home / "broken").mkdir(parents=True)
    (home / "broken" / "benchsuite-environment.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in call("env", "list").output
    call("env", "remove", "broken")
    assert not (home / "broken").exists()
