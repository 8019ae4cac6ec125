"""Tables of models: who is best, how sure that is, who runs it fastest."""

from __future__ import annotations

import math

from benchsuite.analysis.answers import answer
from benchsuite.analysis.identity import words
from benchsuite.analysis.ranking import BOUNDS, Model, Ranking
from benchsuite.contracts.report import Column, Mark, Table, TableCell, Value
from benchsuite.report.data import TaskResults

WORTH = {
    "settings": "what tells models of one name apart",
    "seeds": "trials of the configuration that differ in their seed alone",
    "vs best": "a paired test over seeds (Student's t, 5 % level, corrected for all pairs of models) against "
    "the best model: tie, where it cannot tell the two apart, or worse; untested with fewer than 3 common "
    "seeds",
    "fastest with": "the backend that trains the model fastest; speed, memory and gradient are of that run",
    "sequences/s": "training throughput in the steady state; ~ stands before a timing that was not steady",
    "memory": "highest resident memory of the worker while it trained",
    "gradient": "verdict on dL/dh on its way back in time",
    "half-life": "steps back in time over which the gradient halves, at the end of training",
    "parity": "largest error against the float64 reference, as a share of its tolerance, in any backend",
}


NEEDED = ("#", "model", "seeds", "fastest with")
"""Columns that are there even where they hold nothing."""


def settings_words(model: Model, ranking: Ranking, beside: Model | None = None) -> str:
    """`hidden=64 patience=none`: the settings that tell models of one name apart; beside another model,
    those that tell it from that one."""
    given = words(model.fastest.trial, ranking.settings)
    if beside is not None:
        others = words(beside.fastest.trial, ranking.settings)
        given = [text for text, other in zip(given, others, strict=True) if text != other]
    return " ".join(text.replace("=None", "=none") for text in given)


def model_words(model: Model, ranking: Ranking, beside: Model | None = None) -> str:
    """`lstm deep`, or `lstm deep hidden=64` where models of one name differ."""
    return f"{model.name} {settings_words(model, ranking, beside)}".strip()


def ranking_table(results: TaskResults, most: int | None = None) -> Table:
    """The models of a task, the best first, and the computed baselines under them.

    Raises ValueError for a task without a ranking.
    """
    ranking = results.ranking
    if ranking is None:
        raise ValueError(f"{results.title} has no ranking")
    found = answer(ranking)
    alike: dict[int, str] = {}
    if found:
        alike = {id(found.best): "best"} | {id(one.model): "tie" for one in found.alike}
        alike |= {id(model): "worse" for model in found.worse} | {
            id(model): "untested" for model in found.untested
        }
    arrow = "↑" if ranking.higher_is_better else "↓"
    columns = [
        Column("#", "integer"),
        Column("model"),
        *([Column("settings", help=WORTH["settings"])] if ranking.settings else []),
        Column(f"{ranking.metric.replace('_', ' ')} {arrow}", "number", _metric_help(ranking)),
        Column("seeds", "integer", WORTH["seeds"]),
        Column("vs best", help=WORTH["vs best"]),
        Column("fastest with", help=WORTH["fastest with"]),
        Column("sequences/s", "rate", WORTH["sequences/s"]),
        Column("memory", "bytes", WORTH["memory"]),
        Column("gradient", help=WORTH["gradient"]),
        Column("half-life", "number", WORTH["half-life"]),
        Column("parity", "share", WORTH["parity"]),
    ]
    rows = [
        _row(place, model, results, ranking, alike.get(id(model), ""))
        for place, model in enumerate(ranking.models[:most], 1)
    ]
    for name, value in ranking.baselines.items():
        row: list[Value | TableCell] = [None] * len(columns)
        bound = " (a bound)" if name in BOUNDS else ""
        row[1] = TableCell(f"{name.replace('_', ' ')}{bound}", mark="dim", title="computed, not trained")
        row[3 if ranking.settings else 2] = TableCell(value, mark="dim")
        rows.append(row)
    kept = [
        at
        for at, column in enumerate(columns)
        if column.name in NEEDED or any(map(_is_there, (row[at] for row in rows)))
    ]
    return Table(results.title, tuple(columns[at] for at in kept), [[row[at] for at in kept] for row in rows])


def _is_there(value: Value | TableCell) -> bool:
    """Whether a cell says anything."""
    held = value.value if isinstance(value, TableCell) else value
    return held not in ("", None)


def _metric_help(ranking: Ranking) -> str:
    better = "higher" if ranking.higher_is_better else "lower"
    return f"test/{ranking.metric}: mean over seeds ± half of its 95 % interval (t); {better} is better"


def _row(
    place: int, model: Model, results: TaskResults, ranking: Ranking, told: str
) -> list[Value | TableCell]:
    run, metric = model.fastest, model.metric
    scalars = run.scalars
    marks: dict[str, Mark] = {"best": "best", "tie": "best", "untested": "dim"}
    memory, half_life = scalars.get("memory/peak_bytes"), scalars.get("gradient/half_life_steps")
    first = run.records[0].trial_id
    return [
        place,
        TableCell(model.name, page=results.pages.get(first, "")),
        *([settings_words(model, ranking)] if ranking.settings else []),
        TableCell(
            metric.mean if metric else None,
            half=metric.half_width if metric else None,
            mark="best" if told == "best" else "",
        ),
        metric.n if metric else None,
        TableCell(told, mark=marks.get(told, "")),
        ranking.way(run),
        TableCell(model.speed(run), mark="unsure" if model.is_unsteady(run) else ""),
        memory.mean if memory else None,
        run.verdict("gradient"),
        half_life.mean if half_life and not math.isnan(half_life.mean) else None,
        model.worst_parity,
    ]
