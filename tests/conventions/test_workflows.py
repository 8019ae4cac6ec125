"""GitHub workflows: they run what README.md and tox.ini say, on the versions that the package declares."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.sources import ROOT, project

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
CLASSIFIER = "Programming Language :: Python :: "


def load(path: Path) -> dict[str, Any]:
    """A workflow, parsed. YAML 1.1 reads the key `on` as true."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in read.items()}


def jobs() -> list[tuple[str, dict[str, Any]]]:
    """(file/job, job) of every workflow."""
    return [(f"{path.stem}/{name}", job) for path in WORKFLOWS for name, job in load(path)["jobs"].items()]


def variants(job: dict[str, Any]) -> list[dict[str, str]]:
    """The values of a job's matrix, in every combination."""
    axes = job.get("strategy", {}).get("matrix", {})
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: values[match[1]], text)


def commands(job: dict[str, Any]) -> set[str]:
    """What a job runs, one command each."""
    texts = [step["run"] for step in job.get("steps", []) if "run" in step]
    lines = [fill(line, values) for text in texts for line in text.splitlines() for values in variants(job)]
    return {part.strip() for line in lines for part in line.split("&&") if part.strip()}


def environments() -> set[str]:
    """The environments of tox.ini; `{a,b}` in a section's name is two of them."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    names = {name.removeprefix("testenv:") for name in parser.sections() if name.startswith("testenv:")}
    return {part for name in names for part in name.strip("{}").split(",")}


def documented() -> set[str]:
    """Commands of the fenced blocks of README.md and CONTRIBUTING.md, without comments."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+# .*", "", line) for block in blocks for line in block.splitlines()]
    return {part.strip() for line in lines for part in line.split("&&") if part.strip()}


def unknown(command: str) -> str:
    """Why a command is none that a reader of README.md or tox.ini could run; empty where it is one."""
    words = shlex.split(command)
    if words[:3] == ["tox", "run", "-e"]:
        strangers = sorted(set(words[3].split(",")) - environments())
        return f"tox.ini has no environment {', '.join(strangers)}" if strangers else ""
    return "" if command in documented() else f"{command!r} is not in README.md or CONTRIBUTING.md"


def test_there_are_workflows_for_tests_pages_and_releases() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"tests", "docs", "release"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_whole(path: Path) -> None:
    workflow = load(path)
    assert workflow["name"] == path.stem
    assert workflow["on"]
    assert workflow["permissions"] == {"contents": "read"}, "a job that needs more asks for it itself"


@pytest.mark.parametrize("job", [job for _, job in jobs()], ids=[name for name, _ in jobs()])
def test_a_workflow_runs_only_what_a_reader_can_run(job: dict[str, Any]) -> None:
    reasons = {reason for command in commands(job) if (reason := unknown(command))}
    assert not reasons
    assert commands(job) or "uses" in job or all("uses" in step for step in job["steps"])


def test_the_local_script_runs_only_what_a_reader_can_run() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    parts = {part.strip() for line in lines for part in line.split("&&")}
    run = {part for part in parts if re.match(r"tox |python3 -m pip", part)}
    assert len(run) >= 3
    assert not {reason for command in run if (reason := unknown(command))}


@pytest.mark.parametrize("command", ["tox run -e nothing", "tox run -e lint,nothing", "pip install x"])
def test_other_commands_are_found(command: str) -> None:
    assert unknown(command)


@pytest.mark.parametrize("job", [job for _, job in jobs()], ids=[name for name, _ in jobs()])
def test_actions_have_a_major_version_and_jobs_a_limit(job: dict[str, Any]) -> None:
    used = [step["uses"] for step in job.get("steps", []) if "uses" in step]
    assert not [action for action in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@(release/)?v\d+", action)]
    if "uses" in job:
        assert (ROOT / job["uses"]).is_file()
    else:
        assert job["timeout-minutes"] <= 360


def declared() -> list[str]:
    """The versions of Python that pyproject.toml declares."""
    found = [one.removeprefix(CLASSIFIER) for one in project()["project"]["classifiers"] if CLASSIFIER in one]
    return [version for version in found if re.fullmatch(r"3\.\d+", version)]


def test_matrices_have_the_declared_versions_of_python() -> None:
    matrices = [
        axes["python"] for _, job in jobs() if "python" in (axes := job.get("strategy", {}).get("matrix", {}))
    ]
    assert len(matrices) >= 2
    assert all(versions == declared() for versions in matrices)
    assert project()["project"]["requires-python"] == f">={declared()[0]}"


def test_single_jobs_use_a_declared_version_of_python() -> None:
    steps = [(step, values) for _, job in jobs() for step in job.get("steps", []) for values in variants(job)]
    used = {
        fill(step["with"]["python-version"], values) for step, values in steps if "setup-python" in str(step)
    }
    assert used == set(declared())


def test_tests_and_installation_run_on_linux_and_macos() -> None:
    found = load(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]
    for name in ("tests", "install"):
        assert found[name]["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]


def test_every_environment_of_a_plain_tox_run_is_in_the_workflows() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    run = {command.split()[3] for _, job in jobs() for command in commands(job) if "tox run -e" in command}
    assert {name.strip() for name in parser["tox"]["env_list"].split(",")} <= run


def test_only_a_tag_publishes_after_tests_and_without_a_password() -> None:
    release = load(ROOT / ".github" / "workflows" / "release.yml")
    assert set(release["on"]) == {"push", "workflow_dispatch"}
    assert set(release["on"]["push"]) == {"tags"}
    publish = release["jobs"]["publish"]
    assert publish["if"] == "github.event_name == 'push'"
    assert set(publish["needs"]) == {"tests", "build"}
    assert publish["permissions"] == {"id-token": "write"}
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    others = [job for name, job in release["jobs"].items() if name != "publish"]
    assert not [job for job in others if "permissions" in job]
