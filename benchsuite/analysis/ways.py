"""In which way a trial ran where its execution left that open, and what the other ways cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.schema import Record

WAY = "calibration.way"
COSTS = "calibration.relative_seconds"


@dataclass(frozen=True)
class WayThatRan:
    """
    name   `fused products=blas`
    costs  way -> the time of its training step over that of the way that ran, of all that were measured, the
           default first; empty where only one was open, or none was measured
    """

    name: str
    costs: Mapping[str, float]

    @property
    def default(self) -> float | None:
        """The time of the default way over that of the way that ran; None where nothing was measured."""
        return next(iter(self.costs.values()), None)

    @property
    def others(self) -> dict[str, float]:
        """The costs of the ways that did not run, the cheapest first."""
        left = {name: cost for name, cost in self.costs.items() if name != self.name}
        return dict(sorted(left.items(), key=lambda item: item[1]))


def way_that_ran(record: Record) -> WayThatRan | None:
    """None for a record that does not say it: it was made before ways were measured, or failed before."""
    name = record.environment.get(WAY, "")
    if not name:
        return None
    costs: dict[str, float] = {}
    for part in record.environment.get(COSTS, "").split("; "):
        way, colon, cost = part.rpartition(": ")
        try:
            costs |= {way: float(cost)} if colon else {}
        except ValueError:  # somebody else's record
            return WayThatRan(name, {})
    return WayThatRan(name, costs)
