"""Curves of a trial, those that belong together in one drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchsuite.contracts.report import Line, LineChart
from benchsuite.report.formatting import scale_for
from benchsuite.schema import Series

AXES = {"step": "optimiser step", "epoch": "epoch", "lag": "steps back in time", "sample": "timed round"}
MOST_LINES = 8
WIDE_CURVE = 30.0
"""Ratio of the largest to the smallest value of a curve above which it is drawn by its logarithm."""


def named(pattern: str) -> re.Pattern[str]:
    """Of a curve's whole name, which may hold anything."""
    return re.compile(pattern, re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """Curves whose name fits `pattern` share a drawing by `title`, where `{0}`, `{1}` are the pattern's groups;
    its last group names the line.

    y       what is drawn
    log     by its logarithm; None: where values lie far apart
    folded  not of the first interest
    """

    pattern: re.Pattern[str]
    title: str
    y: str
    log: bool | None = None
    folded: bool = False


RULES = (
    Rule(named(r"train/(loss)"), "Training loss", "loss"),
    Rule(named(r"val/((.+))"), "Validation {0}", "{0}"),
    Rule(named(r"gradient/state/(.+)/([^/]+)"), "|dL/dh| of {0}", "norm", log=True),
    Rule(named(r"gradient/(norm_before_clip)"), "Gradient norm before clipping", "norm"),
    Rule(named(r"gradient/norm/(.+)"), "Gradient norm by layer", "norm"),
    Rule(named(r"speed/step_(wall|cpu)"), "Time of a training step", "seconds", log=False),
    Rule(named(r"gradient/maximum/(.+)"), "Largest gradient entry by layer", "size", folded=True),
    Rule(
        named(r"gradient/zero_fraction/(.+)"),
        "Share of zero gradient entries by layer",
        "share",
        False,
        folded=True,
    ),
    Rule(named(r"train/(seconds)"), "Seconds of training by epoch", "seconds", log=False, folded=True),
    Rule(named(r"speed/([a-z]+)_(wall|cpu)"), "Time of {0}", "seconds", log=False, folded=True),
    Rule(named(r"((.+))"), "{0}", "", folded=True),
)


def panels(series: Iterable[Series]) -> tuple[list[LineChart], list[LineChart]]:
    """The drawings of first interest, and the others, each in the order of RULES."""
    groups: dict[tuple[int, str], list[tuple[str, Series]]] = {}
    for one in series:
        place, found = next(
            (place, match) for place, rule in enumerate(RULES) if (match := rule.pattern.fullmatch(one.name))
        )
        words = [group.replace("_", " ") for group in found.groups()]
        title = RULES[place].title.format(*words)
        groups.setdefault((place, title), []).append((found.groups()[-1], one))
    first: list[LineChart] = []
    folded: list[LineChart] = []
    for (place, title), members in sorted(groups.items(), key=lambda item: item[0][0]):
        (folded if RULES[place].folded else first).append(_panel(RULES[place], title, members))
    return first, folded


def _panel(rule: Rule, title: str, members: Sequence[tuple[str, Series]]) -> LineChart:
    lines = tuple(
        Line("" if len(members) == 1 else name.replace("_", " "), one.x, one.y)
        for name, one in _chosen(members)
    )
    log = _is_wide(lines) if rule.log is None else rule.log
    y = title.partition(" ")[2] if rule.y == "{0}" else rule.y
    if y == "seconds":
        scale = scale_for("seconds", [value for line in lines for value in line.y])
        lines = tuple(replace(line, y=[value / scale.by for value in line.y]) for line in lines)
        y = scale.unit or "s"
    return LineChart(title, lines, AXES[members[0][1].axis], y, log)


def _chosen(members: Sequence[tuple[str, Series]]) -> Sequence[tuple[str, Series]]:
    """As many as have colours: the first, the last, and some evenly between them."""
    if len(members) <= MOST_LINES:
        return members
    step = (len(members) - 1) / (MOST_LINES - 1)
    return [members[round(at * step)] for at in range(MOST_LINES)]


def _is_wide(lines: Iterable[Line]) -> bool:
    values = np.concatenate([np.asarray(line.y, np.float64) for line in lines])
    values = values[np.isfinite(values)]
    return bool(len(values)) and bool(values.min() > 0) and bool(values.max() > WIDE_CURVE * values.min())
