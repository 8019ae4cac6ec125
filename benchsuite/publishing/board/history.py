"""History: what a configuration gave over time, on each machine, and where that changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchsuite.analysis.comparison.studies import METRIC_MARGIN, SPEED_MARGIN
from benchsuite.analysis.machines import Machine
from benchsuite.analysis.seeds import Aggregate, Estimate
from benchsuite.analysis.validity import Clock, common_clock, has_valid_timing
from benchsuite.analysis.versions import framework_version
from benchsuite.publishing.board.accepted import Accepted, Figure
from benchsuite.publishing.board.change_points import changes
from benchsuite.publishing.board.rows import PublishedRow
from benchsuite.publishing.repository.submission import Submission


@dataclass(frozen=True, eq=False)
class HistoryPoint:
    """A configuration in one submission on one machine, over its seeds.

    date    POSIX seconds at which its last trial ended
    """

    submission: Submission
    machine: Machine
    aggregate: Aggregate
    rows: tuple[PublishedRow, ...]

    @property
    def date(self) -> float:
        return max(record.finished for record in self.aggregate.records)

    @property
    def framework_version(self) -> str:
        return "/".join(sorted({framework_version(record) for record in self.aggregate.records} - {""}))

    @property
    def metric(self) -> Estimate | None:
        return self.aggregate.primary if self.aggregate.ranked else None

    def speed(self, by: Clock) -> float | None:
        """Sequences per second of training; None where no timing is valid."""
        found = self.aggregate.speed(by)
        return found.mean if found is not None and math.isfinite(found.mean) and found.mean > 0 else None

    def figure(self, name: Figure, by: Clock) -> float | None:
        """The speed, or the mean of the metric; None where there is none that is finite."""
        if name == "speed":
            return self.speed(by)
        found = self.metric
        return found.mean if found is not None and math.isfinite(found.mean) else None


@dataclass(frozen=True, eq=False)
class LevelChange:
    """A change of a figure on a machine. before, after: the mean levels; speeds are geometric means.

    accepted  the entry of accepted.toml that explains it
    """

    figure: Figure
    machine: Machine
    last: HistoryPoint
    first: HistoryPoint
    before: float
    after: float
    accepted: Accepted | None

    @property
    def share(self) -> float:
        """The change as a share of the old level."""
        return (self.after - self.before) / abs(self.before) if self.before else math.inf


@dataclass(frozen=True, eq=False)
class History:
    """The points of a configuration, oldest first, by machine; the machine with the most points first.

    clock   by which its speeds are compared
    """

    lines: dict[Machine, tuple[HistoryPoint, ...]]
    clock: Clock

    @property
    def points(self) -> list[HistoryPoint]:
        return sorted((point for line in self.lines.values() for point in line), key=lambda point: point.date)

    def values(self, machine: Machine, figure: Figure) -> tuple[list[HistoryPoint], list[float]]:
        """The points of a machine that have the figure, and the figures."""
        known = [(point, point.figure(figure, self.clock)) for point in self.lines[machine]]
        return [point for point, value in known if value is not None], [
            value for _, value in known if value is not None
        ]


def history(rows: Iterable[PublishedRow]) -> History:
    """The history of the rows of one configuration that count."""
    groups: dict[Machine, dict[str, list[PublishedRow]]] = {}
    counted = [row for row in rows if row.counts]
    for row in counted:
        groups.setdefault(row.machine, {}).setdefault(row.submission.id, []).append(row)
    lines = {
        machine: tuple(sorted(map(_point, by_submission.values()), key=lambda point: point.date))
        for machine, by_submission in groups.items()
    }
    ordered = sorted(lines.items(), key=lambda one: (-len(one[1]), one[0].name))
    timed = [row.record for row in counted if has_valid_timing(row.record)]
    return History(dict(ordered), common_clock(timed))


def _point(rows: Sequence[PublishedRow]) -> HistoryPoint:
    ordered = sorted(rows, key=lambda row: row.record.trial.seed)
    first = ordered[0]
    return HistoryPoint(
        first.submission, first.machine, Aggregate(tuple(row.record for row in ordered)), tuple(ordered)
    )


def changes_of(told: History, accepted: Sequence[Accepted]) -> list[LevelChange]:
    """Changes of speed and of metric on every machine, oldest first. Raises ImportError without ruptures."""
    found = []
    for machine in told.lines:
        for figure in ("speed", "metric"):
            found += list(_changes(told, machine, figure, accepted))
    return sorted(found, key=lambda one: one.first.date)


def _changes(
    told: History, machine: Machine, figure: Figure, accepted: Sequence[Accepted]
) -> Iterable[LevelChange]:
    points, values = told.values(machine, figure)
    if figure == "speed":
        levels = changes([math.log(value) for value in values], SPEED_MARGIN)
    else:
        size = max(map(abs, values), default=0.0)
        levels = changes(values, METRIC_MARGIN * size) if size else []
    for one in levels:
        last, first = points[one.at - 1], points[one.at]
        before, after = (
            (math.exp(one.before), math.exp(one.after)) if figure == "speed" else (one.before, one.after)
        )
        trial = first.aggregate.trial
        facts = {
            "figure": figure, "backend": trial.backend, "task": trial.task, "source": trial.source,
            "cell": trial.cell, "architecture": trial.architecture,
            "configuration": trial.configuration_id, "machine": machine.name,
        }  # fmt: skip
        reason = next((mark for mark in accepted if mark.fits(facts, last.date, first.date)), None)
        yield LevelChange(figure, machine, last, first, before, after, reason)
