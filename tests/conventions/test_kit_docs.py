"""The tables of checks in the docs are those of the conformance kit, one rule each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchsuite.measure.conformance.suite import suite
from benchsuite.measure.conformance.tasks import TASK_CHECKS

ROOT = Path(__file__).parents[2]


def documented(page: str, heading: str) -> list[str]:
    """The checks that the table below a heading names."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    _, found, rest = text.partition(heading)
    assert found, f"{page} has no heading {heading!r}"
    return re.findall(r"^\| `(\w+)` \| \S", re.split(r"^#", rest, flags=re.MULTILINE)[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "heading", "checks"),
    [
        (
            "backends.md",
            "### What `benchsuite check backend` checks",
            sorted({item.name.partition("[")[0] for item in suite()}),
        ),
        (
            "tasks.md",
            "## What `benchsuite check task` checks",
            [check.__name__.removeprefix("check_") for check in TASK_CHECKS],
        ),
    ],
)
def test_the_checks_are_those_of_the_kit(page: str, heading: str, checks: list[str]) -> None:
    found = documented(page, heading)
    assert len(set(found)) == len(found)
    assert found == checks if page == "tasks.md" else sorted(found) == checks
