"""Matrices as they are written, and those that ship with benchsuite."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from fixtures.matrix_worlds import small_registry

from benchsuite.plugins import registry
from benchsuite.running.matrix import builtin_matrices, expand, load_matrix, parse_matrix
from benchsuite.running.matrix.source import name_of_file
from benchsuite.running.store import study_folder
from benchsuite.schema import BEST_UNROLL
from benchsuite.schema.names import NO_CELL

REGISTRY = small_registry()
ROOT = Path(__file__).resolve().parents[3]


def test_written_tables_and_dotted_keys_are_one() -> None:
    rest = 'task="beta"\ncell="rnn"\narchitecture="plain"\nbackend="numpy"\n'
    forms = ["recipe.epochs = 3", '"recipe.epochs" = 3', "recipe = { epochs = 3 }"]
    ids = {
        trial.id
        for form in forms
        for trial in expand(parse_matrix(f"[axes]\n{rest}{form}\n", "x", "x"), REGISTRY).trials
    }
    assert len(ids) == 1


@pytest.mark.parametrize("name", ["smoke", "quick", "scaling", "standard", "applications", "paper"])
def test_built_in_matrices_expand_with_the_installed_plugins(name: str) -> None:
    matrix = builtin_matrices()[name]
    found = expand(matrix, registry())
    assert matrix.name == name
    assert matrix.summary
    assert found.trials
    assert not found.skipped


def test_quick_is_what_the_readme_promises() -> None:
    found = expand(builtin_matrices()["quick"], registry()).trials
    assert len(found) >= 112
    for entry in registry().tasks.values():
        assert {t.source for t in found if t.task == entry.name} <= set(entry.offline)
    points = {(t.task, t.cell, t.architecture, t.backend, t.execution.unroll) for t in found}
    assert len(points) == len(found)
    best = {(t.task, t.cell, t.architecture, t.backend) for t in found if t.execution.unroll == BEST_UNROLL}
    every = {(t.task, t.cell, t.architecture, t.backend) for t in found if t.cell != NO_CELL}
    assert best == every, "each backend runs each model by its fastest way here"


def test_the_readme_says_how_many_models_quick_trains() -> None:
    count = len(expand(builtin_matrices()["quick"], registry()).trials)
    assert f"trains {count} small models" in (ROOT / "README.md").read_text("utf-8")
    assert f"entrena {count} modelos" in (ROOT / "README.es.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["quick", "standard", "applications", "paper"])
def test_no_built_in_matrix_leaves_out_a_way_by_cell(name: str) -> None:
    """Which way is the fastest depends on the machine: it is measured there, and no rule of a matrix."""
    assert "exclude" not in builtin_matrices()[name].data


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mine.toml", "mine"),
        ("my mätrix (2).toml", "my-matrix-2"),
        ("größe.toml", "groe"),
        ("日本.toml", "matrix"),
        ("..toml", "matrix"),
        ("-x-.toml", "x"),
        (f"{'x' * 150}.toml", "x" * 100),
    ],
)
def test_a_matrix_without_a_name_is_called_after_its_file(tmp_path: Path, file: str, name: str) -> None:
    assert name_of_file(tmp_path / file) == name
    assert study_folder(tmp_path, name).name == name


def test_a_matrix_file_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "my mätrix.toml"
    path.write_text((files("benchsuite.running.matrices") / "smoke.toml").read_text().partition("\n")[2])
    matrix = load_matrix(path)
    assert matrix.name == "my-matrix"
    assert expand(matrix, registry()).trials
