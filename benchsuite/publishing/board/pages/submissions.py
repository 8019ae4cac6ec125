"""Tables of submissions, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.analysis.exclusions import exclusions
from benchsuite.analysis.identity import Labels
from benchsuite.analysis.versions import version_words
from benchsuite.contracts.report import (
    Column,
    Command,
    Fact,
    Facts,
    Link,
    Mark,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.errors import StoreError
from benchsuite.publishing.board.citations import bibtex
from benchsuite.publishing.board.confirmations import SubmissionLevel
from benchsuite.publishing.board.pages.changes import day_cell
from benchsuite.publishing.board.told import Told, badge_path, bundle_path, citation_path
from benchsuite.publishing.repository.folder import VERIFICATION
from benchsuite.publishing.repository.submission import Submission
from benchsuite.publishing.verdict import STATUS_WORDS, Verification
from benchsuite.report.formatting import format_count, format_list, format_value
from benchsuite.report.site import Page

MOST_MACHINES = 3
RULE_MARKS: dict[str, Mark] = {"fail": "bad", "warn": "unsure", "not_applicable": "dim"}


def submissions_table(told: Told, submissions: Sequence[Submission], title: str) -> Table:
    """One row per study; without their boards where they are all of one."""
    several = len({one.board for one in submissions}) > 1
    boards = {one.id: suite for suite in told.board.suites for one in suite.submissions}
    columns = (
        Column("study"),
        *([Column("board", filter=True)] if several else []),
        Column("published", "date"),
        Column("by", filter=True, help="the name under which it was published"),
        Column("level", help="claimed, verified, or reproduced by how many others"),
        Column("machine", filter=True),
        Column("trials", "integer"),
        Column("bundle", "mixed", "the whole study in one file: records, curves, environment"),
        Column("backends", help="the versions of their frameworks are on the page of the study"),
    )
    rows: list[list[Value | TableCell]] = [
        [
            TableCell(one.id, page=told.submission_page(one)),
            *([TableCell(one.board, page=boards[one.id].key)] if several else []),
            day_cell(one.published),
            one.by or TableCell("", title="published without a name"),
            level_cell(told, one),
            format_list(one.machines, most=MOST_MACHINES),
            one.trials,
            bundle_cell(one),
            ", ".join(sorted({row.record.trial.backend for row in told.board.of(one)})),
        ]
        for one in submissions
    ]
    return Table(title, columns, rows)


def bundle_cell(submission: Submission) -> TableCell:
    """The size of the bundle, which leads to its file."""
    size = format_value(submission.bundle_bytes, form="bytes")
    return TableCell(submission.bundle_bytes, size, page=f"file:{bundle_path(submission)}")


def level_cell(told: Told, submission: Submission) -> TableCell:
    """The level of a submission, with who contradicts it."""
    found = told.levels[submission.id]
    mark: Mark = "dim" if submission.level == "claimed" else ""
    text = found.words
    if found.against:
        text += f", contradicted by {len(found.against)}"
        mark = "bad"
    names = format_list(sorted(found.by), most=8)
    title = f"{found.trials} of {found.ranked} ranked trials, by {names}" if names else ""
    return TableCell(text, mark=mark, title=title)


def suite_words(submission: Submission) -> str:
    """`0.1.1.dev745 (commit 4ae3caf98)`; of several versions all."""
    return ", ".join(map(version_words, filter(None, submission.suite_version.split("/"))))


def backends_words(submission: Submission) -> str:
    """`torch 2.13.0, jax 0.10.2`."""
    return ", ".join(f"{name} {'/'.join(versions)}" for name, versions in submission.frameworks.items())


def submission_page(told: Told, submission: Submission) -> Page:
    """What was published, how it was judged, how to run it again and how to cite it."""
    rows = told.board.of(submission)
    level = told.levels[submission.id]
    suite = next(one for one in told.board.suites if submission in one.submissions)
    facts = (
        Fact("level", level_cell(told, submission), help="see the page How to read this"),
        Fact("published by", submission.by or "no name given"),
        Fact("published", submission.published, "date"),
        Fact("board", TableCell(suite.name, page=suite.key)),
        *([Fact("reproduces", submission.reproduces)] if submission.reproduces else []),
        Fact("machine", format_list(submission.machines)),
        Fact("frameworks", backends_words(submission)),
        Fact("benchsuite", suite_words(submission) or "not stated"),
        Fact("trials", submission.trials, "integer"),
        Fact("ranked", submission.ranked, "integer", "ended well, and agree with the float64 reference"),
        Fact("first trial began", submission.first, "date"),
        Fact("last trial ended", submission.last, "date"),
        Fact("licence", submission.licence or "as its bundle says"),
        Fact(
            "content",
            submission.content,
            help="SHA-256 of what was measured; its first digits are in the name",
        ),
        Fact("file", submission.bundle, help="SHA-256 of the bundle"),
    )
    name = bundle_path(submission).partition("/")[2]
    again = (
        Paragraph(
            (
                "Download ",
                Link(name, f"file:{bundle_path(submission)}"),
                ", and run every ranked trial again:",
            )
        ),
        Command(f"benchsuite reproduce {name}"),
        Paragraph("or judge it yourself, look at it, and publish what you got:"),
        Command(
            f"benchsuite verify {name}\nbenchsuite report {name}\n"
            f"benchsuite reproduce {name} --output again\nbenchsuite publish again --as NAME --to REPOSITORY"
        ),
    )
    cite = (
        Command(bibtex(submission, told.title, told.address).strip()),
        Paragraph(("As a file: ", Link("BibTeX", f"file:{citation_path(submission)}"), ".")),
        Paragraph(("For a README: ", Link("badge", f"file:{badge_path(submission)}"), " of shields.io.")),
        Command(badge_words(submission, told.address)),
    )
    labels = Labels(row.record.trial for row in rows)
    sections = [
        PageSection("What it is", (Facts("", facts),)),
        PageSection("How it was judged", _judged(told, submission)),
        PageSection("Run it again", again),
        PageSection("Trials", (_trials(told, submission, labels), *_left_out(told, submission, labels))),
        PageSection("Cite it", cite),
    ]
    lead = (
        f"{format_count(submission.trials, 'trial')} on "
        f"{format_list(submission.machines, most=MOST_MACHINES)}: "
        f"{level.words}{_share_words(level)}."
    )
    return Page(told.submission_page(submission), submission.id, tuple(sections), lead)


def _share_words(level: SubmissionLevel) -> str:
    if not level.by or level.trials == level.ranked:
        return ""
    return f" ({level.trials} of {format_count(level.ranked, 'ranked trial')})"


def badge_words(submission: Submission, address: str) -> str:
    """Markdown of the badge."""
    site = address.rstrip("/") or "https://ADDRESS-OF-THIS-SITE"
    return (
        f"[![benchsuite](https://img.shields.io/endpoint?url={site}/{badge_path(submission)})]"
        f"({site}/submissions/{submission.id}.html)"
    )


def _judged(told: Told, submission: Submission) -> tuple[Paragraph | Table, ...]:
    try:
        verdicts = Verification.read(told.board.repository.study(submission.id) / VERIFICATION).rules
    except StoreError as error:
        return (Paragraph(f"{error}", "warning"),)
    rows: list[list[Value | TableCell]] = [
        [one.rule, TableCell(STATUS_WORDS[one.status], mark=RULE_MARKS.get(one.status, "")), one.summary]
        for one in verdicts
    ]
    columns = (Column("rule"), Column("verdict"), Column("what was found"))
    return (Table("Rules of benchsuite verify, when it was published", columns, rows),)


def _trials(told: Told, submission: Submission, labels: Labels) -> Table:
    columns = (
        Column("trial", help="leads to the history of its configuration"),
        Column("status", filter=True),
        Column("metric"),
        Column("value", "mixed"),
        Column("level", filter=True),
        Column("id"),
    )
    rows: list[list[Value | TableCell]] = []
    for row in told.board.of(submission):
        record = row.record
        rows.append(
            [
                TableCell(labels(record.trial), page=row.page),
                str(record.status),
                record.primary,
                record.scalars.get(f"test/{record.primary}"),
                "published before" if row.repeated else told.level(row),
                record.trial_id,
            ]
        )
    return Table("Its trials", columns, rows)


def _left_out(told: Told, submission: Submission, labels: Labels) -> tuple[Table, ...]:
    found = exclusions(row.record for row in told.board.of(submission))
    if not found:
        return ()
    rows: list[list[Value | TableCell]] = [
        [one.kind, len(one.records), labels(one.records[0].trial), one.reason] for one in found
    ]
    columns = (Column("kind"), Column("trials", "integer"), Column("for example"), Column("reason"))
    return (Table("Trials that are not ranked, or whose timing is refused", columns, rows),)
