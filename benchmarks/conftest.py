"""The `goal` fixture, and the table of all goals at the end of a session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest

from benchmarks import corners
from benchmarks.corners import CORNERS
from benchmarks.goals import Goal, table, write
from benchmarks.processes import environment, install_null
from benchmarks.processor import slowness
from benchsuite.running.races.runner import LEAST_ROUNDS

ROUNDS, WITHOUT = "BENCHMARKS_ROUNDS", "BENCHMARKS_WITHOUT"
"""What --rounds and --without leave for test_kernels.py."""
GOALS = pytest.StashKey[list[Goal]]()
LONGEST_SECONDS = 3600
TIMES = ("s", "ms")
"""Units of goals that are divided by this processor's slowness."""
OF_ALL_CORNERS = ("--isa", "--goals-json")
"""Options of the command, not of the session in a corner."""


class Set(Protocol):
    """Give exactly one of `at_least` and `at_most`, in the unit of `reached`."""

    def __call__(
        self,
        name: str,
        reached: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        unit: str = "",
        note: str = "",
    ) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--goals-json", metavar="PATH", type=Path, help="store the table of goals as JSON")
    parser.addoption("--isa", metavar="CORNERS", help=f"a column each of {', '.join(CORNERS)}, or all")
    parser.addoption("--rounds", metavar="N", type=int, help="rounds of each race")
    parser.addoption("--without", metavar="WAYS", help="peers that do not race: compile,packed")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With --isa the same command runs once in each corner, and the table has a column for each."""
    asked = config.getoption("--isa")
    if not asked:
        return None
    try:
        names = corners.chosen(asked)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    arguments = [str(one) for one in config.invocation_params.args]
    return corners.run(names, _without(OF_ALL_CORNERS, arguments), config.getoption("--goals-json"))


def _without(options: tuple[str, ...], arguments: list[str]) -> list[str]:
    """The arguments without these options and their values."""
    left: list[str] = []
    for place, text in enumerate(arguments):
        value = place > 0 and arguments[place - 1] in options
        if not value and text not in options and not text.startswith(tuple(f"{one}=" for one in options)):
            left.append(text)
    return left


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GOALS] = []
    rounds = config.getoption("--rounds")
    if rounds is not None and rounds < LEAST_ROUNDS:
        raise pytest.UsageError(f"--rounds {rounds}: a race is judged from {LEAST_ROUNDS} rounds on")
    for option, variable in (("--rounds", ROUNDS), ("--without", WITHOUT)):
        if config.getoption(option):
            os.environ[variable] = str(config.getoption(option))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


@pytest.fixture
def goal(request: pytest.FixtureRequest) -> Set:
    """Enter a figure in the table; seconds as those of the reference (processor.py). One that misses its bound
    fails the session, not the test: the others are measured all the same."""
    goals = request.config.stash[GOALS]

    def enter(
        name: str,
        reached: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        unit: str = "",
        note: str = "",
    ) -> None:
        if unit in TIMES:
            slow = slowness()
            told = (
                f"{reached:.3g} {unit} by this processor, which takes {slow:.2f} times the reference's time"
            )
            reached, note = reached / slow, "; ".join(filter(None, [told, note]))
        goals.append(Goal(name, float(reached), at_least, at_most, unit, note))

    return enter


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables of an installation that has the null plugin, its modules compiled."""
    folder = tmp_path_factory.mktemp("installed")
    return environment(folder / "compiled", PYTHONPATH=install_null(folder))


def pytest_sessionfinish(session: pytest.Session) -> None:
    goals = session.config.stash[GOALS]
    path = session.config.getoption("--goals-json")
    if path is not None:
        write(goals, path)
    if session.exitstatus == pytest.ExitCode.OK and not all(goal.held for goal in goals):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    goals = config.stash[GOALS]
    if not goals:
        return
    terminalreporter.section("goals")
    for line, goal in zip(table(goals), [None, *goals], strict=True):
        terminalreporter.write_line(line, red=goal is not None and not goal.held)
    missed = sum(not goal.held for goal in goals)
    terminalreporter.write_line(f"{len(goals) - missed} of {len(goals)} goals held")
