"""A results repository behind a git URL: two publishers, two branches, no conflict."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.hostile import store
from fixtures.records import record

from benchsuite.publishing.repository.git import is_git_url


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare git repository with one commit."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    work, bare = tmp_path / "work", tmp_path / "results.git"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(work))
    (work / "README.md").write_text("# Results\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "Begin")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def test_two_publishers_push_branches_that_merge_without_a_conflict(tmp_path: Path, origin: Path) -> None:
    for seeds, name in ((2, "one"), (3, "two")):
        folder = store(tmp_path / name, [record(0.9, seed=seed) for seed in range(seeds)]).folder
        said = call("publish", str(folder), "--to", str(origin), "--claimed", "--as", name, "--push")
        assert "pushed branch publish-" in said.output
    branches = re.findall(r"publish-\S+", git(origin, "branch"))
    assert len(branches) == 2
    merged = tmp_path / "merged"
    git(tmp_path, "clone", "--quiet", str(origin), str(merged))
    for branch in branches:
        git(merged, "merge", "--quiet", "--no-edit", f"origin/{branch}")
    assert len(list((merged / "studies").iterdir())) == len(list((merged / "index").iterdir())) == 2
    assert not list(tmp_path.glob("benchsuite-results-*"))


def test_without_push_the_command_is_printed_and_works(tmp_path: Path, origin: Path) -> None:
    folder = store(tmp_path / "mine", [record(0.9)]).folder
    said = call("publish", str(folder), "--to", str(origin), "--claimed", "--branch", "mine")
    command = next(line.strip() for line in said.output.splitlines() if line.strip().startswith("git -C"))
    assert "mine" not in git(origin, "branch")
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert "mine" in git(origin, "branch")


@pytest.mark.parametrize("what", ["not there", "an option"])
def test_a_repository_that_cannot_be_cloned_is_refused(tmp_path: Path, what: str) -> None:
    folder = store(tmp_path / "mine", [record(0.9)]).folder
    url = str(tmp_path / "missing.git") if what == "not there" else "--upload-pack=x.git"
    said = call("publish", str(folder), f"--to={url}", "--claimed", code=2)
    assert "error:" in said.output


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("https://example.org/results.git", True),
        ("ssh://git@example.org:22/results", True),
        ("git@example.org:ada/results", True),
        ("file:///tmp/results", True),
        ("../results.git", True),
        ("results", False),
        ("../results/", False),
        ("C:\\results", False),
    ],
)
def test_what_is_a_git_url(target: str, answer: bool) -> None:
    assert is_git_url(target) is answer
