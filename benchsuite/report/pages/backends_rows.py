"""Rows of tables by backend: one for each backend, and under it its ways where it has several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.analysis.runs import Run, best_by_model, geometric_mean
from benchsuite.contracts.report import TableCell


def backends_in_order(runs: Sequence[Run]) -> list[str]:
    """Backends, the fastest on average first, and last those that cannot be compared."""

    def slowness(name: str) -> float:
        found = best_by_model(of_backend(runs, name), "relative")
        return -geometric_mean(list(found.values())) if found else 0.0

    return sorted(dict.fromkeys(run.backend for run in runs), key=slowness)


def of_backend(runs: Sequence[Run], name: str) -> list[Run]:
    return [run for run in runs if run.backend == name]


def backend_rows(runs: Sequence[Run], backends: Sequence[str]) -> Iterator[tuple[TableCell, list[Run]]]:
    """The first cell of each row and the runs that the row is of."""
    for name in backends:
        own = of_backend(runs, name)
        yield TableCell(name), own
        ways = list(dict.fromkeys(run.runner for run in own))
        if len(ways) > 1:
            for way in ways:
                yield TableCell(way, mark="inside"), [run for run in own if run.runner == way]
