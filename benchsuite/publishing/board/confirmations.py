"""Who else got the same: the level of a published record beyond *verified*."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchsuite.analysis.reproduction import Likeness, compare_records
from benchsuite.analysis.validity import is_ranked
from benchsuite.publishing.board.rows import PublishedRow
from benchsuite.publishing.repository.submission import Submission
from benchsuite.report.formatting import format_count


@dataclass(frozen=True)
class Confirmation:
    """What others found who ran the trial of a row.

    by       names whose figures are bit-equal or within the tolerance of a reproduction
    against  names whose figures differ by more
    """

    by: frozenset[str] = frozenset()
    against: frozenset[str] = frozenset()


NOBODY = Confirmation()


def confirmations(rows: Iterable[PublishedRow]) -> dict[PublishedRow, Confirmation]:
    """What others found of each row that counts and that anybody else ran.

    Others are names other than the row's own; rows without a name are nobody's. The figures compared are those
    of analysis.reproduction, without the curves. Rows of a trial are compared with the first one that they
    agree with, not each with each.
    """
    groups: dict[str, list[PublishedRow]] = {}
    for row in rows:
        if row.counts and row.submission.by and is_ranked(row.record):
            groups.setdefault(row.record.trial_id, []).append(row)
    found: dict[PublishedRow, Confirmation] = {}
    for members in groups.values():
        if len({row.submission.by for row in members}) < 2:
            continue
        alike = _alike(members)
        names = [frozenset(row.submission.by for row in group) for group in alike]
        everyone = frozenset().union(*names)
        for group, own in zip(alike, names, strict=True):
            for row in group:
                me = {row.submission.by}
                found[row] = Confirmation(own - me, everyone - own - me)
    return found


def _alike(rows: Sequence[PublishedRow]) -> list[list[PublishedRow]]:
    """Rows of one trial in groups of equal figures; a row joins the group whose first row it agrees with."""
    groups: list[list[PublishedRow]] = []
    for row in rows:
        for group in groups:
            if compare_records(group[0].record, (), row.record).likeness is not Likeness.DIFFERENT:
                group.append(row)
                break
        else:
            groups.append([row])
    return groups


def level_words(row: PublishedRow, found: Confirmation) -> str:
    """`claimed`, `verified`, or `reproduced by 2 others`."""
    if row.submission.level == "claimed":
        return "claimed"
    return f"reproduced by {format_count(len(found.by), 'other')}" if found.by else "verified"


@dataclass(frozen=True)
class SubmissionLevel:
    """How far a submission is confirmed.

    by        names that reproduced at least one of its trials and contradict none
    against   names that got something else of at least one
    trials    ranked trials that at least one other name reproduced, of `ranked`
    """

    submission: Submission
    by: frozenset[str]
    against: frozenset[str]
    trials: int
    ranked: int

    @property
    def words(self) -> str:
        """`claimed`, `verified`, or `reproduced by 2 others`."""
        if self.submission.level == "claimed":
            return "claimed"
        return f"reproduced by {format_count(len(self.by), 'other')}" if self.by else "verified"

    @property
    def colour(self) -> str:
        """Of its badge."""
        if self.submission.level == "claimed":
            return "lightgrey"
        return "brightgreen" if self.by else "green"


def submission_level(
    submission: Submission, rows: Sequence[PublishedRow], found: dict[PublishedRow, Confirmation]
) -> SubmissionLevel:
    """The level of a submission, from its rows."""
    told = [found.get(row, NOBODY) for row in rows if is_ranked(row.record)]
    against = frozenset().union(*(one.against for one in told))
    by = frozenset().union(*(one.by for one in told)) - against
    return SubmissionLevel(submission, by, against, sum(bool(one.by & by) for one in told), len(told))
