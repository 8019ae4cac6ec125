"""Goals: what a benchmark should reach, what it did reach, and the table of both."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """A figure and its bound. Exactly one of `at_least` and `at_most` is given."""

    name: str
    reached: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"goal {self.name!r}: give one of at_least and at_most")

    @property
    def held(self) -> bool:
        """False for NaN, too: what was not measured was not reached."""
        if math.isnan(self.reached):
            return False
        if self.at_least is not None:
            return self.reached >= self.at_least
        return self.at_most is not None and self.reached <= self.at_most

    @property
    def asked(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        assert bound is not None
        return f"{sign} {_figure(bound, self.unit)}"


def table(goals: Sequence[Goal]) -> list[str]:
    """One line a goal: verdict, name, asked, reached, note."""
    rows = [("", "goal", "asked", "reached", "")]
    for goal in goals:
        verdict = "ok" if goal.held else "MISSED"
        rows.append((verdict, goal.name, goal.asked, _figure(goal.reached, goal.unit), goal.note))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for verdict, name, asked, reached, note in rows:
        cells = [
            verdict.ljust(widths[0]),
            name.ljust(widths[1]),
            asked.rjust(widths[2]),
            reached.rjust(widths[3]),
            note,
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def write(goals: Sequence[Goal], path: Path) -> None:
    """A list of objects: Goal's fields, and `held`."""
    found = [
        {**asdict(goal), "reached": None if math.isnan(goal.reached) else goal.reached, "held": goal.held}
        for goal in goals
    ]
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _figure(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
