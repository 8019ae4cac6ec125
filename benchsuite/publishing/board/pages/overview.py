"""The first page: the boards, what was published last, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.contracts.report import (
    Block,
    Bullets,
    Column,
    Link,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.publishing.board.pages.changes import common_changes_table, day_cell
from benchsuite.publishing.board.pages.submissions import submissions_table
from benchsuite.publishing.board.pages.suite import machine_answer, machine_title, ranked_tasks
from benchsuite.publishing.board.rows import Board, MachineBoard, SuiteBoard
from benchsuite.publishing.board.told import Told
from benchsuite.report.formatting import format_count
from benchsuite.report.site import Page

MOST_RECENT, MOST_LEVEL_CHANGES, MOST_ANSWERS = 20, 30, 12

WHAT_THEY_SAY = "What they say"


def overview_page(told: Told) -> Page:
    """Boards first."""
    board = told.board
    if not board.submissions:
        empty = Paragraph("Nothing is published here yet.", "note")
        return Page("overview", told.title, (PageSection("", (empty,)),), "", "Boards")
    lead = (f"{published_words(board)}: ", Link("how to read this", "methods"), ".")
    recent = sorted(board.submissions, key=lambda one: -one.published)
    shown = recent[:MOST_RECENT]
    title = "Published last" if len(recent) > len(shown) else "All studies"
    sections = [
        PageSection("Boards", (suites_table(told, board.suites),)),
        *answers_section(board.suites),
        PageSection("Studies", (submissions_table(told, shown, title),)),
    ]
    found = [one for changes in told.changes.values() for one in changes]
    if found:
        sections.append(PageSection("What changed", (common_changes_table(told, found, MOST_LEVEL_CHANGES),)))
    return Page("overview", told.title, tuple(sections), lead, "Boards")


def published_words(board: Board) -> str:
    """How much is published, and what holds of all of it; without the full stop."""
    machines = {row.machine for row in board.rows}
    trials = len({row.record.trial_id for row in board.rows})
    return (
        f"{format_count(len(board.submissions), 'study', 'studies')} of {format_count(trials, 'trial')} on "
        f"{format_count(len(machines), 'machine')}. Every study was judged by the same rules, and every "
        "ranking is of one kind of machine"
    )


def answers_section(suites: Sequence[SuiteBoard]) -> Iterator[PageSection]:
    """What the rankings of each machine say, those with most trials; nothing where nothing is ranked."""
    boards = machine_boards(suites)
    answers = [
        (Link(machine_title(suite, machine), machine.key), ": ", *machine_answer(machine))
        for suite, machine in boards[:MOST_ANSWERS]
    ]
    if answers:
        blocks: list[Block] = [Bullets(tuple(answers))]
        if left := len(boards) - len(answers):
            blocks.append(
                Paragraph(f"{format_count(left, 'more ranking')} on the pages of the boards.", "note")
            )
        yield PageSection(WHAT_THEY_SAY, tuple(blocks))


def machine_boards(suites: Sequence[SuiteBoard]) -> list[tuple[SuiteBoard, MachineBoard]]:
    """Every machine that has a ranking, board by board, within a board those with most trials first."""
    return [(suite, machine) for suite in suites for machine in suite.machines if ranked_tasks(machine)]


def suites_table(told: Told, suites: Sequence[SuiteBoard]) -> Table:
    """One row per board."""
    columns = (
        Column("board"),
        Column(
            "kind",
            help="frozen: a suite with a version, whose trials are the same for everybody; matrix: any",
        ),
        Column("studies", "integer"),
        Column("by", "integer", "names under which they were published"),
        Column("machines", "integer", "kinds of machines with a ranking"),
        Column("trials", "integer", "trials that count: verified, each once"),
        Column("reproduced", "integer", "of them, trials that somebody else ran with the same figures"),
        Column("newest", "date"),
    )
    rows: list[list[Value | TableCell]] = []
    for suite in suites:
        counted = {
            row.record.trial_id: row for one in suite.submissions for row in told.board.of(one) if row.counts
        }
        again = {
            row.record.trial_id
            for one in suite.submissions
            for row in told.board.of(one)
            if row in told.confirmations and told.confirmations[row].by
        }
        rows.append(
            [
                TableCell(suite.name, page=suite.key),
                "frozen" if suite.frozen else "matrix",
                len(suite.submissions),
                len({one.by for one in suite.submissions if one.by}),
                len(suite.machines),
                len(counted),
                len(again),
                day_cell(max(one.published for one in suite.submissions)),
            ]
        )
    return Table("Boards: frozen suites, and matrices of other studies", columns, rows)
