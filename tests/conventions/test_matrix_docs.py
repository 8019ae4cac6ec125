"""docs/matrix.md shows matrices that work, and docs/cli.md the options that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchsuite.cli.app import app
from benchsuite.plugins import registry
from benchsuite.running.matrix import expand, parse_matrix

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = re.findall(r"```toml\n(.*?)```", (DOCS / "matrix.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_expand(number: int) -> None:
    assert expand(parse_matrix(EXAMPLES[number], "example", "docs/matrix.md"), registry()).trials


def test_the_full_example_is_what_its_rule_says() -> None:
    found = expand(parse_matrix(EXAMPLES[1], "mine", "docs/matrix.md"), registry()).trials
    assert not [
        t
        for t in found
        if t.cell in ("rnn", "gru") and t.backend == "torch" and t.recipe.learning_rate == 0.01
    ]
    product = 3 * 2 * 2 * 3 * 2  # cell, architecture, backend, seed, learning rate
    excluded = 2 * 2 * 3  # two cells, architectures, seeds, on torch at 0.01
    axes = 3 * (product - excluded)  # mnist_rows has two views
    cnn = 2 * 2 * 3 * 2  # views, backends, seeds, learning rates
    truncated = 3 * 2 * 2 * 2  # views and the series, architectures, backends, learning rates
    assert len(found) == axes + cnn + truncated


def test_every_option_of_run_is_documented() -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for option in set(re.findall(r"--[a-z-]+", shown)) - {"--help"}:
        assert option in text, option


def test_every_command_is_documented() -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    for command in app.registered_commands:
        assert f"benchsuite {command.name}" in text
    for group in app.registered_groups:
        assert f"benchsuite {group.name}" in text
