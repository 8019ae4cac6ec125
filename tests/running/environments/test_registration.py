"""Environments are found by the file that is written last; nothing else counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.measure.provenance.machine import MARKER, _environment_name
from benchsuite.running import environments
from benchsuite.running.environments.registration import clear, locked, register, unreadable

pytestmark = pytest.mark.usefixtures("home")


def made(name: str, *backends: str, created: float = 1.0) -> environments.Environment:
    """An environment as `create` leaves it, without a Python."""
    one = environments.Environment(name, backends, "3.12.1", "benchsuite", ("benchsuite[tasks]",), created)
    one.folder.mkdir(parents=True)
    register(one)
    return one


def test_without_a_folder_there_are_none(home: Path) -> None:
    assert environments.registered() == []
    assert environments.interpreters() == {}
    assert not home.exists()


def test_the_folder_is_the_users_unless_a_variable_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCHSUITE_ENVS")
    assert environments.environments_folder().parts[-2:] == ("benchsuite", "environments")
    monkeypatch.setenv("BENCHSUITE_ENVS", "~/envs")
    assert environments.environments_folder() == Path.home() / "envs"


def test_what_is_registered_is_read_back() -> None:
    one = made("torch", "torch")
    assert environments.registered() == [one]
    assert environments.find("torch") == one
    assert one.interpreter == str(one.folder / "bin" / "python")


@pytest.mark.parametrize(
    ("requirement", "source"),
    [
        ("/a/plugin", "/a/plugin"),
        ("plugin @ file:///a%20b/plugin-1.0-py3-none-any.whl", "/a b/plugin-1.0-py3-none-any.whl"),
        ("plugin==1.0", "plugin==1.0"),
    ],
)
def test_where_a_plugin_came_from(requirement: str, source: str) -> None:
    one = environments.Environment("x", ("x",), "3.12.1", "plugin", ("benchsuite", "-e", requirement), 1.0)
    assert one.source == source


def test_of_several_environments_of_a_backend_the_last_made_is_used() -> None:
    old, new = made("b", "torch", "jax", created=1.0), made("a", "torch", created=2.0)
    assert environments.serving() == {"torch": new, "jax": old}
    environments.remove("a")
    assert environments.serving() == {"torch": old, "jax": old}


def test_what_a_user_gives_goes_before_the_environments() -> None:
    one = made("both", "torch", "jax")
    assert environments.interpreters([("torch", "/mine/python")]) == {
        "torch": "/mine/python",
        "jax": one.interpreter,
    }


def test_a_folder_without_its_marker_is_no_environment_and_can_be_removed(home: Path) -> None:
    (home / "torch" / "bin").mkdir(parents=True)
    (home / "torch" / f"{MARKER}.new").write_text("{}", encoding="utf-8")
    assert environments.registered() == []
    assert environments.remove("torch") == home / "torch"
    assert not (home / "torch").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"backends": ["torch"]}', '{"backends": 1}', "\0"])
def test_a_marker_that_cannot_be_read_hides_no_other_environment(home: Path, text: str) -> None:
    one = made("whole", "torch")
    (home / "broken").mkdir()
    (home / "broken" / MARKER).write_text(text, encoding="utf-8")
    assert environments.registered() == [one]
    assert list(unreadable()) == ["broken"]
    assert MARKER in unreadable()["broken"]


def test_a_folder_that_was_renamed_has_its_new_name(home: Path) -> None:
    made("old", "torch")
    (home / "old").rename(home / "new")
    assert [one.name for one in environments.registered()] == ["new"]
    assert environments.interpreters() == {"torch": str(home / "new" / "bin" / "python")}


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/tmp", ".hidden", "-x", "a b"])
def test_nothing_outside_the_folder_can_be_removed(home: Path, name: str) -> None:
    home.mkdir(parents=True)
    with pytest.raises(RequestError, match="cannot name an environment"):
        environments.remove(name)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    made("torch", "torch")
    for call in (environments.remove, environments.find):
        with pytest.raises(UnknownNameError, match="did you mean 'torch'"):
            call("torhc")


def test_a_link_to_a_folder_elsewhere_is_removed_and_not_the_folder(home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kept").write_text("x", encoding="utf-8")
    home.mkdir(parents=True)
    (home / "linked").symlink_to(mine)
    environments.remove("linked")
    assert (mine / "kept").exists()
    assert not (home / "linked").is_symlink()


def test_while_one_command_makes_it_another_one_does_not_touch_it() -> None:
    made("torch", "torch")
    with locked("torch"), pytest.raises(RequestError, match="another command is making or removing"):
        environments.remove("torch")
    assert environments.registered()


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("BENCHSUITE_ENVS", str(tmp_path / "file" / "envs"))
    with pytest.raises(RequestError, match="name another folder with BENCHSUITE_ENVS"), locked("torch"):
        pass


def test_clearing_what_is_not_there_is_nothing(home: Path) -> None:
    clear(home / "nothing")


def test_a_record_names_the_environment_and_not_its_path(tmp_path: Path) -> None:
    one = made("torch", "torch")
    assert _environment_name(one.folder) == "torch"
    assert _environment_name(tmp_path) == ""
    assert json.loads((one.folder / MARKER).read_text(encoding="utf-8"))["python"] == "3.12.1"
