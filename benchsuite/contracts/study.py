"""StudyInfo: what observers are told about the study they watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class StudyInfo:
    """A study by name and folder.

    folder    where its study.json, records.jsonl and series/ lie
    settings  the run's settings that plugins may read: `tracking_uri` (a URI, or `none`)
    """

    name: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
