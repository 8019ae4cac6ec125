"""An option that keeps one value is given once; nothing that was asked for is dropped without a word."""

from __future__ import annotations

import pytest
from fixtures.command import call

from benchsuite.cli.app import app
from benchsuite.cli.single_options import Commands, SingleOptionsCommand


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("plan", "smoke", "--backend", "numpy", "--backend", "torch"), "--backend"),
        (("plan", "smoke", "--task", "copy", "--task=adding"), "--task"),
        (("check", "backend", "numpy", "--case", "a", "--case", "b"), "--case"),
        (("check", "task", "copy", "--source", "a", "--source", "b"), "--source"),
        (("report", "x", "-o", "a", "--output", "b"), "--output"),
        (("env", "create", "numpy", "--name", "a", "--name", "b"), "--name"),
    ],
)
def test_a_value_that_would_be_replaced_is_refused(command: tuple[str, ...], option: str) -> None:
    done = call(*command, code=2)
    assert f"{option} is given 2 times" in " ".join(done.stderr.replace("│", " ").split())


def test_what_is_collected_and_flags_may_be_given_again() -> None:
    call("plan", "smoke", "--set", "seed=1", "--set", "recipe.epochs=1", "--json", "--json")


def test_every_command_is_one_that_looks() -> None:
    groups = [app, *(group.typer_instance for group in app.registered_groups if group.typer_instance)]
    assert len(groups) == 1 + len(app.registered_groups)
    assert all(isinstance(group, Commands) for group in groups)
    assert all(
        command.cls is SingleOptionsCommand for group in groups for command in group.registered_commands
    )
