"""Submission: a published study as its summary tells it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from benchsuite.analysis.machines import Machine
from benchsuite.analysis.validity import is_ranked
from benchsuite.analysis.versions import framework_version, suite_version
from benchsuite.errors import StoreError
from benchsuite.report.slugs import slug
from benchsuite.running.store import JOURNAL, PARTIAL, STUDY_FOLDERS
from benchsuite.running.study.again import REPRODUCES
from benchsuite.schema import Record

SUMMARY = "summary.json"
Level = Literal["claimed", "verified"]
PublishedTime = Annotated[float, Field(ge=0, lt=2.5e11)]
"""POSIX seconds that are a date."""
CONTENT_DIGITS = 12
"""Hexadecimal digits of a submission's id that come from its content."""


class Submission(BaseModel):
    """A published study, as studies/<id>/summary.json holds it.

    id          name of its folder: the study's name and the first digits of `content`
    content     SHA-256 of what was measured, see content_digest()
    suite       the frozen suite, `quick@1`; "" for a study of none
    matrix      name of the matrix that asked for its trials
    by          the name under which it was published; "" where none was given
    published   POSIX seconds
    level       `claimed`: it was published although its verification failed
    frameworks  backend -> versions of its framework
    reproduces  name of the study whose trials it ran again; "" for a study of its own
    bundle      SHA-256 of the bundle's file
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    format: Literal[1] = 1
    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,80}$")]
    content: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    name: Annotated[str, Field(max_length=200)]
    suite: Annotated[str, Field(max_length=100)] = ""
    matrix: Annotated[str, Field(max_length=200)] = ""
    by: Annotated[str, Field(max_length=100)] = ""
    licence: Annotated[str, Field(max_length=200)] = ""
    published: PublishedTime
    level: Level
    trials: NonNegativeInt
    ranked: NonNegativeInt
    machines: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    frameworks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    suite_version: str = ""
    first: PublishedTime = 0.0
    last: PublishedTime = 0.0
    reproduces: Annotated[str, Field(max_length=200)] = ""
    bundle: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bundle_bytes: NonNegativeInt

    @property
    def board(self) -> str:
        """The board that it belongs to: its frozen suite, or its matrix."""
        return self.suite or self.matrix or self.name


def content_digest(folder: Path) -> str:
    """SHA-256 of what a study measured: of its journal and of the files beside it, but not of study.json,
    which a run that has nothing to do writes again. The digest is that of the lines `<SHA-256 of the file>
    <path>` in the order of their paths, as `sha256sum` prints them.

    :param folder: the study's.
    """
    found = [folder / JOURNAL, *(path for name in STUDY_FOLDERS for path in (folder / name).glob("*"))]
    names = {
        path.relative_to(folder).as_posix(): path
        for path in found
        if path.is_file() and not path.name.endswith(PARTIAL)
    }
    lines = [f"{hashlib.sha256(names[name].read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def submission_id(name: str, content: str) -> str:
    """`quick-0123456789ab`: equal for equal content, whoever publishes it and when."""
    return f"{slug(name)[:48].strip('-') or 'study'}-{content[:CONTENT_DIGITS]}"


def summarised(
    records: Sequence[Record],
    machines: Sequence[Machine],
    description: Mapping[str, object],
    *,
    content: str,
    name: str,
    suite: str,
    by: str,
    licence: str,
    published: float,
    level: Level,
    bundle: Path,
) -> Submission:
    """The summary of a study. :param machines: of each record. :param description: what study.json holds."""
    frameworks: dict[str, set[str]] = {}
    for record in records:
        if version := framework_version(record):
            frameworks.setdefault(record.trial.backend, set()).add(version)
    matrix = description.get("matrix")
    ends = [record.finished for record in records if record.finished]
    reproduces = description.get(REPRODUCES)
    return Submission(
        id=submission_id(name, content),
        content=content,
        name=name[:200],
        suite=suite,
        matrix=str(matrix.get("name") or "")[:200] if isinstance(matrix, dict) else "",
        by=by,
        licence=licence,
        published=published,
        level=level,
        trials=len({record.trial_id for record in records}),
        ranked=sum(map(is_ranked, records)),
        machines=tuple(dict.fromkeys(machine.name for machine in machines)),
        tasks=tuple(dict.fromkeys(f"{one.trial.task} / {one.trial.source}" for one in records)),
        frameworks={name: tuple(sorted(found)) for name, found in sorted(frameworks.items())},
        suite_version=suite_version(description)[:200],
        first=min((record.started for record in records if record.started), default=0.0),
        last=max(ends, default=0.0),
        reproduces=str(reproduces.get("name", ""))[:200] if isinstance(reproduces, dict) else "",
        bundle=hashlib.sha256(bundle.read_bytes()).hexdigest(),
        bundle_bytes=bundle.stat().st_size,
    )


def read_submission(folder: Path) -> Submission:
    """The summary in a submission's folder. Raises StoreError for one that cannot be read, or that is another
    folder's, and for links among its files."""
    path = folder / SUMMARY
    check_plain(folder, *folder.iterdir())
    try:
        found = Submission.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        told = f"{error.error_count()} fields do not fit" if isinstance(error, ValidationError) else error
        raise StoreError(f"{path} cannot be read: {told}") from error
    if found.id != folder.name:
        raise StoreError(f"{path} is the summary of {found.id}, and lies in the folder of {folder.name}")
    return found


def check_plain(*paths: Path) -> None:
    """Raise StoreError for a link among `paths`: in a pull request it could name any file of the machine that
    makes the site."""
    for path in paths:
        if path.is_symlink():
            raise StoreError(f"{path} is a link; a results repository holds files and folders alone")
