"""Tables of models: their ranks, how sure these are, who runs each model fastest, and what to beware of."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.analysis.answers import Answer, answer, soonest_trained
from benchsuite.analysis.cautions import CautionKind, cautions
from benchsuite.analysis.decay import Moment, decay_over_seeds
from benchsuite.analysis.identity import words
from benchsuite.analysis.ranking import BOUNDS, Model, Ranking
from benchsuite.analysis.training_time import seconds_to_trained
from benchsuite.contracts.report import Column, Mark, Table, TableCell, Value
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_value

COLUMN_HELP = {
    "#": "rank by the metric; equal where values differ by no more than rounding",
    "settings": "what tells models of one name apart",
    "seeds": "trials of one configuration that differ in their seed alone",
    "vs best": "a paired test over seeds (Student's t, 5 % level, corrected for all pairs of models) compared "
    "with the best model: worse; or not distinguishable, with the n seeds there are; untested with fewer than "
    "3 common seeds",
    "cautions": "what to know beside the rank; the sentence of each is shown when pointed at",
    "fastest steps": "the backend whose training steps are fastest once they run; sequences/s, memory and "
    "gradient are of that run",
    "sequences/s": "training throughput in the steady state, by CPU time where every run of the model has one "
    "thread on a CPU, else by wall time; ~ marks a timing that was not steady",
    "trained soonest": "the backend with which the model is trained in the fewest seconds",
    "trained in": "wall seconds from the start to the trained model with that backend: compilation is "
    "included, the import of the framework is not",
    "memory": "highest resident memory of the worker while it trained",
    "gradient before": "verdict on dL/dh on its way back in time, and in brackets the steps back over which it "
    "halves; before training",
    "gradient after": "the same after training",
    "parity": "largest error compared with the float64 reference, as a share of its tolerance, in any backend",
}
NEEDED = ("#", "model", "seeds", "fastest steps")
"""Columns that are there even where they hold nothing."""
SAID_ELSEWHERE = (CautionKind.ONE_SEED,)
"""Cautions that the column of seeds tells."""


def settings_words(model: Model, ranking: Ranking, beside: Model | None = None) -> str:
    """`hidden=64 patience=none`: the settings that tell models of one name apart; with `beside`, those
    that tell it from that model."""
    given = words(model.fastest.trial, ranking.settings)
    if beside is not None:
        others = words(beside.fastest.trial, ranking.settings)
        given = [text for text in given if text not in others]
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
    told = _compared(answer(ranking))
    arrow = "↑" if ranking.higher_is_better else "↓"
    columns = [
        Column("#", "integer", COLUMN_HELP["#"]),
        Column("model"),
        *([Column("settings", help=COLUMN_HELP["settings"])] if ranking.settings else []),
        Column(f"{ranking.metric.replace('_', ' ')} {arrow}", "number", _metric_help(ranking)),
        Column("seeds", "integer", COLUMN_HELP["seeds"]),
        Column("vs best", help=COLUMN_HELP["vs best"]),
        Column("cautions", help=COLUMN_HELP["cautions"]),
        Column("fastest steps", help=COLUMN_HELP["fastest steps"]),
        Column("sequences/s", "rate", COLUMN_HELP["sequences/s"]),
        Column("trained soonest", help=COLUMN_HELP["trained soonest"]),
        Column("trained in", "seconds", COLUMN_HELP["trained in"]),
        Column("memory", "bytes", COLUMN_HELP["memory"]),
        Column("gradient before", help=COLUMN_HELP["gradient before"]),
        Column("gradient after", help=COLUMN_HELP["gradient after"]),
        Column("parity", "share", COLUMN_HELP["parity"]),
    ]
    rows = [
        _row(model, results, ranking, told.get(id(model), TableCell(""))) for model in ranking.models[:most]
    ]
    for name, value in ranking.baselines.items():
        row: list[Value | TableCell] = [None] * len(columns)
        bound = " (a bound)" if name in BOUNDS else ""
        row[1] = TableCell(f"{name.replace('_', ' ')}{bound}", mark="dim", title="a baseline: no recurrence")
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
    if isinstance(value, TableCell):
        return value.value not in ("", None) or bool(value.text or value.title)
    return value not in ("", None)


def _metric_help(ranking: Ranking) -> str:
    better = "higher" if ranking.higher_is_better else "lower"
    return f"test/{ranking.metric}: mean over seeds ± half of its 95 % interval (t); {better} is better"


def _compared(found: Answer | None) -> Mapping[int, TableCell]:
    """How each model compares with the best one, by the identity of the model."""
    if found is None:
        return {}
    told = {id(found.best): TableCell("best", mark="best")}
    for one in found.alike:
        what = "a difference as large as the one seen"
        title = f"{what} would take about {one.needed} seeds to find" if one.needed else ""
        told[id(one.model)] = TableCell(f"not distinguishable, n = {one.n}", title=title)
    told |= {id(model): TableCell("worse") for model in found.worse}
    return told | {id(model): TableCell("untested", mark="dim") for model in found.untested}


def caution_cell(ranking: Ranking, model: Model) -> TableCell:
    """The kinds of cautions on a model, with their sentences."""
    found = [one for one in cautions(ranking, model) if one.kind not in SAID_ELSEWHERE]
    kinds = list(dict.fromkeys(str(one.kind) for one in found))
    return TableCell(", ".join(kinds), title="; ".join(one.sentence for one in found))


def decay_cell(model: Model, when: Moment) -> TableCell:
    """`stable (33 steps)`: verdict and half-life of one snapshot, of the model's fastest run."""
    found = decay_over_seeds(model.fastest.records, when)
    if found is None or found.half_life is None:
        return TableCell(found.verdict if found else "", mark="dim")
    life = format_value(float(f"{found.half_life:.2g}"), unit="steps")
    mark: Mark = "bad" if found.verdict in ("vanishing", "exploding") else ""
    return TableCell(found.half_life, f"{found.verdict} ({life})", mark=mark)


def _row(model: Model, results: TaskResults, ranking: Ranking, told: TableCell) -> list[Value | TableCell]:
    run, metric = model.fastest, model.metric
    memory = run.scalars.get("memory/peak_bytes")
    return [
        ranking.place(model),
        TableCell(model.name, page=results.pages.get(run.records[0].trial_id, "")),
        *([settings_words(model, ranking)] if ranking.settings else []),
        TableCell(
            metric.mean if metric else None,
            half=metric.half_width if metric else None,
            mark="best" if told.mark == "best" else "",
        ),
        metric.n if metric else None,
        told,
        caution_cell(ranking, model),
        ranking.way(run),
        speed_cell(model),
        *_trained(model, ranking),
        memory.mean if memory else None,
        decay_cell(model, "start"),
        decay_cell(model, "end"),
        model.worst_parity,
    ]


def speed_cell(model: Model) -> TableCell:
    """Sequences per second of the model's fastest run; absent, with the reason, where no timing is valid."""
    speed = model.speed(model.fastest)
    if speed is None:
        return TableCell(None, title="no valid timing")
    if model.is_unsteady(model.fastest):
        return TableCell(speed, format_value(speed, rough=True), mark="unsure")
    return TableCell(speed)


def _trained(model: Model, ranking: Ranking) -> tuple[str, TableCell]:
    """Who has the model trained soonest, and after how many seconds."""
    found = soonest_trained(model)
    if found is None:
        return "", TableCell(None)
    taken = seconds_to_trained(found.first)
    return ranking.way(found.first), TableCell(found.seconds, half=taken.half_width if taken else None)


def seeds_words(found: Answer) -> str:
    """`One seed`, `3 seeds`."""
    return "One seed" if found.seeds == 1 else format_count(found.seeds, "seed")
