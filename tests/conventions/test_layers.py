"""Imports point down the layers; the core knows no framework and no plugin."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.sources import (
    CORE,
    FRAMEWORKS,
    ROOT,
    TEMPLATES,
    imported,
    plugin_packages,
    project,
    python_files,
)

PLUGINS_MAY_IMPORT = ("contracts", "schema", "errors", "data", "hookimpl")
BUILDS_ON = {"benchsuite_keras": ("benchsuite_jax", "benchsuite_tensorflow", "benchsuite_torch")}
"""Plugin -> the plugins whose framework it runs on: how that is set up and released has one home."""
LAZY = {"mlflow": CORE / "trackers"}
"""What may be imported inside a function of one package alone."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a project folder."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as run; run()",
            "--no-cache",
        ],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The core and its contract, to be spoilt."""
    shutil.copytree(CORE, tmp_path / "benchsuite", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_point_down_the_layers() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_an_import_that_points_up_is_caught(copy: Path) -> None:
    with (copy / "benchsuite" / "errors.py").open("a") as file:
        file.write("\n\ndef late() -> None:\n    import benchsuite.measure.worker.channel\n")
    done = lint(copy)
    assert done.returncode == 1
    assert "benchsuite.errors is not allowed to import benchsuite.measure" in done.stdout


@pytest.mark.parametrize("name", ["attic.py", "attic/__init__.py"])
def test_a_module_in_no_layer_is_caught(copy: Path, name: str) -> None:
    new = copy / "benchsuite" / name
    new.parent.mkdir(exist_ok=True)
    new.write_text("")
    done = lint(copy)
    assert done.returncode == 1
    assert "benchsuite.attic" in done.stdout


def test_the_core_imports_no_framework_and_no_plugin() -> None:
    forbidden = {*FRAMEWORKS, *(package.name for package in plugin_packages())}
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in python_files(CORE)
        for name in imported(path)
        if name.split(".")[0] in forbidden and LAZY.get(name.split(".")[0]) not in path.parents
    }
    assert not found


def test_the_core_never_asks_the_package_itself() -> None:
    """`benchsuite.run` and `Study` are the top layer: who imports the package may reach all of them."""
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in python_files(CORE)
        for name in imported(path)
        if name in ("benchsuite", "benchsuite.run", "benchsuite.Study", "benchsuite.hookimpl")
    }
    assert not found


SHOWN = [
    package
    for folder in ((ROOT / "examples").glob("*/src"), TEMPLATES.glob("*/src"))
    for source in folder
    for package in source.iterdir()
    if package.is_dir()
]
"""The plugins that others start from."""


@pytest.mark.parametrize("package", [*plugin_packages(), *SHOWN], ids=lambda package: package.name)
def test_a_plugin_imports_of_benchsuite_only_what_plugins_are_promised(package: Path) -> None:
    found = set()
    paths = list(package.rglob("*.py"))
    assert paths
    for path in paths:
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "benchsuite" and (len(parts) < 2 or parts[1] not in PLUGINS_MAY_IMPORT):
                found.add((path.relative_to(ROOT).as_posix(), name))
            others = parts[0].startswith("benchsuite_") and parts[0] != package.name
            if others and parts[0] not in BUILDS_ON.get(package.name, ()):
                found.add((path.relative_to(ROOT).as_posix(), name))
    assert not found


@pytest.mark.parametrize(
    "statement",
    [
        "import benchsuite",
        "from benchsuite.plugins import registry; registry().hook; assert registry().backends",
        "import benchsuite.cli",
        "import benchsuite.measure.worker.runner",
    ],
)
def test_importing_benchsuite_brings_no_framework(statement: str) -> None:
    heavy = [*FRAMEWORKS, "sklearn", "statsmodels"]
    script = f"import sys; {statement}; sys.exit(', '.join(set(sys.modules) & set({heavy})) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_contract_has_no_exceptions() -> None:
    contracts = project()["tool"]["importlinter"]["contracts"]
    assert [contract["id"] for contract in contracts] == ["layers", "records-only"]
    assert contracts[0]["exhaustive"]
    assert not {"ignore_imports", "exhaustive_ignores"} & set(contracts[0])


def test_the_documented_layers_are_the_enforced_ones() -> None:
    contracts = project()["tool"]["importlinter"]["contracts"]
    documented = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = documented.partition("## Layers")[2].split("```")[1].split("\n")
    assert [line for line in listed if line] == contracts[0]["layers"]


def test_the_package_has_few_entries_at_the_top() -> None:
    entries = {path.name for path in CORE.iterdir() if path.name != "__pycache__"}
    assert len(entries) <= 18, sorted(entries)


def test_every_package_is_documented() -> None:
    documented = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {path.name for path in CORE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert not {name for name in packages if f"`{name}/`" not in documented}
