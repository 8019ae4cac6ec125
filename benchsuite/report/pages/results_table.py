"""The test metrics of models on tasks, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from benchsuite.analysis.answers import Answer, answer
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.contracts.report import Column, Table, TableCell, Value
from benchsuite.report.data import TaskResults

NOT_RUN = TableCell(None, title="not run on this task")


def rankings_of_one_machine(tasks: Sequence[TaskResults]) -> dict[str, Ranking]:
    """Title -> ranking, of the machine that has most tasks: those of several machines repeat one another."""
    machines = [results.machine for results in tasks]
    most = max(machines, key=machines.count, default=None)
    return {
        results.title: results.ranking for results in tasks if results.machine == most and results.ranking
    }


def results_table(tasks: Sequence[TaskResults]) -> Table:
    """The test metric of each model (rows) on each task (columns). The best of a task is marked, and so is
    what a test over seeds does not tell from it. Of models of one name the best one is shown. The last row
    has the best of each task's baselines that are no network."""
    columns: list[Column] = [Column("model")]
    rows: dict[str, list[Value | TableCell]] = {}
    for at, results in enumerate(tasks, 1):
        ranking = results.ranking
        assert ranking is not None
        arrow = "↑" if ranking.higher_is_better else "↓"
        columns.append(Column(f"{results.title}: {ranking.metric.replace('_', ' ')} {arrow}", "number"))
        found = answer(ranking)
        for model in ranking.models:
            row = rows.setdefault(model.name, [model.name, *(NOT_RUN for _ in tasks)])
            if row[at] is NOT_RUN and model.metric is not None:
                row[at] = _metric_cell(model, ranking, found)
    ties = any(isinstance(one, TableCell) and one.mark == "tied" for row in rows.values() for one in row)
    intervals = any(
        isinstance(one, TableCell) and one.half is not None for row in rows.values() for one in row
    )
    note = "Bold is the best of a task"
    note += "; ≈ is not distinguishable from it (paired test over seeds, 5 % level). " if ties else ". "
    note += "Mean over seeds ± half of its 95 % interval (t). " if intervals else "One seed: no interval. "
    note += "Of models of one name, the best one."
    shown = [*rows.values(), *_baselines(tasks)]
    return Table("Test metric by model and task", tuple(columns), shown, note)


def _baselines(tasks: Sequence[TaskResults]) -> Iterator[list[Value | TableCell]]:
    """The row of the best baselines; nothing where no task has one."""
    found = [results.ranking.best_baseline if results.ranking else None for results in tasks]
    if any(found):
        name = TableCell("best baseline", mark="dim", title="of those that have no recurrence")
        yield [name, *(_baseline_cell(one) for one in found)]


def _baseline_cell(baseline: tuple[str, float] | None) -> TableCell:
    if baseline is None:
        return TableCell(None, title="the task has no baseline")
    return TableCell(baseline[1], mark="dim", title=baseline[0].replace("_", " "))


def _metric_cell(model: Model, ranking: Ranking, found: Answer | None) -> TableCell:
    assert model.metric is not None
    value, half = model.metric.mean, model.metric.half_width
    if found is None or not math.isfinite(value):
        return TableCell(value, half=half)
    if ranking.place(model) == ranking.place(found.best):
        return TableCell(value, half=half, mark="best", title="the best of this task")
    tied = next((one for one in found.alike if one.model is model), None)
    if tied is not None:
        return TableCell(
            value, half=half, mark="tied", title=f"not distinguishable from the best, n = {tied.n}"
        )
    return TableCell(value, half=half)
