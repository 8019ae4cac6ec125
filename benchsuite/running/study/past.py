"""Records of the other studies in the results folder, from which times are expected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchsuite.analysis.expected_time import ExpectedTime, TimeEstimator
from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.errors import StoreError
from benchsuite.measure.provenance import hardware
from benchsuite.running.store import JOURNAL, StudyStore
from benchsuite.running.study.product_rate import product_rate
from benchsuite.schema import Record, Trial

MOST_JOURNAL_BYTES = 64 * 2**20
"""Of journals that are read, the newest ones first: some 20,000 records."""
MOST_READING_SECONDS = 3.0
"""No further journal is read after that long."""


class PastTimes:
    """Expects times from the records of a study, and from those of the other studies beside it where the study
    does not know a configuration."""

    def __init__(self, folder: Path, records: Sequence[Record], elsewhere: bool = False) -> None:
        """
        :param folder: the study's own.
        :param records: its records.
        :param elsewhere: the trials run on other machines than this one, of which nothing is known.
        """
        self._folder, self._records, self._elsewhere = folder, records, elsewhere

    def __call__(self, trials: Sequence[Trial]) -> list[ExpectedTime | None]:
        """The expected time of each trial; None where nothing is known of any."""
        if not trials:
            return []
        here = Machine() if self._elsewhere else machine_of(hardware())
        estimator = TimeEstimator(here, product_rate)
        estimator.add(self._records)
        if not all(map(estimator.knows, trials)):
            self._read_others(estimator)
        return [estimator.expected(trial) for trial in trials]

    def _read_others(self, estimator: TimeEstimator) -> None:
        left, end = MOST_JOURNAL_BYTES, time.monotonic() + MOST_READING_SECONDS
        for journal in _newest_first(self._folder):
            left -= journal.stat().st_size
            if left < 0 or time.monotonic() > end:
                return
            try:
                store = StudyStore.open(journal.parent)
                records, _ = store.history()  # of damage, those who show the study speak
                estimator.add(records, store.home)
            except (StoreError, OSError):
                continue


def _newest_first(folder: Path) -> list[Path]:
    found = []
    for journal in folder.parent.glob(f"*/{JOURNAL}"):
        try:
            if journal.parent != folder:
                found.append((journal.stat().st_mtime, journal))
        except OSError:
            continue
    return [journal for _, journal in sorted(found, reverse=True)]
