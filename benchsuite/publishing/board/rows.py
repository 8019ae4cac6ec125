"""A published record with its submission; and the board's records by suite, machine and configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchsuite.analysis.identity import Labels, task_key, task_title
from benchsuite.analysis.machines import Machine
from benchsuite.analysis.ranking import rankings
from benchsuite.contracts import Damage
from benchsuite.publishing.repository.folder import Repository
from benchsuite.publishing.repository.submission import Submission
from benchsuite.report.data import Entry, TaskResults
from benchsuite.report.slugs import UniqueSlugs
from benchsuite.schema import Exhibit, Record, Series
from benchsuite.schema.race import RaceResults


@dataclass(frozen=True, eq=False)
class PublishedRow:
    """A record as it was published.

    repeated  whether an earlier submission holds the same record: it is shown there, and counts there
    """

    submission: Submission
    record: Record
    machine: Machine
    repeated: bool

    @property
    def counts(self) -> bool:
        """Whether it may be ranked and be part of a history."""
        return self.submission.level == "verified" and not self.repeated

    @property
    def page(self) -> str:
        """Key of its configuration's page."""
        return f"configuration:{self.record.trial.configuration_id}"


@dataclass(frozen=True)
class IndexedStudy:
    """A submission as a study that can be read: the index has its records, the curves are in its bundle."""

    name: str
    folder: Path
    records: Sequence[Record] = field(repr=False)
    interrupted: bool = False
    damage: Sequence[Damage] = ()
    origin: str = ""

    def description(self) -> dict[str, Any]:
        return {}

    def series(self, trial_id: str, attempt: str | None = None) -> list[Series]:
        del trial_id, attempt
        return []

    def exhibits(self, trial_id: str, attempt: str | None = None) -> list[Exhibit]:
        del trial_id, attempt
        return []

    def races(self) -> list[RaceResults]:
        return []


@dataclass(frozen=True, eq=False)
class MachineBoard:
    """What one machine ran of one board.

    key      of its page of rankings
    results  tasks with their rankings, of the latest record of each trial
    rows     those that count, by trial id: of each trial the latest
    """

    key: str
    machine: Machine
    results: tuple[TaskResults, ...]
    rows: dict[str, PublishedRow]

    @property
    def submissions(self) -> list[Submission]:
        return list({row.submission.id: row.submission for row in self.rows.values()}.values())


@dataclass(frozen=True, eq=False)
class SuiteBoard:
    """One frozen suite, or one matrix of studies of no suite.

    key  of its page
    """

    key: str
    name: str
    frozen: bool
    submissions: tuple[Submission, ...]
    machines: tuple[MachineBoard, ...]


@dataclass(frozen=True, eq=False)
class Board:
    """All that was published."""

    repository: Repository
    submissions: tuple[Submission, ...]
    rows: tuple[PublishedRow, ...]

    @cached_property
    def suites(self) -> tuple[SuiteBoard, ...]:
        """Frozen suites first, then by name."""
        groups: dict[tuple[bool, str], list[Submission]] = {}
        for one in self.submissions:
            groups.setdefault((not one.suite, one.board), []).append(one)
        names, machine_names = UniqueSlugs(), UniqueSlugs()
        made = []
        for (loose, name), members in sorted(groups.items()):
            key = names.take(name.replace("@", "-"))
            rows = [row for one in members for row in self.of(one) if row.counts]
            machines = tuple(self._machines(key, rows, machine_names))
            made.append(SuiteBoard(f"suite:{key}", name, not loose, tuple(members), machines))
        return tuple(made)

    def _machines(
        self, suite: str, rows: Iterable[PublishedRow], names: UniqueSlugs
    ) -> Iterable[MachineBoard]:
        groups: dict[Machine, list[PublishedRow]] = {}
        for row in rows:
            groups.setdefault(row.machine, []).append(row)
        for machine, members in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0].name)):
            key = f"ranking:{names.take(f'{suite} {machine.name}')}"
            latest = latest_rows(members)
            yield MachineBoard(key, machine, tuple(_results(key, machine, list(latest.values()))), latest)

    @cached_property
    def _by_submission(self) -> dict[str, list[PublishedRow]]:
        found: dict[str, list[PublishedRow]] = {}
        for row in self.rows:
            found.setdefault(row.submission.id, []).append(row)
        return found

    def of(self, submission: Submission) -> list[PublishedRow]:
        """The rows of a submission."""
        return self._by_submission.get(submission.id, [])

    @cached_property
    def configurations(self) -> dict[str, list[PublishedRow]]:
        """Configuration id -> its rows, claimed and repeated ones too, in the order of their publication."""
        found: dict[str, list[PublishedRow]] = {}
        for row in self.rows:
            found.setdefault(row.record.trial.configuration_id, []).append(row)
        return found

    @cached_property
    def label(self) -> Labels:
        """What a trial is called: no two trials of the board have one label."""
        return Labels(row.record.trial for row in self.rows)


def collect_board(repository: Repository) -> Board:
    """Read a results repository. Raises StoreError for a submission that cannot be read."""
    submissions = tuple(repository.submissions())
    rows: list[PublishedRow] = []
    seen: set[tuple[str, str, float, Machine]] = set()
    for one in submissions:
        for record, machine in repository.records(one):
            # a claim must not take the place of the same record in a study that is verified
            known = (record.trial_id, record.attempt, record.finished, machine)
            repeated = known in seen
            if one.level == "verified":
                seen.add(known)
            rows.append(PublishedRow(one, record, machine, repeated))
    return Board(repository, submissions, tuple(rows))


def latest_rows(rows: Iterable[PublishedRow]) -> dict[str, PublishedRow]:
    """Trial id -> the row whose record ended last. :param rows: of one machine."""
    found: dict[str, PublishedRow] = {}
    for row in rows:
        known = found.get(row.record.trial_id)
        if known is None or row.record.finished >= known.record.finished:
            found[row.record.trial_id] = row
    return found


def _results(key: str, machine: Machine, rows: Sequence[PublishedRow]) -> Iterable[TaskResults]:
    groups: dict[str, list[PublishedRow]] = {}
    for row in rows:
        groups.setdefault(task_key(row.record.trial), []).append(row)
    trials = [group[0].record.trial for group in groups.values()]
    for members in groups.values():
        study = IndexedStudy(members[0].submission.name, Path(), [row.record for row in members])
        entries = tuple(Entry(study, row.record, machine, row.page) for row in members)
        ranked = rankings(row.record for row in members)
        title = task_title(members[0].record.trial, trials)
        yield TaskResults(key, title, machine, entries, ranked[0] if ranked else None)
