"""Published records that a study can be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.analysis.identity import pair_key
from benchsuite.analysis.machines import Machine
from benchsuite.analysis.validity import is_ranked
from benchsuite.publishing.board.rows import PublishedRow, collect_board
from benchsuite.publishing.repository.folder import Repository
from benchsuite.schema import Record


@dataclass(frozen=True)
class Comparable:
    """Of each trial of a study the published record that it is compared with.

    rows     in the order of the study's records
    foreign  of them, those of other machines: their metrics are compared and their speeds are not
    """

    rows: tuple[PublishedRow, ...]
    foreign: int

    @property
    def records(self) -> list[Record]:
        return [row.record for row in self.rows]

    @property
    def sources(self) -> list[str]:
        """`quick-0123456789ab (Ada, verified)`: the submissions that the rows are of."""
        found = {row.submission.id: row.submission for row in self.rows}
        return [f"{one.id} ({', '.join(filter(None, (one.by, one.level)))})" for one in found.values()]


def comparable(repository: Repository, mine: Sequence[Record], machines: Sequence[Machine]) -> Comparable:
    """For each of `mine` that is published by somebody the latest verified record of the same trial, of the
    same machine where one there ran it. The study's own records are not compared with themselves.

    Where any trial has a published record of its machine, trials that have none are left out: one comparison is
    of one kind of hardware, or speeds would be compared nowhere.

    :param machines: of each of `mine`. Raises StoreError for a repository that cannot be read.
    """
    own = {(record.trial_id, record.attempt, record.finished) for record in mine}
    published: dict[str, list[PublishedRow]] = {}
    for row in collect_board(repository).rows:
        known = row.record.trial_id, row.record.attempt, row.record.finished
        if row.counts and is_ranked(row.record) and known not in own:
            published.setdefault(pair_key(row.record.trial, ()), []).append(row)
    here: list[PublishedRow] = []
    elsewhere: list[PublishedRow] = []
    for record, machine in zip(mine, machines, strict=True):
        rows = sorted(published.get(pair_key(record.trial, ()), []), key=lambda row: row.record.finished)
        same = [row for row in rows if row.machine == machine]
        here += same[-1:]
        elsewhere += [] if same else rows[-1:]
    rows = here or elsewhere
    return Comparable(tuple({id(row): row for row in rows}.values()), 0 if here else len(rows))
