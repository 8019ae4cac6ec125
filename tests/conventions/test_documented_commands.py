"""Every `benchsuite run` and `benchsuite plan` of the documentation asks for trials that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from benchsuite.cli import request
from benchsuite.cli.app import app
from benchsuite.plugins import registry
from benchsuite.running.matrix import builtin_matrices, load_matrix, select
from benchsuite.running.matrix.filters import FIELDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^benchsuite (run|plan) ([^\n#\[]+)|`benchsuite (run|plan) ([^`]+)`", re.MULTILINE)
MADE_BY_THE_READER = re.compile(r"\bmy_(backend|task|cell)\b")
"""What `benchsuite new` makes in the documentation is not installed here."""


def commands() -> list[str]:
    found = [match for page in PAGES for match in COMMAND.findall(page.read_text("utf-8"))]
    lines = {f"{one[0] or one[2]} {one[1] or one[3]}".strip() for one in found}
    asked = (line for line in lines if line.split()[1] in builtin_matrices())
    return sorted(line for line in asked if not MADE_BY_THE_READER.search(line))


def test_the_documentation_has_commands() -> None:
    assert len(commands()) >= 4


@pytest.mark.parametrize("line", commands())
def test_a_documented_command_asks_for_trials_that_there_are(line: str) -> None:
    name, *arguments = shlex.split(line)
    group = typer.main.get_command(app)
    given = group.commands[name].make_context(name, arguments).params  # type: ignore[attr-defined]
    filters = request.filters(**{field: given[field] for field in FIELDS})
    assert select(load_matrix(given["matrix"]), registry(), filters, given["overrides"] or ()).trials


@pytest.mark.parametrize("file", sorted((ROOT / "docs").glob("*.toml")), ids=lambda file: file.name)
def test_a_matrix_of_the_documentation_has_no_trial_that_would_be_skipped(file: Path) -> None:
    found = select(load_matrix(str(file)), registry(), {}, ())
    assert found.trials
    assert not found.skipped
