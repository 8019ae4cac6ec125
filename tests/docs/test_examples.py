"""What the pages on how to do things show: matrices that expand, and Python that runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fixtures.sources import ROOT

from benchsuite.plugins import registry
from benchsuite.publishing.board.accepted import read_accepted
from benchsuite.running.matrix import expand, parse_matrix

PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "howto").glob("*.md"))]


def blocks(kind: str) -> list[tuple[str, str]]:
    """(page, text) of the blocks of a kind."""
    pattern = re.compile(rf"^( *)```{kind}\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    return [
        (page.stem, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for page in PAGES
        for indent, text in pattern.findall(page.read_text(encoding="utf-8"))
    ]


MATRICES = [(page, text) for page, text in blocks("toml") if not text.startswith("[[accepted]]")]


@pytest.mark.parametrize(("page", "text"), MATRICES, ids=lambda value: value.split("\n")[0][:20])
def test_a_matrix_expands(page: str, text: str) -> None:
    found = expand(parse_matrix(text, page, page), registry())
    assert found.trials
    assert not found.skipped


def test_reasons_of_accepted_changes_can_be_read(tmp_path: Path) -> None:
    [text] = [text for _, text in blocks("toml") if text.startswith("[[accepted]]")]
    (tmp_path / "accepted.toml").write_text(text, encoding="utf-8")
    [found] = read_accepted(tmp_path)
    assert (found.figure, found.since.isoformat()) == ("speed", "2026-11-01")
    assert "multiplies with another library" in found.reason


def test_a_workflow_is_yaml_and_installs_what_it_runs() -> None:
    [text] = [text for page, text in blocks("yaml") if page == "gate_a_ci"]
    [job] = yaml.safe_load(text)["jobs"].values()
    assert [step["run"].split()[0] for step in job["steps"] if "run" in step] == ["python3", "benchsuite"]


def test_the_cost_of_a_call_is_measured_as_the_page_shows(tmp_path: Path) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("needs torch")
    [text] = [text for page, text in blocks("python") if page == "slow_pytorch"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "NumPy",
        "PyTorch",
        "PyTorch, recording",
    ]
