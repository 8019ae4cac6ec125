"""What the memory allocator changes: time with glibc's default over time with the tuned one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchsuite.analysis.identity import fields
from benchsuite.contracts.report import Column, Command, PageSection, Paragraph, Table, TableCell, Value
from benchsuite.report.formatting import format_count, format_list, format_ratio
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.runners import Run

HELP = "a training step, on one thread of a CPU its processor time; ± over seeds, or over timed rounds"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs that differ in their allocator alone.

    ratio  time of a training step (Run.step) with the default allocator over that with the tuned one
    half   half of the ratio's 95 % interval, from those of the two times, which are independent; None where
           one has none
    """

    default: Run
    tuned: Run
    ratio: float
    half: float | None

    @property
    def by(self) -> str:
        """`torch fused`."""
        trial = self.tuned.aggregate.trial
        return f"{trial.backend} {trial.execution.unroll}"

    @property
    def told(self) -> bool:
        """Whether the interval leaves out 1."""
        return self.half is not None and abs(self.ratio - 1) > self.half


def pairs_of(runs: Sequence[Run]) -> list[Pair]:
    """The largest ratio first."""
    groups: dict[str, dict[str, Run]] = {}
    for run in runs:
        own = fields(run.aggregate.trial)
        kind = str(own.pop("execution.allocator"))
        own.pop("seed")
        if run.step:
            groups.setdefault(json.dumps(own, sort_keys=True), {})[kind] = run
    found = [_pair(group["default"], group["tuned"]) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda pair: -pair.ratio)


def _pair(default: Run, tuned: Run) -> Pair:
    assert default.step is not None
    assert tuned.step is not None
    ratio, half = default.step / tuned.step, None
    if default.step_half is not None and tuned.step_half is not None:
        half = ratio * math.hypot(default.step_half / default.step, tuned.step_half / tuned.step)
    return Pair(default, tuned, ratio, half)


def allocator(runs: Sequence[Run], where: str) -> list[PageSection]:
    """The finding, where runs differ in their allocator alone; else what to run to see it."""
    title = f"What the memory allocator changes{where}"
    pairs = pairs_of(runs)
    if not pairs:
        kinds = sorted({run.aggregate.trial.execution.allocator for run in runs})
        text = (
            f"All runs used the allocator {format_list(kinds)}. glibc's default gives large blocks back to the "
            "system at every step. To see what that costs here:"
        )
        return [
            PageSection(
                title, (Paragraph(text), Command("benchsuite run quick --set allocator=default,tuned"))
            )
        ]
    return [PageSection(title, (Paragraph(_finding(pairs)), _by_backend(pairs), _by_model(pairs)))]


def _groups(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.by, []).append(pair)
    return dict(sorted(found.items(), key=lambda item: -median(pair.ratio for pair in item[1])))


def _finding(pairs: Sequence[Pair]) -> str:
    said = format_list(
        [
            f"{by} {format_ratio(median(pair.ratio for pair in own))} times"
            for by, own in _groups(pairs).items()
        ]
    )
    most, told = pairs[0], sum(pair.told for pair in pairs)
    return (
        "The time of a training step with glibc's default allocator over that with the tuned one, medians "
        f"over models: {said}; the most, {format_ratio(most.ratio)} times, is {most.by} with "
        f"{most.tuned.name}. In {told} of {format_count(len(pairs), 'pair')} the 95 % interval leaves out 1. "
        "Tuned, glibc keeps large blocks instead of giving them back at every step. On one thread of a CPU "
        "times are processor time; what drifts between one trial and the next is in no interval."
    )


def _by_backend(pairs: Sequence[Pair]) -> Table:
    columns = (
        Column("run by"),
        Column("pairs", "integer", "runs of one model that differ in their allocator alone"),
        Column("ratio", "number", "time with the default allocator over time with the tuned one, median"),
        Column("least", "number"),
        Column("most", "number"),
    )
    rows: list[list[Value | TableCell]] = []
    for by, own in _groups(pairs).items():
        ratios = [pair.ratio for pair in own]
        rows.append([by, len(own), median(ratios), min(ratios), max(ratios)])
    return Table("Default over tuned allocator, by backend", columns, rows)


def _by_model(pairs: Sequence[Pair]) -> Table:
    columns = (
        Column("task", filter=True), Column("model"), Column("run by", filter=True),
        Column("default", "seconds", HELP), Column("tuned", "seconds", HELP),
        Column("ratio", "number", "± is half its 95 % interval, from those of the two times"),
    )  # fmt: skip
    rows: list[list[Value | TableCell]] = []
    for pair in pairs:
        ranking = pair.tuned.results.ranking
        assert ranking is not None
        default, tuned = pair.default, pair.tuned
        rows.append([tuned.results.title, model_words(tuned.model, ranking), pair.by,
                     TableCell(default.step, half=default.step_half),
                     TableCell(tuned.step, half=tuned.step_half),
                     TableCell(pair.ratio, half=pair.half)])  # fmt: skip
    return Table("Default and tuned allocator", columns, rows)
