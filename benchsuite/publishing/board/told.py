"""Told: the board with all that its pages say of it, found once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from benchsuite.analysis.identity import run_key, task_key
from benchsuite.publishing.board.accepted import Accepted
from benchsuite.publishing.board.change_points import is_available
from benchsuite.publishing.board.confirmations import (
    NOBODY,
    Confirmation,
    SubmissionLevel,
    confirmations,
    level_words,
    submission_level,
)
from benchsuite.publishing.board.history import History, LevelChange, changes_of, history
from benchsuite.publishing.board.rows import Board, MachineBoard, PublishedRow
from benchsuite.publishing.repository.submission import Submission
from benchsuite.schema import Trial
from benchsuite.schema.race import RaceResults


@dataclass(frozen=True, eq=False)
class Told:
    """A board and its findings.

    title     of the site
    address   where the site will be published, "" where that is not known
    """

    board: Board
    accepted: Sequence[Accepted]
    title: str
    address: str

    @cached_property
    def confirmations(self) -> dict[PublishedRow, Confirmation]:
        return confirmations(self.board.rows)

    @cached_property
    def levels(self) -> dict[str, SubmissionLevel]:
        """Submission id -> its level."""
        return {
            one.id: submission_level(one, self.board.of(one), self.confirmations)
            for one in self.board.submissions
        }

    @cached_property
    def histories(self) -> dict[str, History]:
        """Configuration id -> its history; those without a row that counts are left out."""
        return {
            name: told for name, rows in self.board.configurations.items() if (told := history(rows)).lines
        }

    @cached_property
    def changes(self) -> dict[str, list[LevelChange]]:
        """Configuration id -> its changes; empty where ruptures is not installed."""
        if not is_available():
            return {}
        found = {name: changes_of(told, self.accepted) for name, told in self.histories.items()}
        return {name: changes for name, changes in found.items() if changes}

    @cached_property
    def _kinds(self) -> dict[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for name, rows in self.board.configurations.items():
            found.setdefault(_kind(rows[0].record.trial), []).append(name)
        return found

    def near(self, name: str) -> list[str]:
        """Other configurations of the same task, cell, architecture, backend and execution: another size or
        recipe, as a later version of a suite has it."""
        trial = self.board.configurations[name][0].record.trial
        return [other for other in self._kinds[_kind(trial)] if other != name]

    def races(self, machine: MachineBoard) -> list[RaceResults]:
        """The races of the studies whose records are ranked on a machine. Raises StoreError."""
        return [race for one in machine.submissions for race in self.board.repository.races(one)]

    def level(self, row: PublishedRow) -> str:
        """`claimed`, `verified`, or `reproduced by 2 others`."""
        return level_words(row, self.confirmations.get(row, NOBODY))

    def submission_page(self, submission: Submission) -> str:
        return f"submission:{submission.id}"


def _kind(trial: Trial) -> tuple[str, str, str]:
    return task_key(trial), trial.model, run_key(trial)


def bundle_path(submission: Submission) -> str:
    """Where the bundle lies below the site."""
    return f"bundles/{submission.id}.crate.zip"


def badge_path(submission: Submission) -> str:
    return f"badges/{submission.id}.json"


def citation_path(submission: Submission) -> str:
    return f"citations/{submission.id}.bib"
