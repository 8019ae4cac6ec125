"""`benchsuite new` makes a project under another name, and never touches what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.sources import TEMPLATES, tracked_files

from benchsuite.cli.new import KINDS, renamed, write_project
from benchsuite.errors import RequestError


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_of_the_template_is_there_under_the_new_name(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "mine"
    said = call("new", kind, "two_words", "--output", str(folder)).stdout.splitlines()
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert said[:-1] == [str(folder / path) for path in files]
    assert said[-1] == f"next: pip install -e {folder} && benchsuite check {kind} two_words"
    template = [path for path in tracked_files() if TEMPLATES / kind in path.parents]
    assert len(files) == len(template)
    names = {path.as_posix() for path in files}
    assert {"pyproject.toml", "README.md", "LICENSE", ".github/workflows/tests.yml"} < names
    assert {"src/benchsuite_two_words/__init__.py", "tests/test_two_words.py"} < names
    for path in files:
        text = (folder / path).read_text("utf-8")
        assert not [old for old in (f"new_{kind}", f"new-{kind}", f"New{kind.title()}") if old in text]
        assert compile(text, str(path), "exec") if path.suffix == ".py" else True
    assert not [path for path in folder.parent.iterdir() if path != folder]  # nothing was left beside it


def test_the_name_is_spelled_in_every_way() -> None:
    given = "new_cell benchsuite-new-cell NewCell NEW_CELL, a new cell"
    assert renamed(given, "cell", "my_own") == "my_own benchsuite-my-own MyOwn MY_OWN, a new cell"


def test_the_folder_is_named_after_the_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call("new", "cell", "my_own")
    assert (tmp_path / "benchsuite-my-own" / "pyproject.toml").is_file()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    call("new", "cell", "mine", "--output", str(tmp_path / "here"))
    assert (tmp_path / "here" / "pyproject.toml").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(kind: str, tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("as it was")
    said = call("new", kind, "mine", "--output", str(kept.parent), code=2).stderr
    assert said == f"error: {kept.parent} exists and is not empty: name another folder with --output\n"
    said = call("new", kind, "mine", "--output", str(kept), code=2).stderr
    assert said == f"error: {kept} exists and is no folder: name another with --output\n"
    assert kept.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [kept.parent]
    assert list(kept.parent.iterdir()) == [kept]


def test_a_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine").symlink_to(tmp_path / "nowhere")
    assert "is no folder" in call("new", "cell", "x", "--output", str(tmp_path / "mine"), code=2).stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(RequestError, match=r"^cannot write .*mine: \w+"):
        write_project("cell", "mine", file / "mine")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["Mine", "9lives", "my-own", "my own", "a__b", "_a", "a_", "class", "none", "", "../up", "ünder"]
)
def test_a_name_that_cannot_be_one_is_refused(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("new", kind, name, code=2).stderr
    assert said.startswith(f"error: {kind} name {name!r}: must be lower-case letters and digits")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("kind", "name"), [("backend", "numpy"), ("task", "adding"), ("cell", "lstm")])
def test_a_name_that_is_taken_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    said = call("new", kind, name, "--output", str(tmp_path / "x"), code=2).stderr
    assert said == f"error: {kind} {name!r} is registered by benchsuite already: choose another name\n"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["task", "cell"])
def test_a_module_that_is_installed_is_not_made_again(kind: str, tmp_path: Path) -> None:
    said = call("new", kind, "numpy", "--output", str(tmp_path / "x"), code=2).stderr
    assert said == (
        f"error: {kind} name 'numpy': a module benchsuite_numpy is installed already: choose another\n"
    )


def test_another_kind_is_refused() -> None:
    said = call("new", "executor", "mine", code=2).stderr
    assert "unknown value of KIND 'executor'" in said
    assert "backend, cell, task" in said
