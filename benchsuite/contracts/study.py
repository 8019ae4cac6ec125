"""StudyInfo: what observers are told about the study they watch. StudyReader: what a report reads of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchsuite.schema import Exhibit, Record, Series
from benchsuite.schema.race import RaceResults


@dataclass(frozen=True)
class StudyInfo:
    """A study by name and folder.

    folder    where its study.json, records.jsonl and series/ lie
    settings  the run's settings that plugins may read: `tracking_uri` (a URI, or `none`)
    """

    name: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)


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
        """The latest record of each trial."""

    @property
    def interrupted(self) -> bool:
        """Whether the run that gave these records was interrupted."""

    def description(self) -> dict[str, Any]:
        """What study.json holds: matrix, plugins, environment."""

    def series(self, trial_id: str) -> list[Series]:
        """The curves of a trial."""

    def exhibits(self, trial_id: str) -> list[Exhibit]:
        """What there is to look at of a trial."""

    def races(self) -> list[RaceResults]:
        """The races that were run in this study, oldest first."""
