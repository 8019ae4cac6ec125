"""The files around the code: forms, hooks, containers, coverage, fragments of the changelog."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.sources import ROOT, project, tracked_files

FORMS = [
    path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"
]


def parse(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def pinned(package: str) -> str:
    """A package's version in constraints.txt."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return re.search(rf"^{package}==(\S+)$", text, re.MULTILINE | re.IGNORECASE)[1]  # type: ignore[index]


@pytest.mark.parametrize(
    "name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "AGENTS.md", "docs/releasing.md", "changelog.d/README.md"]
)
def test_the_pages_of_an_open_project_are_reached_from_contributing(name: str) -> None:
    assert (ROOT / name).is_file()
    assert f"({name})" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_keeps_to_the_schema(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "labels", "body"}
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    for field in form["body"]:
        assert set(field) <= {"type", "id", "attributes", "validations"}
        assert field["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert field["attributes"]["label"]


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/dependabot.yml"])
def test_other_settings_parse(name: str) -> None:
    assert parse(name)


def test_hooks_have_the_versions_of_the_constraints() -> None:
    hooks = {hook["id"]: hook for one in parse(".pre-commit-config.yaml")["repos"] for hook in one["hooks"]}
    assert set(hooks) >= {"ruff-check", "ruff-format", "mypy", "end-of-file-fixer", "check-toml"}
    for name in ("ruff-check", "ruff-format"):
        assert hooks[name]["additional_dependencies"] == [f"ruff=={pinned('ruff')}"]
    assert hooks["mypy"]["entry"].endswith("-e types")


def test_files_end_with_one_line_end() -> None:
    exclude = re.compile(parse(".pre-commit-config.yaml")["exclude"])
    wrong = []
    for path in tracked_files():
        name, content = path.relative_to(ROOT).as_posix(), path.read_bytes()
        if content and b"\0" not in content[:8192] and not exclude.search(name):
            ends = content.endswith(b"\n") and not content.endswith(b"\n\n")
            wrong += [] if ends else [name]
    assert not wrong


def test_the_container_installs_what_the_package_has() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    image, version = container["image"].split(":")
    assert image == "python"
    assert any(one.endswith(f"Python :: {version}") for one in project()["project"]["classifiers"])
    command = container["postCreateCommand"]
    extras = re.search(r"\.\[([\w,]+)\]", command)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(project()["project"]["optional-dependencies"])
    assert set(re.findall(r"--group (\w+)", command)) <= set(project()["dependency-groups"])


@pytest.mark.parametrize(
    "path", sorted((ROOT / "containers").glob("Dockerfile.*")), ids=lambda path: path.suffix
)
def test_a_container_file_installs_what_the_package_has(path: Path) -> None:
    """No container engine builds it here: each line is one that the command line and the package know."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    words = {line.split()[0] for line in lines}
    assert words <= {"FROM", "ARG", "ENV", "RUN", "COPY", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    [version] = re.findall(r"^FROM python:(3\.\d+)-slim$", text, re.MULTILINE)
    assert any(one.endswith(f"Python :: {version}") for one in project()["project"]["classifiers"])
    [extras] = re.findall(r'"/source\[([\w,]+)\]"', text)
    assert set(extras.split(",")) <= set(project()["project"]["optional-dependencies"])
    assert lines.index("USER runner") < lines.index('ENTRYPOINT ["benchsuite"]'), (
        "it runs as no administrator"
    )
    for backend in re.findall(r"^RUN benchsuite env create (\w+) --cuda$", text, re.MULTILINE):
        assert f"{backend}-cuda" in project()["project"]["optional-dependencies"]


def test_coverage_measures_every_package_that_is_shipped() -> None:
    tool = project()["tool"]
    shipped = tool["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert tool["coverage"]["run"]["source_pkgs"] == sorted(name.rpartition("/")[2] for name in shipped)


def test_coverage_has_floors_for_packages_that_there_are() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    commands = parser["testenv:coverage"]["commands"]
    found = re.findall(r"^coverage report --fail-under=(\d+) --include=(\S+)$", commands, re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^\|[^|]*\| (\d+) % \|", page, re.MULTILINE) == [floor for floor, _ in found]
    for pattern in (pattern for _, included in found for pattern in included.split(",")):
        name = pattern.removeprefix("*/").removesuffix("/*")
        assert [one for one in (ROOT / name, ROOT / "backends" / name) if one.is_dir()], pattern


def test_the_types_of_all_tests_and_benchmarks_are_checked() -> None:
    assert not [one for one in project()["tool"]["mypy"]["overrides"] if one.get("ignore_errors")]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    commands = parser["testenv:types"]["commands"].splitlines()
    assert {"mypy tests", "mypy benchmarks"} <= set(commands)


def fragments() -> list[Path]:
    return [path for path in sorted((ROOT / "changelog.d").iterdir()) if path.name != "README.md"]


def test_fragments_of_the_changelog_have_a_kind_and_a_sentence() -> None:
    kinds = [one["directory"] for one in project()["tool"]["towncrier"]["type"]]
    for path in fragments():
        assert re.fullmatch(rf"\+[\w-]+\.({'|'.join(kinds)})\.md", path.name), path.name
        assert path.read_text(encoding="utf-8").strip().endswith((".", "`")), path.name
    page = (ROOT / "changelog.d" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{kind}`" in page for kind in kinds)


def test_a_release_has_a_place_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith(project()["tool"]["towncrier"]["start_string"])
