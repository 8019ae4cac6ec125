"""The study's own figures compared with published ones, with every known difference of protocol."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import altair as alt

from benchsuite.analysis.references import Reference, ReferenceResult, reference_results, references
from benchsuite.analysis.seeds import Aggregate
from benchsuite.contracts.report import (
    Block,
    Bullets,
    Chart,
    Column,
    Details,
    Mark,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.axes import log_axis
from benchsuite.report.charts import chart, named
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.formatting import format_count, format_list, format_number, format_value
from benchsuite.report.looks import LIGHT
from benchsuite.report.site import Page

OPEN = 3
"""Sets of differences that are shown unfolded."""
MARKS: dict[str, Mark] = {"agrees": "", "worse": "bad", "better": "", "not judged": "dim"}
Found = tuple[TaskResults, ReferenceResult]


def published_page(data: ReportData) -> Page | None:
    """None where no configuration of the studies can be compared with a published figure."""
    found = [
        (results, result)
        for results in data.tasks
        for result in reference_results(results.records, results.curves)
    ]
    if not found:
        return None
    order = {id(reference): place for place, reference in enumerate(references())}
    found.sort(key=lambda one: order[id(one[1].reference)])
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one[1].reference.id, []).append(one)
    sections = [PageSection("", tuple(_answer(found)))]
    sections += [PageSection(_title(members), tuple(_group(members))) for members in groups.values()]
    sections.append(PageSection("Sources", tuple(_sources(found))))
    lead = (
        "Configurations that published work gives a figure for. What differs in the protocol is named: a "
        "figure that agrees under another protocol is no reproduction."
    )
    return Page("published", "Compared with published figures", tuple(sections), lead, "Published")


def _answer(found: Sequence[Found]) -> Iterator[Block]:
    judged = [result for _, result in found if result.verdict != "not judged"]
    words = {
        "agrees": ("agrees with it", "agree with it"),
        "worse": ("falls short of it", "fall short of it"),
        "better": ("is better than it", "are better than it"),
        "not judged": ("is shown beside it and not judged", "are shown beside it and not judged"),
    }
    parts = [
        f"{number} {words[verdict][number != 1]}"
        for verdict in words
        if judged and (number := sum(result.verdict == verdict for _, result in found))
    ]
    verb = "is" if len(found) == 1 else "are"
    said = f"{format_count(len(found), 'configuration')} {verb} compared with a published figure"
    yield Paragraph(f"{said}: {format_list(parts)}." if parts else f"{said}; none is judged.")
    suspicious = [result for result in judged if result.suspicious]
    if suspicious:
        yield Paragraph(
            f"{format_count(len(suspicious), 'configuration')} did better than published, or got there sooner. "
            "Before that is believed, look for an easier protocol, a leak between splits, or another metric.",
            "warning",
        )
    if any(result.found.n == 1 for result in judged):
        text = "One seed gives no interval: run three seeds (--set seed=0,1,2) before drawing conclusions."
        yield Paragraph(text, "note")


def _title(members: Sequence[Found]) -> str:
    reference = members[0][1].reference
    return f"{members[0][0].title}, {reference.metric.replace('_', ' ')}: {reference.publication.key}"


def _group(members: Sequence[Found]) -> Iterator[Block]:
    reference = members[0][1].reference
    yield Paragraph(f"{reference.publication.citation}; {reference.where}.")
    drawn = _chart(members)
    if drawn:
        yield drawn
    yield _table(members)
    for place, (_, result) in enumerate(members, 1):
        if result.fast:
            yield Paragraph(f"{_name(place, result.run)}: {result.fast}.", "warning")
    groups = _differences(members)
    for differences, names in groups.items():
        title = "What differs from the publication"
        if len(members) > 1:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            title += f": {format_list(names[:4])}{more}"
        if len(groups) <= OPEN:
            yield Paragraph(f"{title}.")
            yield Bullets(differences)
        else:
            yield Details(title, (Bullets(differences),))


def _differences(members: Sequence[Found]) -> dict[tuple[str, ...], list[str]]:
    """Differences -> configurations that have just these."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for place, (_, result) in enumerate(members, 1):
        differences = tuple(str(one) for one in result.differences) or ("nothing that is known",)
        groups.setdefault(differences, []).append(_name(place, result.run))
    return groups


def _name(place: int, run: Aggregate) -> str:
    trial = run.trial
    return f"{place}. {trial.cell} {trial.architecture}, {trial.backend} {trial.execution.unroll}"


def _table(members: Sequence[Found]) -> Table:
    reference = members[0][1].reference
    arrow = "↑" if reference.higher_is_better else "↓"
    name = f"{reference.metric.replace('_', ' ')} {arrow}"
    columns = (
        Column("", "integer"),
        Column("model"),
        Column("data"),
        Column("run by"),
        Column(f"published {name}"),
        Column(
            f"here {name}", "number", f"{reference.scalar}: mean over seeds ± half of its 95 % interval (t)"
        ),
        Column("seeds", "integer"),
        Column(
            "verdict",
            help="over seeds: whether the whole interval lies beyond what agrees with the published figure",
        ),
        Column("epochs", "integer"),
        Column("differences", "integer", "known differences of protocol"),
    )
    rows: list[list[Value | TableCell]] = []
    for place, (results, result) in enumerate(members, 1):
        trial, found = result.run.trial, result.found
        low, high = result.reference.agreeing
        rows.append(
            [
                place,
                TableCell(
                    f"{trial.cell} {trial.architecture}",
                    page=results.pages.get(result.run.records[0].trial_id, ""),
                ),
                results.title,
                f"{trial.backend} {trial.execution.unroll}",
                published_words(result.reference),
                TableCell(found.mean, half=found.half_width),
                found.n,
                TableCell(
                    result.verdict,
                    mark=MARKS[result.verdict],
                    title=f"agrees between {format_number(low)} and {format_number(high)}",
                ),
                trial.recipe.epochs,
                len(result.differences),
            ]
        )
    return Table("Published and own figures", columns, rows)


def published_words(reference: Reference) -> str:
    """`0.974 to 0.981`, or one figure."""
    low, high = format_number(reference.low), format_number(reference.high)
    return low if low == high else f"{low} to {high}"


def _chart(members: Sequence[Found]) -> Chart | None:
    """Published figure and own ones on one axis, a row for each configuration."""
    rows = []
    for place, (_, result) in enumerate(members, 1):
        found, reference = result.found, result.reference
        if not math.isfinite(found.mean):
            continue
        low, high = reference.agreeing
        rows.append(
            {
                "row": _name(place, result.run),
                "low": low, "high": high, "published": (reference.low + reference.high) / 2,
                "own": found.mean,
                "from": found.mean if found.low is None else found.low,
                "to": found.mean if found.high is None else found.high,
                "shown": format_value(found.mean, found.half_width), "said": published_words(reference),
                "verdict": result.verdict,
            }
        )  # fmt: skip
    if not rows:
        return None
    metric = members[0][1].reference.metric.replace("_", " ")
    values = [float(str(row[name])) for row in rows for name in ("low", "high", "own")]
    log = min(values) > 0 and max(values) / min(values) > 100
    plain = {"scale": alt.Scale(zero=False, padding=10), "axis": alt.Axis(format="~g", tickCount=6)}
    across = log_axis(values) if log else plain
    scale = across["scale"]
    names = [row["row"] for row in rows]
    base = alt.Chart(named()).encode(
        y=alt.Y("row:N", sort=names, title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=[
            alt.Tooltip("row:N", title="configuration"), alt.Tooltip("said:N", title="published"),
            alt.Tooltip("shown:N", title="here"), alt.Tooltip("verdict:N"),
        ],
    )  # fmt: skip
    x = alt.X("low:Q", title=metric, **across)
    agreeing = base.mark_bar(height={"band": 0.7}, opacity=0.25, color="#6b6f73").encode(x=x, x2="high:Q")
    ticks = base.mark_tick(thickness=2.5, size=18, color="#6b6f73").encode(
        x=alt.X("published:Q", scale=scale)
    )
    spans = base.mark_rule(strokeWidth=2.5, color=LIGHT[6]).encode(x=alt.X("from:Q", scale=scale), x2="to:Q")
    dots = base.mark_point(filled=True, size=70, opacity=1, color=LIGHT[6]).encode(
        x=alt.X("own:Q", scale=scale)
    )
    told = [f"{row['row']} {row['shown']}, published {row['said']}, {row['verdict']}" for row in rows[:6]]
    return chart(
        f"Published and own {metric}",
        alt.layer(agreeing, ticks, spans, dots),
        rows,
        f"{metric} of each configuration, and the published figure: {'; '.join(told)}.",
        "Grey: the published figure, and what agrees with it. Dots: this study, with the 95 % interval over "
        "seeds.",
        height=40 + 30 * len(rows),
    )


def _sources(found: Sequence[Found]) -> Iterator[Block]:
    publications = dict.fromkeys(result.reference.publication for _, result in found)
    yield Bullets(tuple(f"{one.key}: {one.citation}. {one.url}" for one in publications))
    met = {id(result.reference) for _, result in found}
    missing = [reference for reference in references() if id(reference) not in met]
    if missing:
        rows: list[list[Value | TableCell]] = [
            [
                f"{one.task} / {', '.join(one.sources)}",
                ", ".join(_plain(path, value) for path, value in one.conditions.items()),
                one.metric.replace("_", " "),
                published_words(one),
                one.publication.key,
            ]
            for one in missing
        ]
        columns = (
            Column("task"), Column("conditions"), Column("metric"), Column("published"), Column("source"),
        )  # fmt: skip
        table = Table("Published figures without a configuration here", columns, rows)
        text = Paragraph("The matrix paper has a configuration of each of them: benchsuite run paper.")
        yield Details(
            f"{format_count(len(missing), 'more published figure')} that nothing here is compared with",
            (text, table),
        )


def _plain(path: str, value: object) -> str:
    name = path.rpartition(".")[2]
    if isinstance(value, dict):
        bounds = [f"at {word} {value[word]}" for word in ("least", "most") if word in value]
        return f"{name} {' and '.join(bounds)}"
    return f"{name}={' or '.join(map(str, value))}" if isinstance(value, list) else f"{name}={value}"
