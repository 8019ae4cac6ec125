"""The commit of the tree that a run came from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchsuite.measure.provenance.machine import _git_commit


def git(root: Path, *arguments: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(
        ["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True, env=own
    )
    return done.stdout.strip()


def repository(root: Path, content: str) -> str:
    """A repository with one commit, whose id is returned."""
    root.mkdir()
    (root / "file").write_text(content)
    git(root, "init", "-q")
    git(root, "add", "file")
    git(root, "commit", "-q", "-m", "first")
    return git(root, "rev-parse", "HEAD")


def test_variables_of_another_repository_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = repository(tmp_path / "here", "a"), repository(tmp_path / "there", "b")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "there" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "there"))
    assert _git_commit(tmp_path / "here") == {"code.git_commit": here}
    (tmp_path / "here" / "file").write_text("changed")
    assert _git_commit(tmp_path / "here") == {"code.git_commit": f"{here}+changes"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_tree_of_another_owner_is_read_all_the_same(tmp_path: Path) -> None:
    commit = repository(tmp_path / "here", "a")
    for path in [tmp_path / "here", *(tmp_path / "here").rglob("*")]:
        os.chown(path, 12345, 12345)
    assert _git_commit(tmp_path / "here") == {"code.git_commit": commit}


def test_why_a_commit_is_not_known_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    found = _git_commit(tmp_path)
    assert list(found) == ["code.git_problem"]
    assert "not a git repository" in found["code.git_problem"]
    assert _git_commit(tmp_path / "none") == {}
