"""The page of one trial: all that is known of it, and the command that runs it again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from benchsuite.analysis.decay import MOMENTS, gradient_decay
from benchsuite.analysis.validity import (
    breaks_parity,
    invalid_timing,
    is_ranked,
    problem,
    problem_reason,
    reasons_left_out,
    sequences_per_second,
    valid_scalars,
)
from benchsuite.analysis.ways import way_that_ran
from benchsuite.contracts.report import (
    Block,
    Command,
    Details,
    Display,
    Fact,
    Facts,
    Form,
    Grid,
    Link,
    PageSection,
    Paragraph,
    TableCell,
    Value,
)
from benchsuite.errors import StoreError
from benchsuite.report.commands import reproduce_command
from benchsuite.report.data import Entry, TaskResults
from benchsuite.report.figures import definition
from benchsuite.report.formatting import COST_DIGITS, format_count, format_number
from benchsuite.report.pages.methods import LONG_FACT
from benchsuite.report.pages.panels import panels
from benchsuite.report.site import Page
from benchsuite.schema import Record, Status
from benchsuite.schema.fields import flatten

SCALAR_GROUPS = {
    "test": "Test split",
    "val": "Validation split",
    "train": "Training",
    "speed": "Speed",
    "memory": "Memory",
    "gradient": "Gradients",
    "parity": "Parity",
    "model": "Model",
}


SPEED = "speed/sequences_per_second"


def trial_page(entry: Entry, results: TaskResults) -> Page:
    """What the record holds, its curves and exhibits, and how to run it again."""
    record = entry.record
    problems: list[Block] = []
    try:
        series, exhibits = entry.series(), entry.exhibits()
    except StoreError as error:
        series, exhibits = [], []
        problems.append(Paragraph(f"Curves and exhibits cannot be read: {error}", "warning"))
    sections = [PageSection("", (*problems, *_head(entry, results), *_reproduce(entry)))]
    if record.exception or record.output_tail:
        texts = (record.exception, record.output_tail)
        sections.append(PageSection("What went wrong", tuple(Command(text) for text in texts if text)))
    first, folded = panels(one for one in series if not _refused(record, one.name))
    if first or folded:
        more = (Details("More curves", (Grid(tuple(folded)),)),) if folded else ()
        sections.append(PageSection("Curves", (Grid(tuple(first)), *more)))
    if exhibits:
        sections.append(
            PageSection("What it produced", (Grid(tuple(Display(one) for one in exhibits), wide=True),))
        )
    if record.scalars:
        sections.append(PageSection("Figures", tuple(_figures(entry))))
    sections += [
        PageSection("Settings", tuple(_settings(entry))),
        PageSection("Environment", tuple(_environment(entry))),
    ]
    trial = record.trial
    name = trial.model
    title = f"{name} on {trial.task} with {trial.backend}, seed {trial.seed}"
    return Page(entry.page, title, tuple(sections))


def _head(entry: Entry, results: TaskResults) -> Iterable[Block]:
    record, scalars = entry.record, entry.record.scalars
    yield from _problem(record)
    if not entry.counts:
        yield Paragraph("A later record of the same trial is the one that is ranked.", "note")
    bad = {"parity": breaks_parity(record), "speed": bool(invalid_timing(record))}
    verdicts = [
        Fact(name, TableCell(word, mark="bad" if bad.get(name) else ""))
        for name, word in sorted(record.verdicts.items())
        if name != "gradient"
    ]
    verdicts += [
        Fact(f"gradient {name} training", found.verdict)
        for name, when in zip(("before", "after"), MOMENTS, strict=True)
        if (found := gradient_decay(record, when)) is not None
    ]
    result = [
        Fact(
            f"test {record.primary.replace('_', ' ')}",
            TableCell(scalars[name], mark="best"),
            help=definition(name),
        )
        for name in (f"test/{record.primary}",)
        if name in scalars
    ]
    per_second = sequences_per_second(record)
    speed = [] if per_second is None else [Fact("sequences/s", per_second, "rate", definition(SPEED))]
    left = (
        Fact("trial", record.trial_id),
        Fact("task", TableCell(results.title, page=results.key)),
        Fact("study", entry.study.name),
        Fact("machine", entry.machine.name),
        Fact("started", record.started, "date"),
        Fact("took", record.finished - record.started or None, "seconds"),
    )
    right = (
        *result,
        *speed,
        Fact("status", TableCell(str(record.status), mark="" if record.status is Status.OK else "bad")),
        *verdicts,
        Fact("kernel that ran", record.kernel or None, help="as the framework says"),
        *_way(record),
    )
    yield Grid((Facts("", right), Facts("", left)))


def _way(record: Record) -> Iterable[Fact]:
    way = way_that_ran(record)
    if way is not None:
        yield Fact("way that ran", way.name, help="the unroll, and the backend's choices")
        for name, cost in way.others.items():
            yield Fact(
                name, TableCell(cost, f"{format_number(cost, COST_DIGITS)} times its step", mark="dim")
            )


def _problem(record: Record) -> Iterable[Block]:
    """Why the record is not ranked or not timed, and what else it says of itself."""
    kind, reason = problem(record), problem_reason(record)
    tone: Literal["note", "warning"] = "note" if record.status is Status.SKIPPED else "warning"
    if kind:
        said = "Ranked, but not timed" if is_ranked(record) else "Not ranked"
        yield Paragraph(f"{said} ({kind}): {reason.rstrip('.')}.", tone)
    if record.reason and record.reason.strip() != reason:
        yield Paragraph(record.reason, tone)


def _refused(record: Record, name: str) -> bool:
    """Whether the curve is one of timed rounds that are refused."""
    return bool(invalid_timing(record)) and name.startswith("speed/")


def _reproduce(entry: Entry) -> tuple[Block, ...]:
    return (
        Paragraph("Run it again, and compare every figure with the one recorded here:"),
        reproduce_command(entry.study, entry.record.trial_id),
    )


def _figures(entry: Entry) -> Iterable[Block]:
    groups: dict[str, list[Fact]] = {}
    valid = valid_scalars(entry.record)
    for name, value in sorted(valid.items()):
        group, _, own = name.partition("/")
        groups.setdefault(group, []).append(Fact(own or name, value, form_of(name), definition(name)))
    names = [
        *(name for name in SCALAR_GROUPS if name in groups),
        *(name for name in groups if name not in SCALAR_GROUPS),
    ]
    yield Grid(tuple(Facts(SCALAR_GROUPS.get(name, name), tuple(groups[name])) for name in names))
    left = len(entry.record.scalars) - len(valid)
    if left:
        why = "; ".join(reasons_left_out(entry.record))
        yield Paragraph(
            f"{format_count(left, 'figure')} {'is' if left == 1 else 'are'} left out: {why}.", "note"
        )
    for name, metrics in entry.record.baselines.items():
        facts = tuple(Fact(metric, value) for metric, value in sorted(metrics.items()))
        yield Facts(f"Baseline: {name.replace('_', ' ')}", facts)


def form_of(name: str) -> Form:
    """How a scalar of that name is written."""
    if name.endswith("seconds") or "_seconds_" in name:
        return "seconds"
    if name.endswith("bytes"):
        return "bytes"
    if name.endswith(("share", "share_start", "share_end", "zero_fraction_start", "zero_fraction_end")):
        return "share"
    return "scientific" if name.startswith("parity/") and name.endswith("error") else "number"


def _settings(entry: Entry) -> Iterable[Block]:
    groups: dict[str, list[Fact]] = {}
    for path, value in flatten(entry.record.trial.model_dump(mode="json")):
        group, _, own = path.rpartition(".")
        groups.setdefault(group, []).append(Fact(own, _plain(value)))
    yield Grid(tuple(Facts(name or "trial", tuple(facts)) for name, facts in groups.items()))


def _environment(entry: Entry) -> Iterable[Block]:
    facts = sorted(entry.record.environment.items())
    yield Facts("", tuple(Fact(name, text) for name, text in facts if len(text) <= LONG_FACT))
    long = [name for name, text in facts if len(text) > LONG_FACT]
    if long:
        yield Paragraph((f"{', '.join(long)}: in full on the page ", Link("Methods", "methods"), "."), "note")


def _plain(value: object) -> Value | TableCell:
    if value is None:
        return TableCell(None, "none", mark="dim")
    return value if isinstance(value, str | int | float | bool) else str(value)
