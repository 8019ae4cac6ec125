"""ReportData: the records of the studies that a report is made of, by machine and by what may be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from benchsuite.analysis.identity import Labels, task_key, task_title
from benchsuite.analysis.machines import Machine, described_machine, machines_of
from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.analysis.runs import Run
from benchsuite.contracts.study import StudyReader
from benchsuite.errors import StoreError
from benchsuite.report.slugs import UniqueSlugs
from benchsuite.schema import Exhibit, Record, Series


@dataclass(frozen=True, eq=False)
class Entry:
    """A record in its study.

    page    key of the trial's page
    counts  whether it is the one that is ranked: of several records of one trial on one machine, the latest is
    """

    study: StudyReader
    record: Record
    machine: Machine
    page: str
    counts: bool = True

    def series(self) -> list[Series]:
        """The trial's curves, read anew each time. Raises StoreError."""
        return self.study.series(self.record.trial_id, self.record.attempt)

    def exhibits(self) -> list[Exhibit]:
        return self.study.exhibits(self.record.trial_id, self.record.attempt)


@dataclass(frozen=True, eq=False)
class TaskResults:
    """Trials that may be compared: one machine, task, source and set of options.

    key      key of its page
    title    `time_series / etth1 horizon=24`: with the options that tell it from other tasks
    ranking  None where no trial has a result
    """

    key: str
    title: str
    machine: Machine
    entries: tuple[Entry, ...]
    ranking: Ranking | None

    @property
    def records(self) -> list[Record]:
        """The records that count in rankings."""
        return [entry.record for entry in self.entries if entry.counts]

    def curves(self, record: Record) -> Sequence[Series]:
        """The curves of a record that counts; none where they cannot be read."""
        try:
            return self._counted[record.trial_id].series()
        except (KeyError, StoreError):
            return []

    def exhibits(self, record: Record) -> list[Exhibit]:
        """The exhibits of a record that counts. Raises StoreError where they cannot be read."""
        return self._counted[record.trial_id].exhibits()

    @cached_property
    def _counted(self) -> dict[str, Entry]:
        return {entry.record.trial_id: entry for entry in self.entries if entry.counts}

    @cached_property
    def pages(self) -> dict[str, str]:
        """Trial id -> key of its page."""
        return {trial_id: entry.page for trial_id, entry in self._counted.items()}


@dataclass(frozen=True, eq=False)
class ReportData:
    """The whole report's records. `machines` are in the order of their first trials, as are `tasks`."""

    studies: tuple[StudyReader, ...]
    entries: tuple[Entry, ...]
    tasks: tuple[TaskResults, ...]
    descriptions: tuple[dict[str, object], ...] = field(repr=False)
    """study.json of each study."""

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        return tuple(dict.fromkeys(entry.machine for entry in self.entries))

    @property
    def records(self) -> list[Record]:
        """The records that count in rankings."""
        return [entry.record for entry in self.entries if entry.counts]

    @cached_property
    def label(self) -> Labels:
        """What a trial is called, so that no two trials of the report have one label."""
        return Labels(entry.record.trial for entry in self.entries)

    def task_of(self, ranking: Ranking) -> TaskResults:
        """The task that a ranking is of."""
        return next(results for results in self.tasks if results.ranking is ranking)

    def entries_of(self, runs: Iterable[Run]) -> list[Entry]:
        """The entries of the tasks that the runs are of."""
        tasks = dict.fromkeys(self.task_of(run.ranking) for run in runs)
        return [entry for results in tasks for entry in results.entries]

    @property
    def repeated(self) -> int:
        """Records that do not count, because a later one of the same trial and machine does."""
        return sum(not entry.counts for entry in self.entries)

    @property
    def name(self) -> str:
        """`quick`, or `quick + paper`."""
        return " + ".join(study.name for study in self.studies)


def collect(studies: Sequence[StudyReader]) -> ReportData:
    """Bring studies together. Raises StoreError for a study.json that cannot be read."""
    descriptions = tuple(study.description() for study in studies)
    machines = [
        machines_of(study.records, described_machine(description))
        for study, description in zip(studies, descriptions, strict=True)
    ]
    found = [
        (study, record, machine)
        for study, homes in zip(studies, machines, strict=True)
        for record, machine in zip(study.records, homes, strict=True)
    ]
    latest: dict[tuple[str, Machine], float] = {}
    for _, record, machine in found:
        known = (record.trial_id, machine)
        latest[known] = max(latest.get(known, record.finished), record.finished)
    entries: list[Entry] = []
    counted: set[tuple[str, Machine]] = set()
    for study, record, machine in found:
        known = (record.trial_id, machine)
        counts = known not in counted and record.finished == latest[known]
        if counts:
            counted.add(known)
        entries.append(Entry(study, record, machine, "", counts))
    pages = _pages(entries)
    entries = [replace(entry, page=page) for entry, page in zip(entries, pages, strict=True)]
    return ReportData(tuple(studies), tuple(entries), tuple(_by_task(entries)), descriptions)


def _pages(entries: Sequence[Entry]) -> list[str]:
    """`trial:<id>` for the first record of a trial, the ones that count before others; numbered after that.

    An id is sixteen hexadecimal digits; a journal that was tampered with may hold anything.
    """
    names = UniqueSlugs()
    pages: dict[Entry, str] = {}
    for entry in sorted(entries, key=lambda entry: not entry.counts):
        pages[entry] = f"trial:{names.take(entry.record.trial_id)}"
    return [pages[entry] for entry in entries]


def _by_task(entries: Sequence[Entry]) -> Iterable[TaskResults]:
    groups: dict[tuple[Machine, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.machine, task_key(entry.record.trial)), []).append(entry)
    several = len({machine for machine, _ in groups}) > 1
    first = [group[0].record.trial for group in groups.values()]
    names = UniqueSlugs()
    for (machine, _), members in groups.items():
        title = task_title(members[0].record.trial, first)
        if several:
            title = f"{title} on {machine.name}"
        ranked = rankings(entry.record for entry in members if entry.counts)
        yield TaskResults(
            f"task:{names.take(title)}", title, machine, tuple(members), ranked[0] if ranked else None
        )
