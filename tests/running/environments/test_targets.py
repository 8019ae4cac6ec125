"""What is installed for what a user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fixtures.twin import PROJECT, write_twin

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.plugins import registry
from benchsuite.running.environments.targets import Target, normal, target


def own(extras: Sequence[str]) -> tuple[str, ...]:
    return (f"benchsuite[{','.join(extras)}]==1",)


def wanted(what: str, cuda: bool = False) -> Target:
    return target(what, registry(), own, cuda)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [("numpy", "tasks"), ("torch", "torch,tasks"), ("tensorflow", "tensorflow,tasks"), ("jax", "jax,tasks")],
)
def test_a_built_in_backend_is_benchsuite_with_its_extra(backend: str, expected: str) -> None:
    found = wanted(backend)
    assert found == Target(backend, "benchsuite", backend, (f"benchsuite[{expected}]==1",))


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
def test_builds_for_gpus_are_an_extra_of_their_own(backend: str) -> None:
    assert wanted(backend, cuda=True).requirements == (f"benchsuite[{backend}-cuda,tasks]==1",)


def test_the_folder_of_a_plugin_is_installed_so_that_changes_are_seen(tmp_path: Path) -> None:
    folder = write_twin(tmp_path / "twin")
    found = wanted(str(folder))
    assert found.name == found.distribution == "benchsuite-twin"
    assert found.backend == ""
    assert found.requirements == ("benchsuite[tasks]==1", "-e", str(folder))


def test_a_wheel_of_a_plugin(tmp_path: Path) -> None:
    wheel = tmp_path / "My_Plugin-1.0-py3-none-any.whl"
    wheel.touch()
    found = wanted(str(wheel))
    assert (found.name, found.distribution) == ("My-Plugin", "my-plugin")
    assert found.requirements[1:] == (f"My-Plugin @ {wheel.as_uri()}",)


def test_what_is_neither_a_backend_nor_a_path() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'torch'.*folder or its wheel"):
        wanted("torhc")


@pytest.mark.parametrize(
    ("project", "said"),
    [
        (None, "no pyproject.toml with a project's name"),
        ("[tool.x]\n", "no pyproject.toml with a project's name"),
        (PROJECT.replace("entry-points.benchsuite", "entry-points.other"), "registers no plugin"),
        ("[project", "cannot be read"),
    ],
)
def test_a_folder_without_a_plugin_is_refused(tmp_path: Path, project: str | None, said: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if project is not None:
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    with pytest.raises(RequestError, match=said):
        wanted(str(folder))


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").touch()
    with pytest.raises(RequestError, match=r"neither a folder with a pyproject\.toml nor a wheel"):
        wanted(str(tmp_path / "x.zip"))


def test_names_are_compared_as_indices_do() -> None:
    assert normal("My_Plug.In") == normal("my-plug-in") == "my-plug-in"
