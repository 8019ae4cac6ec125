"""Built-in plugins are plugins like any other: an entry point each, and no other way in."""

from __future__ import annotations

import ast
import re
from importlib.metadata import entry_points

import pytest
from fixtures.sources import CORE, ROOT, plugin_packages, project, python_files

from benchsuite.contracts import TaskEntry
from benchsuite.plugins import GROUP, load, registry

POINTS = sorted(entry_points(group=GROUP), key=lambda point: point.name)
OWN = project()["project"]["entry-points"][GROUP]


def entries(excluded: str | None = None) -> set[str]:
    """What is registered when one entry point is missing."""
    found = load(point for point in POINTS if point.name != excluded)
    return set(found.owners)


def test_no_built_in_plugin_is_broken() -> None:
    own = [plugin for plugin in registry().plugins if plugin.distribution == "benchsuite"]
    assert {plugin.name for plugin in own} == set(OWN)
    assert not [plugin for plugin in own if plugin.problem]


def test_without_entry_points_there_is_nothing() -> None:
    empty = load([])
    assert [empty.plugins, empty.backends, empty.tasks, empty.executors] == [[], {}, {}, {}]


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_plugin_without_its_entry_point_is_gone_and_the_others_stay(name: str) -> None:
    own = {key for key, owner in registry().owners.items() if owner.name == name}
    assert entries() - entries(excluded=name) == own


def test_every_plugin_folder_has_its_entry_point_and_registers_something() -> None:
    for package in plugin_packages():
        names = [name for name, module in OWN.items() if module == package.name]
        assert len(names) == 1, package.name
        assert any(owner.name == names[0] for owner in registry().owners.values()), package.name


def test_the_core_does_not_spell_the_name_of_a_plugin_package() -> None:
    names = {package.name for package in plugin_packages()}
    found = {
        (path.relative_to(ROOT).as_posix(), node.value)
        for path in python_files(CORE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.split(".")[0] in names
    }
    assert not found


def distributions(requirements: list[str]) -> set[str]:
    """The names in a list of requirements, without versions and markers."""
    return {re.split(r"[\[<>=!; ]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("entry", registry().tasks.values(), ids=lambda entry: entry.name)
def test_what_a_task_requires_comes_with_benchsuite_or_with_the_extra_that_it_names(entry: TaskEntry) -> None:
    about = project()["project"]
    offered = distributions(about["dependencies"])
    if entry.extra:
        offered |= distributions(about["optional-dependencies"][entry.extra])
    needed = {name for source in entry.sources for name in entry.required(source)}
    assert needed <= offered
    assert set(entry.source_requirements) <= set(entry.sources)


def test_exactly_one_backend_is_the_reference() -> None:
    assert registry().reference().name == "numpy"
