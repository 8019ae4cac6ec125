"""What the memory allocator changes: time with glibc's default over time with the tuned one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchsuite.analysis.identity import pair_key
from benchsuite.analysis.runs import Run
from benchsuite.contracts.report import Column, PageSection, Paragraph, Table, TableCell, Value
from benchsuite.report.commands import VARY_ALLOCATOR, vary
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_count, format_list, format_ratio
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.prose import prose

STEP_HELP = (
    "a training step, CPU time where the trial has one thread on a CPU; ± over seeds, or over timed rounds"
)


@dataclass(frozen=True, eq=False)
class AllocatorPair:
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
        """Whether the interval does not hold 1."""
        return self.half is not None and abs(self.ratio - 1) > self.half


def pairs_of(runs: Sequence[Run]) -> list[AllocatorPair]:
    """The largest ratio first."""
    groups: dict[str, dict[str, Run]] = {}
    for run in runs:
        trial = run.aggregate.trial
        if run.step:
            key = pair_key(trial, ("execution.allocator", "seed"))
            groups.setdefault(key, {})[trial.execution.allocator] = run
    found = [_pair(group["default"], group["tuned"]) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda pair: -pair.ratio)


def _pair(default: Run, tuned: Run) -> AllocatorPair:
    assert default.step is not None
    assert tuned.step is not None
    ratio, half = default.step / tuned.step, None
    if default.step_half is not None and tuned.step_half is not None:
        half = ratio * math.hypot(default.step_half / default.step, tuned.step_half / tuned.step)
    return AllocatorPair(default, tuned, ratio, half)


def allocator(data: ReportData, runs: Sequence[Run], where: str) -> list[PageSection]:
    """The finding, where runs differ in their allocator alone; else what to run to see it."""
    title = f"What the memory allocator changes{where}"
    pairs = pairs_of(runs)
    if not pairs:
        kinds = sorted({run.aggregate.trial.execution.allocator for run in runs})
        text = Paragraph(
            f"All runs used the allocator {format_list(kinds)}. To see what the other one changes here, into a "
            "study of its own:"
        )
        return [
            PageSection(
                title,
                (*prose("backends_allocator"), text, *vary(data, VARY_ALLOCATOR, data.entries_of(runs))),
            )
        ]
    return [
        PageSection(
            title,
            (
                Paragraph(_finding(pairs)),
                *prose("backends_allocator"),
                _by_backend(pairs),
                _by_model(data, pairs),
            ),
        )
    ]


def _groups(pairs: Sequence[AllocatorPair]) -> dict[str, list[AllocatorPair]]:
    found: dict[str, list[AllocatorPair]] = {}
    for pair in pairs:
        found.setdefault(pair.by, []).append(pair)
    return dict(sorted(found.items(), key=lambda item: -median(pair.ratio for pair in item[1])))


def _finding(pairs: Sequence[AllocatorPair]) -> str:
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
        f"{most.tuned.name}. In {told} of {format_count(len(pairs), 'pair')} the 95 % interval does not hold 1."
    )


def _by_backend(pairs: Sequence[AllocatorPair]) -> Table:
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


def _by_model(data: ReportData, pairs: Sequence[AllocatorPair]) -> Table:
    columns = (
        Column("task", filter=True), Column("model"), Column("run by", filter=True),
        Column("default", "seconds", STEP_HELP), Column("tuned", "seconds", STEP_HELP),
        Column("ratio", "number", "± is half its 95 % interval, from those of the two times"),
    )  # fmt: skip
    rows: list[list[Value | TableCell]] = []
    for pair in pairs:
        default, tuned = pair.default, pair.tuned
        rows.append([data.task_of(tuned.ranking).title, model_words(tuned.model, tuned.ranking), pair.by,
                     TableCell(default.step, half=default.step_half),
                     TableCell(tuned.step, half=tuned.step_half),
                     TableCell(pair.ratio, half=pair.half)])  # fmt: skip
    return Table("Default and tuned allocator", columns, rows)
