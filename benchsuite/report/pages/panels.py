"""Curves of a trial, those that belong together in one drawing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchsuite.contracts import Curves, Line
from benchsuite.report.words import scale_for
from benchsuite.spec import Series

AXES = {"step": "optimiser step", "epoch": "epoch", "lag": "steps back in time", "sample": "timed round"}
MOST_LINES = 8
WIDE = 30.0
"""Ratio of the largest to the smallest value of a curve above which it is drawn by its logarithm."""


@dataclass(frozen=True)
class Rule:
    """Curves whose name fits `pattern` share a drawing by `title`, where `{0}`, `{1}` are the pattern's groups;
    its last group names the line.

    y       what is drawn
    log     by its logarithm; None: where values lie far apart
    folded  not of the first interest
    """

    pattern: str
    title: str
    y: str
    log: bool | None = None
    folded: bool = False


RULES = (
    Rule(r"train/(loss)", "Training loss", "loss"),
    Rule(r"val/((.+))", "Validation {0}", "{0}"),
    Rule(r"gradient/state/(.+)/([^/]+)", "|dL/dh| of {0}", "norm", log=True),
    Rule(r"gradient/(norm_before_clip)", "Gradient norm before clipping", "norm"),
    Rule(r"gradient/norm/(.+)", "Gradient norm by layer", "norm"),
    Rule(r"speed/step_(wall|cpu)", "Time of a training step", "seconds", log=False),
    Rule(r"gradient/maximum/(.+)", "Largest gradient entry by layer", "size", folded=True),
    Rule(
        r"gradient/zero_fraction/(.+)", "Share of zero gradient entries by layer", "share", False, folded=True
    ),
    Rule(r"speed/([a-z]+)_(wall|cpu)", "Time of {0}", "seconds", log=False, folded=True),
    Rule(r"((.+))", "{0}", "", folded=True),
)


def panels(series: Iterable[Series]) -> tuple[list[Curves], list[Curves]]:
    """The drawings of first interest, and the others, each in the order of RULES."""
    groups: dict[tuple[int, str], list[tuple[str, Series]]] = {}
    for one in series:
        place, found = next(
            (place, match)
            for place, rule in enumerate(RULES)
            if (match := re.fullmatch(rule.pattern, one.name, re.DOTALL))
        )
        words = [group.replace("_", " ") for group in found.groups()]
        title = RULES[place].title.format(*words)
        groups.setdefault((place, title), []).append((found.groups()[-1], one))
    first: list[Curves] = []
    folded: list[Curves] = []
    for (place, title), members in sorted(groups.items(), key=lambda item: item[0][0]):
        (folded if RULES[place].folded else first).append(_panel(RULES[place], title, members))
    return first, folded


def _panel(rule: Rule, title: str, members: Sequence[tuple[str, Series]]) -> Curves:
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
    return Curves(title, lines, AXES[members[0][1].axis], y, log)


def _chosen(members: Sequence[tuple[str, Series]]) -> Sequence[tuple[str, Series]]:
    """As many as have colours: the first, the last, and some evenly between them."""
    if len(members) <= MOST_LINES:
        return members
    step = (len(members) - 1) / (MOST_LINES - 1)
    return [members[round(at * step)] for at in range(MOST_LINES)]


def _is_wide(lines: Iterable[Line]) -> bool:
    values = [value for line in lines for value in line.y if math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) / min(values) > WIDE
