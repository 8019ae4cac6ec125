"""What `benchsuite new` makes conforms as it is: installed from its wheel, found by its entry point."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from fixtures.example_site import authors_tests, install, run

from benchsuite.cli.new import KINDS, write_project

NAME = "brand_new"
CHECKS = {
    "backend": ["--core"],
    "task": [],
    "cell": ["--backend", "numpy", "--precision", "float64", "--unroll", "dynamic"],
}
"""What `benchsuite check KIND NAME` is given beside them: enough, in few seconds."""


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def project(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project of that kind."""
    folder = tmp_path_factory.mktemp(kind) / "project"
    write_project(kind, NAME, folder)
    return folder


@pytest.fixture(scope="module")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project, installed from its wheel."""
    return install(project, tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site"))


def test_it_passes_check(kind: str, site: Path) -> None:
    command = [sys.executable, "-m", "benchsuite", "check", kind, NAME, *CHECKS[kind]]
    said = run(command, site, site)
    assert not [line for line in said.splitlines() if line.startswith("failed")]
    assert NAME in said


def test_its_own_tests_pass(project: Path, site: Path) -> None:
    said = authors_tests(project, site)
    assert " passed" in said
    assert "failed" not in said


def test_it_announces_what_it_brings(kind: str, project: Path) -> None:
    made = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert made["project"]["name"] == "benchsuite-brand-new"
    assert made["project"]["entry-points"]["benchsuite"] == {NAME: f"benchsuite_{NAME}"}
    assert "benchsuite" in made["project"]["dependencies"]
    workflow = yaml.safe_load((project / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    commands = [step.get("run", "") for step in workflow["jobs"]["tests"]["steps"]]
    assert any(command.startswith(f"benchsuite check {kind} {NAME}") for command in commands)
    assert "pytest" in commands
