"""The page on gradients, to be shown in a lecture: how much of them arrives how far back, what changes that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from benchsuite.report.pages.gradients_charts import curves_chart, heat_chart, reading, verdicts_chart
from benchsuite.report.pages.gradients_effects import clipping, truncation
from benchsuite.report.pages.rankings import model_words
from benchsuite.report.profiles import Group, groups, middle, teaching_order
from benchsuite.report.prose import prose
from benchsuite.report.site import Page
from benchsuite.schema.names import NO_CELL
from benchsuite.schema.thresholds import EXPLODING, VANISHING

MOST_GROUPS = 6
"""Tasks whose curves are drawn: those with most cells and the longest sequences."""
VERDICTS = ("vanishing", "stable", "exploding", "truncated", "undefined")


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
    sections += [PageSection(group.results.title, tuple(_group(group))) for group in found[:MOST_GROUPS]]
    if len(found) > MOST_GROUPS:
        left = ", ".join(group.results.title for group in found[MOST_GROUPS:])
        sections[-1] = PageSection(
            sections[-1].title,
            (*sections[-1].blocks, Paragraph(f"Not drawn, but in the table below: {left}.", "note")),
        )
    sections += [
        PageSection("Half-life", tuple(_half_lives(tasks))),
        PageSection("Vanishing or exploding", tuple(_verdicts(tasks))),
        PageSection("What clipping changes", tuple(clipping(tasks))),
        PageSection("What truncation changes", tuple(truncation(tasks))),
    ]
    lead = (
        "A recurrent network learns from the past only if the gradient of the loss gets there. Here it is "
        "followed back in time, step by step, in plain, LSTM and GRU networks."
    )
    return Page("gradients", "Does the gradient reach the past?", tuple(sections), lead, "Gradients")


def shown_groups(tasks: Sequence[TaskResults]) -> list[Group]:
    """The groups worth drawing, the most telling first: where any has its loss at the end alone, those; of them
    the ones with several cells, where there are any."""
    found = sorted(groups(tasks), key=lambda group: (-len(group.models), -group.longest))
    found = [group for group in found if group.at_end] or found
    return [group for group in found if len(group.models) > 1] or found


def _known(results: TaskResults) -> Iterator[bool]:
    for record in results.records:
        if record.trial.cell != NO_CELL and "gradient" in record.verdicts:
            yield True


def _group(group: Group) -> Iterator[Block]:
    end = group.of("end") or list(group.profiles)
    assert group.results.ranking is not None
    names = ", ".join(model_words(model, group.results.ranking) for model in group.models)
    yield Paragraph(f"Compared: {names}. After training, {_lowered(reading(end))}")
    if not group.at_end:
        yield Paragraph(
            "Here the loss enters at other steps than the last one too: what arrives at a step is not what "
            "was passed back to it alone, and the curves are no measure of decay.",
            "note",
        )
    charts = [made for when in ("start", "end") if (made := curves_chart(group, when)) is not None]
    yield Grid(tuple(charts))
    yield heat_chart(group)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _half_lives(tasks: Sequence[TaskResults]) -> Iterator[Block]:
    yield Paragraph(
        "Steps back in time over which the gradient halves, before and after training, and what is left of "
        "it at the first step of the longest sequence. ∞ where it does not shrink. Medians over seeds of "
        "each model's fastest run."
    )
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("before", "number", "half-life in steps, before training"),
        Column("after", "number", "half-life in steps, after training"),
        Column("left before", "scientific", "share of the gradient that reaches the first step"),
        Column("left after", "scientific"),
        Column("verdict", filter=True, help="of the start, or of the end where the start is stable"),
        Column("clipped steps", "share"),
    )
    rows: list[list[Value | TableCell]] = []
    for results in tasks:
        if results.ranking is None:
            continue
        for model in results.ranking.models:
            records = model.fastest.records
            if model.is_baseline or not any("gradient" in record.verdicts for record in records):
                continue
            verdict = model.fastest.verdict("gradient")
            rows.append(
                [
                    results.title,
                    TableCell(
                        model_words(model, results.ranking), page=results.pages.get(records[0].trial_id, "")
                    ),
                    *(_steps(middle(records, f"gradient/half_life_steps_{at}")) for at in ("start", "end")),
                    *(_left(middle(records, f"gradient/change_{at}")) for at in ("start", "end")),
                    TableCell(verdict, mark=_mark(verdict)),
                    middle(records, "gradient/clipped_share"),
                ]
            )
    yield Table("Half-life of the gradient", columns, rows)


def _steps(value: float | None) -> TableCell | None:
    """A half-life, which may be anything from a fraction of a step to infinite."""
    return None if value is None else TableCell(value, text=format_number(float(f"{value:.3g}")))


def _left(value: float | None) -> TableCell | None:
    return None if value is None else TableCell(value, text=format_number(float(f"{value:.2g}")))


def _mark(verdict: str) -> Mark:
    if verdict in ("vanishing", "exploding"):
        return "bad"
    return "dim" if verdict == "undefined" else ""


def _verdicts(tasks: Sequence[TaskResults]) -> Iterator[Block]:
    yield Paragraph(
        "From a line fitted to the logarithm of the curve: vanishing where less than "
        f"{format_number(VANISHING)} of the gradient is left at the first step, exploding where more than "
        f"{format_number(EXPLODING)} times as much arrives, else stable. The verdict of a trial is that of its "
        "start, where training has to begin, unless that is stable; then that of its end. Truncated: "
        "truncation ends the gradient before the sequence does. Undefined: the loss enters at other steps "
        "than the last one as well, so that the curve is no measure of decay. Where the two bounds lie is a "
        "convention."
    )
    counts: dict[tuple[str, str], int] = {}
    for results in tasks:
        for record in results.records:
            verdict = record.verdicts.get("gradient", "")
            if record.trial.cell != NO_CELL and verdict in VERDICTS:
                counts[record.trial.cell, verdict] = counts.get((record.trial.cell, verdict), 0) + 1
    if not counts:
        yield Paragraph("No trial has a verdict.", "note")
        return
    yield verdicts_chart(counts, VERDICTS)
    cells = teaching_order({cell for cell, _ in counts})
    columns = (Column("cell"), *(Column(verdict, "integer") for verdict in VERDICTS))
    yield Table(
        "Trials by verdict",
        columns,
        [[cell, *(counts.get((cell, verdict), 0) for verdict in VERDICTS)] for cell in cells],
    )
