"""StudyInfo: what observers are told about the study they watch. StudyReader: what a report reads of one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchsuite.schema import Exhibit, Record, Series, Trial
from benchsuite.schema.race import RaceResults

RESULTS_VARIABLE = "BENCHSUITE_RESULTS"


def results_folder(given: str | Path | None = None) -> Path:
    """Where studies lie: as given, or what BENCHSUITE_RESULTS says, or `results` in the working directory."""
    return Path(given or os.environ.get(RESULTS_VARIABLE) or "results").absolute()


@dataclass(frozen=True)
class StudyInfo:
    """A study by name and folder.

    folder    where its study.json, records.jsonl and series/ lie
    settings  the run's settings that plugins may read: `tracking_uri` (a URI, or `none`); `system_metrics` and
              `log_report` (`yes`, where they were asked for)
    labels    trial id -> what the trial is called in this study: no two of its trials have one label
    """

    name: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    def label(self, trial: Trial) -> str:
        """What the trial is called in this study; its own label where it is not among `labels`."""
        return self.labels.get(trial.id, trial.label)


@dataclass(frozen=True)
class Damage:
    """A line of a study's journal that is no record, and so is left out of everything that is read.

    line     counted from 1
    problem  what is wrong with it
    trial    id of its trial, label its name; "" where that cannot be seen
    instead  `earlier` or `later`: there is another record of the trial, which is used; "" for none
    """

    line: int
    problem: str
    trial: str = ""
    label: str = ""
    instead: str = ""

    def sentence(self, study: str) -> str:
        """What every reader says of it; `study` is the name of its study."""
        said = f"line {self.line} of the journal of {study} is no record ({self.problem}) and is left out"
        if not self.trial:
            return f"{said}; its trial cannot be told"
        named = f"{self.trial} ({self.label})" if self.label else self.trial
        used = f"its {self.instead} record is used" if self.instead else "nothing else is recorded of it"
        return f"{said}; its trial is {named}: {used}"


class StudyReader(Protocol):
    """A study that can be read. Nothing here runs or writes anything; every method raises StoreError for a
    file that cannot be read."""

    @property
    def name(self) -> str:
        """The name of the study's folder."""

    @property
    def folder(self) -> Path:
        """Where study.json, records.jsonl and series/ lie."""

    @property
    def records(self) -> Sequence[Record]:
        """The latest record of each trial on each machine."""

    @property
    def interrupted(self) -> bool:
        """Whether the run that gave these records was interrupted."""

    @property
    def damage(self) -> Sequence[Damage]:
        """What the journal holds that is no record."""

    @property
    def origin(self) -> str:
        """The bundle that it was read from; "" for a study's own folder."""

    def description(self) -> dict[str, Any]:
        """What study.json holds: matrix, plugins, environment."""

    def series(self, trial_id: str, attempt: str | None = None) -> list[Series]:
        """The curves of the record of a trial that has this attempt; None: of its latest record."""

    def exhibits(self, trial_id: str, attempt: str | None = None) -> list[Exhibit]:
        """What there is to look at of that record."""

    def races(self) -> list[RaceResults]:
        """The races that were run in this study, oldest first."""
