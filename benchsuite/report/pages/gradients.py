"""The page on gradients, to be shown in a lecture: how much of them arrives how far back, what changes that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.analysis.decay import (
    MOMENTS,
    VERDICTS,
    GradientDecay,
    Moment,
    decay_over_seeds,
    gradient_decay,
)
from benchsuite.analysis.gradient_profiles import CellGroup, cell_group, teaching_order
from benchsuite.analysis.identity import is_convolutional_baseline
from benchsuite.analysis.seeds import median_over_seeds
from benchsuite.contracts.report import (
    Block,
    Column,
    Grid,
    Mark,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.formatting import format_number
from benchsuite.report.pages.gradients_charts import curves_chart, heat_chart, reading, said, verdicts_chart
from benchsuite.report.pages.gradients_effects import clipping, truncation
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.prose import prose
from benchsuite.report.site import Page
from benchsuite.schema.thresholds import EXPLODING, VANISHING

MOST_GROUPS = 6
"""Tasks whose curves are drawn: those with most cells and the longest sequences."""


def gradients_page(data: ReportData) -> Page | None:
    """None where no trial has statistics of its gradients."""
    tasks = [results for results in data.tasks if any(_known(results))]
    if not tasks:
        return None
    found = shown_groups(tasks)
    sections = [PageSection("What is seen here", tuple(prose("gradients_explanation")))]
    if not found:
        text = "No trial of these studies has curves of its gradients."
        sections.append(PageSection("Step by step back in time", (Paragraph(text, "note"),)))
    sections += [PageSection(results.title, tuple(_group(group))) for results, group in found[:MOST_GROUPS]]
    if len(found) > MOST_GROUPS:
        left = ", ".join(results.title for results, _ in found[MOST_GROUPS:])
        sections[-1] = PageSection(
            sections[-1].title,
            (*sections[-1].blocks, Paragraph(f"Not drawn, but in the table below: {left}.", "note")),
        )
    sections += [
        PageSection("Half-life", tuple(_half_lives(tasks))),
        PageSection("Vanishing or exploding", tuple(_verdicts(tasks))),
        PageSection("What clipping changes", tuple(clipping(data, tasks))),
        PageSection("What truncation changes", tuple(truncation(data, tasks))),
    ]
    lead = (
        "A recurrent network learns from the past only if the gradient of the loss gets there. Here it is "
        "followed back in time, step by step, in plain, LSTM and GRU networks."
    )
    return Page("gradients", "Does the gradient reach the past?", tuple(sections), lead, "Gradients")


def shown_groups(tasks: Sequence[TaskResults]) -> list[tuple[TaskResults, CellGroup]]:
    """The groups worth drawing, the most telling first: where any has its loss at the end alone, those; of them
    the ones with several cells, where there are any."""
    found = [
        (results, group)
        for results in tasks
        if results.ranking is not None and (group := cell_group(results.ranking, results.curves)) is not None
    ]
    found.sort(key=lambda one: (-len(one[1].models), -one[1].longest))
    found = [one for one in found if one[1].at_end] or found
    return [one for one in found if len(one[1].models) > 1] or found


def _known(results: TaskResults) -> Iterator[bool]:
    for record in results.records:
        known = any(gradient_decay(record, when) is not None for when in MOMENTS)
        yield known and not is_convolutional_baseline(record.trial)


def _group(group: CellGroup) -> Iterator[Block]:
    end = group.of("end") or list(group.profiles)
    names = ", ".join(model_words(model, group.ranking) for model in group.models)
    yield Paragraph(f"Compared: {names}. After training, {_lowered(reading(end))}")
    if not group.at_end:
        yield Paragraph(
            "Here the loss enters at other steps than the last one as well: a step receives more than what was "
            "passed back to it, and the curves are no measure of decay.",
            "note",
        )
    charts = [made for when in ("start", "end") if (made := curves_chart(group, when)) is not None]
    yield Grid(tuple(charts))
    yield heat_chart(group)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _half_lives(tasks: Sequence[TaskResults]) -> Iterator[Block]:
    yield from prose("gradients_half_lives")
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("before", filter=True, help="verdict, before training"),
        Column("half-life before", "number", "in steps, before training"),
        Column("left before", "scientific", "share of the gradient that reaches the first step"),
        Column("after", filter=True, help="verdict, after training"),
        Column("half-life after", "number", "in steps, after training"),
        Column("left after", "scientific"),
        Column("clipped steps", "share"),
    )
    rows: list[list[Value | TableCell]] = []
    for results in tasks:
        if results.ranking is None:
            continue
        for model in results.ranking.models:
            records = model.fastest.records
            if model.is_baseline or all(decay_over_seeds(records, when) is None for when in MOMENTS):
                continue
            page = results.pages.get(records[0].trial_id, "")
            rows.append(
                [
                    results.title,
                    TableCell(model_words(model, results.ranking), page=page),
                    *(cell for when in MOMENTS for cell in _decay_cells(decay_over_seeds(records, when))),
                    median_over_seeds(records, "gradient/clipped_share"),
                ]
            )
    yield Table("Half-life of the gradient, before and after training", columns, rows)


def _decay_cells(found: GradientDecay | None) -> tuple[TableCell, TableCell, TableCell]:
    """Verdict, half-life and what is left of one snapshot."""
    if found is None:
        return TableCell(""), TableCell(None), TableCell(None)
    return (
        TableCell(found.verdict, mark=_mark(found.verdict)),
        _rounded(found.half_life),
        _rounded(found.change),
    )


def _rounded(value: float | None) -> TableCell:
    """A figure of a fit, which may be anything from a fraction to infinite, to two digits."""
    return TableCell(None) if value is None else TableCell(value, text=format_number(value, 2))


def _mark(verdict: str) -> Mark:
    if verdict in ("vanishing", "exploding"):
        return "bad"
    return "dim" if verdict in ("undefined", "truncated") else ""


def _verdicts(tasks: Sequence[TaskResults]) -> Iterator[Block]:
    yield from prose("gradients_verdicts", vanishing=VANISHING, exploding=EXPLODING)
    counts: dict[tuple[str, Moment, str], int] = {}
    for results in tasks:
        for record in results.records:
            for when in MOMENTS:
                found = gradient_decay(record, when)
                if found and found.verdict in VERDICTS and not is_convolutional_baseline(record.trial):
                    key = (record.trial.cell, when, found.verdict)
                    counts[key] = counts.get(key, 0) + 1
    if not counts:
        yield Paragraph("No trial has a verdict.", "note")
        return
    yield verdicts_chart(counts, VERDICTS)
    cells = teaching_order({cell for cell, _, _ in counts})
    columns = (Column("cell"), Column("when"), *(Column(word, "integer") for word in VERDICTS))
    yield Table(
        "Trials by verdict",
        columns,
        [
            [cell, said(when), *(counts.get((cell, when, word), 0) for word in VERDICTS)]
            for cell in cells
            for when in MOMENTS
        ],
    )
