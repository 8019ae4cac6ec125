"""The workflow files for users: well formed, their commands parse, and a fork's pull request gets no right."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from fixtures.sources import ROOT

from benchsuite.cli.app import app

WORKFLOWS = sorted((ROOT / "docs" / "workflows").glob("*.yml"))
VALUES = {"$SHARD": "3/4", "$MATRIX": "quick", "$BACKENDS": "numpy", "$NAME": "ada"}
UNTRUSTED = re.compile(r"\$\{\{\s*(?:inputs|github\.event|github\.head_ref|matrix)")


def load(path: Path) -> dict[str, Any]:
    """A workflow, parsed. YAML 1.1 reads the key `on` as true."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def commands() -> list[str]:
    lines = [line for path in WORKFLOWS for step in steps(path) for line in step.get("run", "").splitlines()]
    found = [re.sub(r"\s+(?:>|\|\|).*", "", line.strip()) for line in lines]
    return [line for line in found if line.startswith("benchsuite ")]


def test_there_are_two() -> None:
    assert [path.stem for path in WORKFLOWS] == ["benchmarks", "comment"]
    assert len(commands()) >= 6


@pytest.mark.parametrize("line", commands())
def test_their_commands_can_be_run(line: str) -> None:
    for variable, value in VALUES.items():
        line = line.replace(variable, value)
    _, name, *arguments = shlex.split(line)
    typer.main.get_command(app).commands[name].make_context(name, arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_text_of_a_stranger_becomes_part_of_a_script(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert not [script for script in scripts if UNTRUSTED.search(script)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_have_limits_and_actions_have_versions(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 360 for job in load(path)["jobs"].values())
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert not [one for one in used if not re.fullmatch(r"actions/[\w-]+@v\d+", one)]


def test_what_reads_a_strangers_upload_may_not_write_and_checks_nothing_out() -> None:
    workflow = load(next(path for path in WORKFLOWS if path.stem == "comment"))
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert jobs["judge"]["permissions"] == {"actions": "read"}
    assert jobs["comment"]["permissions"] == {"pull-requests": "write"}
    used = [step.get("uses", "") for job in jobs.values() for step in job["steps"]]
    assert not [one for one in used if "checkout" in one]
    assert "pull_request_target" not in str(workflow["on"])


def test_a_pull_request_publishes_nothing_and_needs_no_secret() -> None:
    workflow = load(next(path for path in WORKFLOWS if path.stem == "benchmarks"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["on"]["workflow_call"]["secrets"]["results_token"]["required"] is False
    assert "github.event_name != 'pull_request'" in workflow["jobs"]["publish"]["if"]
    for name, job in workflow["jobs"].items():
        assert ("secrets." in str(job)) is (name == "publish")
