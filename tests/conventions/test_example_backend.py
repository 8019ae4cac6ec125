"""The backend and the task of examples/ as somebody outside the project would ship them, installed from their
wheels and used together: found by entry point, conforming, in a matrix, a report and a race."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from fixtures.example_site import ask, authors_tests, install, run
from fixtures.sources import CORE, PLUGIN_FOLDERS, ROOT, python_files

BACKEND = ROOT / "examples" / "benchsuite_example_equinox"
TASK = ROOT / "examples" / "benchsuite_example_names"

MATRIX = """
[axes]
task = "names"
source = "generated"
options.names = 200
cell = "gru"
architecture = "plain"
backend = ["numpy", "equinox"]
size = { hidden = 8, embedding = 8 }
recipe = { learning_rate = 0.01, epochs = 2, batch_size = 32, clip = "norm" }
protocol = { rounds = 2, round_seconds = 0.01, warmup_seconds = 0.02, gradient_snapshots = 2 }
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both plugins, installed from their wheels."""
    folder = tmp_path_factory.mktemp("site")
    for example in (BACKEND, TASK):
        install(example, tmp_path_factory.mktemp("wheel"), folder)
    return folder


@pytest.fixture(scope="module")
def study(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of one run of MATRIX, called `outside`."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "outside.toml").write_text(MATRIX, encoding="utf-8")
    benchsuite(["run", "outside.toml", "--results", "results", "--tracking-uri", "none"], folder, site)
    return folder / "results"


def benchsuite(arguments: list[str], folder: Path, site: Path, timeout: float = 300) -> str:
    return run([sys.executable, "-m", "benchsuite", *arguments], folder, site, timeout)


def test_nothing_else_knows_them() -> None:
    named = re.compile(r"equinox|benchsuite_example_names")
    folders = [CORE, *(ROOT / folder for folder in PLUGIN_FOLDERS)]
    assert not [path for path in python_files(*folders) if named.search(path.read_text(encoding="utf-8"))]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("example", "only"), [(BACKEND, "tests/test_equinox.py"), (TASK, "tests/test_names.py")]
)
def test_the_authors_own_tests_pass(
    example: Path, only: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCHSUITE_DATA", raising=False)
    assert " passed" in authors_tests(example, site, timeout=800, only=only)


def test_they_are_found_by_their_entry_points_and_import_no_framework(site: Path) -> None:
    script = """
import json, sys
from benchsuite.plugins import registry
found = registry()
names = [found.owners[name].distribution for name in ("backend:equinox", "task:names")]
loaded = [name for name in ("jax", "equinox", "benchsuite_example_names.task") if name in sys.modules]
print(json.dumps([names, loaded]))
"""
    assert ask(script, site) == [["benchsuite-example-equinox", "benchsuite-example-names"], []]


def test_the_file_is_listed_with_its_licence(site: Path) -> None:
    listed = json.loads(benchsuite(["data", "list", "--json"], site, site))
    (file,) = [file for file in listed if file["task"] == "names"]
    assert (file["file"], file["licence"]) == ("makemore_names.txt", "MIT (of the repository)")


def test_the_task_keeps_its_contract(site: Path) -> None:
    assert re.search(r"ok\s+names generated", benchsuite(["check", "task", "names"], site, site))


@pytest.mark.timeout(900)
def test_the_backend_runs_in_a_matrix_at_parity(study: Path, site: Path) -> None:
    shown = json.loads(benchsuite(["show", "outside", "--results", str(study), "--json"], study, site))
    assert {record["trial"]["backend"]: record["status"] for record in shown} == {
        "numpy": "ok",
        "equinox": "ok",
    }
    assert {record["verdicts"]["parity"] for record in shown} == {"ok"}
    bits = [record["scalars"]["test/bits_per_character"] for record in shown]
    assert bits[0] == pytest.approx(bits[1], rel=1e-3)


def test_it_is_in_a_report(study: Path, site: Path, tmp_path: Path) -> None:
    benchsuite(
        [
            "report",
            "outside",
            "--results",
            str(study),
            "--format",
            "markdown",
            "--output",
            str(tmp_path / "r"),
        ],
        study,
        site,
    )
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md"))
    assert "equinox" in text


@pytest.mark.timeout(900)
def test_it_races_with_numpy(study: Path, site: Path) -> None:
    said = benchsuite(["race", "outside", "--results", str(study), "--rounds", "5", "--json"], study, site)
    assert {"numpy", "equinox"} <= set(re.findall(r"numpy|equinox", said))


FEW = "gradients[gru-bidirectional-truncated],gradients[rnn-steps-ties]"


@pytest.mark.timeout(900)
def test_the_backend_conforms_in_a_few_cases(site: Path, tmp_path: Path) -> None:
    said = check(site, tmp_path, 600, "--case", FEW, "--unroll", "dynamic", "--precision", "float64")
    assert said.splitlines()[-1] == "equinox conforms: 2 ok"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_backend_passes_the_kit_that_its_tests_inherit(site: Path) -> None:
    assert " passed" in authors_tests(BACKEND, site, timeout=3500, only="tests/test_kit.py")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_backend_conforms(site: Path, tmp_path: Path, precision: str) -> None:
    said = check(site, tmp_path, 3500, "--core", "--precision", precision)
    assert said.splitlines()[-1].startswith("equinox conforms")


def check(site: Path, kept: Path, timeout: float, *arguments: str) -> str:
    command = ["check", "backend", "equinox", *arguments, "--results", str(kept)]
    return benchsuite(command, site, site, timeout).strip()


@pytest.mark.data
def test_the_task_keeps_its_contract_on_the_real_names(site: Path) -> None:
    assert "ok" in benchsuite(["check", "task", "names", "--source", "makemore"], site, site)
