"""What is shipped: the wheel holds every import package and nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fixtures.sources import CORE, PLUGIN_FOLDERS, ROOT, TEMPLATES, plugin_packages, project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that hatchling builds of this checkout; no network, no isolation."""
    folder = tmp_path_factory.mktemp("wheel")
    script = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        check=True,
        timeout=120,
        capture_output=True,
    )
    return zipfile.ZipFile(next(folder.glob("benchsuite-*.whl")))


def listed_packages() -> list[Path]:
    build = project()["tool"]["hatch"]["build"]["targets"]["wheel"]
    return [ROOT / name for name in build["packages"]]


def shipped(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_every_plugin_folder_is_listed_by_hand() -> None:
    assert sorted(listed_packages()) == sorted([CORE, *plugin_packages()])


def test_every_listed_package_is_type_checked() -> None:
    assert sorted(project()["tool"]["mypy"]["packages"]) == sorted(path.name for path in listed_packages())


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_the_plugin_folders_are_no_packages_but_what_lies_in_them_is(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()
    assert all((path / "__init__.py").is_file() for path in (ROOT / folder).iterdir() if path.is_dir())


def test_the_wheel_holds_every_source_file(wheel: zipfile.ZipFile) -> None:
    expected = {
        path.relative_to(package.parent).as_posix()
        for package in listed_packages()
        for path in package.rglob("*")
        if path.suffix in (".py", ".toml", ".typed", ".json", ".txt", ".yml", ".md") or path.name == "LICENSE"
    }
    assert expected <= shipped(wheel)


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    roots = {name.split("/")[0] for name in shipped(wheel)}
    assert roots == {package.name for package in listed_packages()}
    assert not {name for name in shipped(wheel) if "__pycache__" in name or name.endswith((".pyc", ".jsonl"))}


@pytest.mark.parametrize("name", [".github", ".devcontainer", ".ci", "changelog.d", "tests", "docs"])
def test_the_wheel_holds_nothing_that_surrounds_the_code(wheel: zipfile.ZipFile, name: str) -> None:
    assert (ROOT / name).is_dir()
    around = [path for path in wheel.namelist() if name in path.split("/")]
    templates = f"{TEMPLATES.relative_to(ROOT).as_posix()}/"  # have tests of their own
    assert not [path for path in around if not path.startswith(templates)]


def test_the_wheel_holds_the_built_in_matrices_and_the_mark_of_types(wheel: zipfile.ZipFile) -> None:
    assert "benchsuite/py.typed" in shipped(wheel)
    for name in ("smoke", "quick", "scaling", "standard", "applications", "paper"):
        assert f"benchsuite/running/matrices/{name}.toml" in shipped(wheel)


@pytest.mark.parametrize("kind", ["backend", "task", "cell"])
def test_the_wheel_holds_the_templates(wheel: zipfile.ZipFile, kind: str) -> None:
    folder = f"benchsuite/cli/templates/{kind}"
    for name in ("pyproject.toml", "README.md", "LICENSE", "github/workflows/tests.yml"):
        assert f"{folder}/{name}" in shipped(wheel)
    assert f"{folder}/src/benchsuite_new_{kind}/__init__.py" in shipped(wheel)


def test_the_wheel_announces_its_plugins_and_its_command(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(wheel.read(name).decode())
    described = project()["project"]
    assert dict(parser["console_scripts"]) == described["scripts"]
    assert dict(parser["benchsuite"]) == described["entry-points"]["benchsuite"]
    modules = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in shipped(wheel)
    }
    assert {value.split(":")[0] for value in parser["benchsuite"].values()} <= modules


def test_the_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())
