"""The first page of a board in one document, for those who read the repository and not the site: what was
published, and of each ranking its answer, its figures, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchsuite.contracts.report import Block, Command, Fact, Facts, PageSection, Paragraph
from benchsuite.errors import StoreError
from benchsuite.publishing.board.pages.overview import (
    WHAT_THEY_SAY,
    machine_boards,
    overview_page,
    published_words,
)
from benchsuite.publishing.board.pages.submissions import backends_words, suite_words
from benchsuite.publishing.board.pages.suite import (
    machine_answer,
    machine_title,
    models_by_tasks,
    task_cards,
)
from benchsuite.publishing.board.rows import MachineBoard, SuiteBoard
from benchsuite.publishing.board.told import Told
from benchsuite.publishing.repository.folder import BUNDLE, VERIFICATION
from benchsuite.publishing.repository.submission import Submission
from benchsuite.publishing.verdict import Verification
from benchsuite.report.formatting import format_count, format_value
from benchsuite.report.pages.backends_races import races_table
from benchsuite.report.site import Page
from benchsuite.running.store import STUDIES_FOLDER

MOST_RANKINGS = 12
"""Rankings that are printed in full; the site has all of them."""


def front_page(told: Told) -> Page:
    """The overview, then ranking by ranking, each with its answer."""
    overview = overview_page(told)
    boards = machine_boards(told.board.suites)
    sections = [
        *(one for one in overview.sections if one.title != WHAT_THEY_SAY),
        *(PageSection(machine_title(*one), tuple(_ranking(told, *one))) for one in boards[:MOST_RANKINGS]),
    ]
    if len(boards) > MOST_RANKINGS:
        more = f"{format_count(len(boards) - MOST_RANKINGS, 'more ranking')} on the site."
        sections.append(PageSection("More", (Paragraph(more, "note"),)))
    if not told.address and told.board.submissions:  # there is no page to lead to
        overview = replace(overview, lead=f"{published_words(told.board)}.")
    return replace(overview, sections=tuple(sections))


def _ranking(told: Told, suite: SuiteBoard, machine: MachineBoard) -> Iterator[Block]:
    yield Paragraph(machine_answer(machine))
    yield from (_facts(told, one) for one in machine.submissions)
    yield from models_by_tasks(machine)
    yield task_cards(machine)
    yield from races_table(told.races(machine), machine.machine)
    yield Command(commands(suite, machine.submissions[-1]))


def _facts(told: Told, submission: Submission) -> Facts:
    """One study in a line."""
    try:
        path = told.board.repository.study(submission.id) / VERIFICATION
        judged = Verification.read(path).sentence.removeprefix("verified: ")
    except StoreError as error:
        judged = str(error)
    facts = (
        Fact("level", told.levels[submission.id].words),
        Fact("rules", judged),
        Fact("trials", submission.trials, "integer"),
        Fact("ranked", submission.ranked, "integer"),
        Fact("first trial began", submission.first or None, "date"),
        Fact("last trial ended", submission.last or None, "date"),
        Fact("benchsuite", suite_words(submission)),
        Fact("backends", backends_words(submission)),
        Fact("bundle", format_value(submission.bundle_bytes, form="bytes")),
    )
    return Facts(submission.id, facts)


def commands(suite: SuiteBoard, submission: Submission) -> str:
    """What a reader can type in the repository's folder."""
    bundle = f"{STUDIES_FOLDER}/{submission.id}/{BUNDLE}"
    run = [f"benchsuite run {suite.name}"] if suite.frozen else []
    return "\n".join(
        [
            *run,
            f"benchsuite reproduce {bundle}",
            f"benchsuite verify {bundle}",
            f"benchsuite report {bundle} --output report",
        ]
    )
