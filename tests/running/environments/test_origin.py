"""What is installed here can be installed again elsewhere, from the same place."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchsuite.errors import RequestError
from benchsuite.running.environments import origin


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The metadata of an installed distribution `thing`, version 1.2."""
    info = tmp_path / "site" / "thing-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.2\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    return info


def note(info: Path, **direct: object) -> None:
    (info / "direct_url.json").write_text(json.dumps(direct), encoding="utf-8")


def test_what_an_index_gave_is_its_version(installed: Path) -> None:
    assert installed.is_dir()
    assert origin.requirement("thing") == ("thing==1.2",)
    assert origin.requirement("thing", ["a", "b"]) == ("thing[a,b]==1.2",)


def test_a_commit_is_that_commit(installed: Path) -> None:
    note(installed, url="https://example.org/thing", vcs_info={"vcs": "git", "commit_id": "abc"})
    assert origin.requirement("thing", ["x"]) == ("thing[x] @ git+https://example.org/thing@abc",)


def test_a_folder_is_that_folder_and_editable_where_it_was(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    folder.mkdir()
    note(installed, url=folder.as_uri(), dir_info={"editable": True})
    assert origin.requirement("thing", ["x"]) == ("-e", f"{folder}[x]")
    note(installed, url=folder.as_uri(), dir_info={})
    assert origin.requirement("thing", ["x"]) == (f"thing[x] @ {folder.as_uri()}",)


def test_a_wheel_that_is_gone_is_named_with_the_way_out(installed: Path, tmp_path: Path) -> None:
    note(installed, url=(tmp_path / "thing-1.2-py3-none-any.whl").as_uri(), archive_info={})
    with pytest.raises(RequestError, match=r"not there any more: say what to install by --from"):
        origin.requirement("thing")


def test_what_is_not_installed_is_refused() -> None:
    with pytest.raises(RequestError, match="give its folder or its wheel"):
        origin.requirement("no-such-distribution")


def test_a_source_tree_of_benchsuite_is_itself() -> None:
    assert origin.requirement("benchsuite", ["torch"]) == ("-e", f"{origin.TREE}[torch]")


def test_what_a_user_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "thing"\n', encoding="utf-8")
    wheel = tmp_path / "thing-1.2-py3-none-any.whl"
    wheel.touch()
    assert origin.given("1.2", "thing", ["x"]) == ("thing[x]==1.2",)
    assert origin.given(str(wheel), "thing", ["x"]) == (f"thing[x] @ {wheel.as_uri()}",)
    assert origin.given(str(tmp_path), "thing", ["x"]) == ("-e", f"{tmp_path}[x]")


@pytest.mark.parametrize("text", ["", "nothing", "/no/such.whl"])
def test_what_is_no_source_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="--from"):
        origin.given(text, "thing")


@pytest.mark.parametrize("text", ["[project", "\x00", "[project]\nname = "])
def test_a_project_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RequestError, match="cannot be read"):
        origin.project_name(tmp_path)
