"""accepted.toml: changes that were looked into, with their reasons.

[[accepted]]
since = 2026-11-01
reason = "torch 2.14 multiplies with another library"
figure = "speed"            # or "metric"; these and the following are conditions, each of them optional
backend = "torch"
task = "mnist_rows"
configuration = "0123456789abcdef"
machine = "AMD EPYC, 2 cores"
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchsuite.errors import StoreError
from benchsuite.publishing.repository.folder import ACCEPTED
from benchsuite.schema.validation import first_problem

Figure = Literal["speed", "metric"]


class Accepted(BaseModel):
    """One accepted change: conditions that are "" hold for everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: datetime.date
    reason: str = Field(min_length=1, max_length=500)
    figure: Figure | Literal[""] = ""
    backend: str = ""
    task: str = ""
    source: str = ""
    cell: str = ""
    architecture: str = ""
    configuration: str = ""
    machine: str = ""

    @property
    def moment(self) -> float:
        """Begin of the day `since`, POSIX seconds."""
        return datetime.datetime.combine(self.since, datetime.time(), datetime.UTC).timestamp()

    def fits(self, facts: Mapping[str, str], before: float, after: float) -> bool:
        """Whether it explains a change between two points.

        :param facts: figure, backend, task and so on of the change. :param before, after: POSIX seconds of the
            last point of the old level and of the first one of the new.
        """
        day = 86400.0
        within = before - day < self.moment <= after
        wanted = self.model_dump(exclude={"since", "reason"})
        return within and all(not value or facts.get(name) == value for name, value in wanted.items())


def read_accepted(repository: Path) -> list[Accepted]:
    """The accepted changes of a repository, in the order of their days. Raises StoreError for a file that
    cannot be read."""
    path = repository / ACCEPTED
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if strange := sorted(set(found) - {"accepted"}):
            raise StoreError(f"{path} has {strange[0]!r}; it holds tables [[accepted]] alone")
        made = [Accepted.model_validate(one) for one in found.get("accepted", [])]
    except FileNotFoundError:
        return []
    except ValidationError as error:
        raise StoreError(f"{path}: [[accepted]] {first_problem(error)}") from error
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return sorted(made, key=lambda one: one.since)
