"""Models over several tasks: their average ranks."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt

from benchsuite.analysis.average_ranks import AverageRanks, average_ranks
from benchsuite.contracts.report import Block, Chart, Column, Paragraph, Table
from benchsuite.report.charts import cell_legend, chart, named
from benchsuite.report.data import ReportData
from benchsuite.report.formatting import format_count, format_list, format_number
from benchsuite.report.pages.results_table import rankings_of_one_machine
from benchsuite.report.pages.task_answer import NAMED
from benchsuite.schema.names import NO_CELL


def over_tasks(data: ReportData) -> Iterator[Block]:
    """What ranks over tasks tell."""
    tasks = [results for results in data.tasks if results.ranking and results.ranking.models]
    found = average_ranks(rankings_of_one_machine(tasks))
    if isinstance(found, str):
        yield Paragraph(found, "note")
        return
    yield Paragraph(ranks_words(found))
    yield differences_chart(found)
    if found.left_out:
        yield Paragraph(
            f"Left out, because not every task has them: {format_list(list(found.left_out))}.", "note"
        )


def ranks_words(found: AverageRanks) -> str:
    """What the ranks say, in a sentence or two."""
    first, tasks = found.models[0], format_count(len(found.tasks), "task")
    alike = [
        name
        for name, rank in zip(found.models[1:], found.ranks[1:], strict=True)
        if rank - found.ranks[0] <= found.difference
    ]
    if found.p >= 0.05:
        return (
            f"Over {tasks} Friedman's test finds no difference between the ranks of the "
            f"{len(found.models)} models that all of them have (p = {format_number(found.p, 2)})."
        )
    words = f"Over {tasks} {first} has the best average rank ({found.ranks[0]:.2f})."
    if not alike:
        return f"{words} It differs from every other model (Nemenyi, 5 %)."
    return (
        f"{words} Not distinguishable from it over so many tasks: {format_list(alike, most=NAMED)} (Nemenyi, "
        "5 %)."
    )


def differences_chart(found: AverageRanks) -> Chart:
    """Average ranks with bars as long as the critical difference: where two overlap, their models are not
    distinguishable (Demšar 2006, the same statement as his diagram of cliques)."""
    half = found.difference / 2
    rows = [
        {
            "model": name,
            "rank": rank,
            "low": rank - half,
            "high": rank + half,
            "cell": name.split()[0] if " " in name else NO_CELL,
            "rank shown": f"{rank:.2f}",
        }
        for name, rank in zip(found.models, found.ranks, strict=True)
    ]
    legend = cell_legend(str(row["cell"]) for row in rows)
    base = alt.Chart(named()).encode(
        y=alt.Y("model:N", sort=list(found.models), title=None, axis=alt.Axis(labelLimit=260))
    )
    bars = base.mark_rule(strokeWidth=5, opacity=0.45).encode(
        x=alt.X(
            "low:Q",
            title="average rank: 1 is best",
            scale=alt.Scale(zero=False),
            axis=alt.Axis(values=list(range(1, len(rows) + 1)), format="d"),
        ),
        x2="high:Q",
        color=legend.colour(),
    )
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="rank:Q",
        color=legend.colour(),
        shape=legend.shape(),
        tooltip=[alt.Tooltip("model:N"), alt.Tooltip("rank shown:N", title="average rank")],
    )
    columns = (Column("model"), Column("average rank", "number"))
    table = Table(
        "Average ranks over tasks",
        columns,
        [[name, rank] for name, rank in zip(found.models, found.ranks, strict=True)],
    )
    return chart(
        "Average rank over tasks, with the critical difference",
        alt.layer(bars, dots),
        rows,
        f"Average ranks of {format_count(len(found.models), 'model')} over "
        f"{format_count(len(found.tasks), 'task')}; "
        f"best is {found.models[0]} with {found.ranks[0]:.2f}.",
        f"Bars are as long as the critical difference, {found.difference:.2f} ranks (Nemenyi, 5 %): models "
        f"whose bars overlap are not distinguishable. Friedman's test: p = {format_number(found.p, 2)}. Tasks: "
        f"{format_list(list(found.tasks))}.",
        table,
        height=max(120, 24 * len(rows) + 20),
        legend=legend,
    )
