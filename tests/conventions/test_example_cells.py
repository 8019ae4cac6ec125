"""The cells of examples/, installed as their user would install them: nothing of benchsuite names them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from fixtures.example_site import ask, authors_tests, install, run
from fixtures.sources import CORE, PLUGIN_FOLDERS, ROOT, python_files

EXAMPLE = ROOT / "examples" / "benchsuite_example_cells"
CELLS = ("leaky_rnn", "mgu")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin, installed from its wheel."""
    return install(EXAMPLE, tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site"))


def test_nothing_else_knows_them() -> None:
    folders = [CORE, *(ROOT / folder for folder in PLUGIN_FOLDERS)]
    named = re.compile("|".join(CELLS) + "|benchsuite_example_cells")
    assert not [path for path in python_files(*folders) if named.search(path.read_text(encoding="utf-8"))]


def test_a_cell_is_one_file_of_at_most_sixty_lines() -> None:
    for name in CELLS:
        text = (EXAMPLE / "src" / "benchsuite_example_cells" / f"{name}.py").read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param("not float32 or not test_model", id="float64"),
        pytest.param("", id="whole", marks=pytest.mark.slow),
    ],
)
def test_the_authors_own_tests_pass(site: Path, chosen: str) -> None:
    said = authors_tests(EXAMPLE, site, timeout=800, chosen=chosen)
    assert " passed" in said
    skipped = [line for line in said.splitlines() if line.startswith("SKIPPED")]
    assert all("has no affine step, so unroll scan cannot run it" in line for line in skipped), skipped


def test_they_are_found_by_the_entry_point_alone(site: Path) -> None:
    listed = run([sys.executable, "-m", "benchsuite", "list", "cells"], site, site)
    assert all(name in listed for name in CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_a_trial_of_one_runs_at_parity(site: Path, name: str) -> None:
    script = f"""
import json
from benchsuite.schema import Trial
from benchsuite.plugins import registry
from benchsuite.measure.worker.runner import Session
registry()
trial = Trial.model_validate({{
    "task": "adding", "source": "generated", "options": {{"length": 10, "examples": 256}},
    "cell": "{name}", "architecture": "plain", "size": {{"hidden": 4}}, "backend": "numpy",
    "recipe": {{"epochs": 2, "batch_size": 64, "limit": 256}},
    "protocol": {{"rounds": 2, "round_seconds": 0.002, "warmup_seconds": 0.01, "gradient_snapshots": 2}},
}})
record = Session("numpy").run(trial, lambda progress: None)
print(json.dumps(record.model_dump(mode="json")))
"""
    record = ask(script, site)
    assert record["status"] == "ok", record["reason"] + record["exception"]
    assert record["verdicts"]["parity"] == "ok"
    assert record["scalars"]["speed/flops_per_step"] > 0
