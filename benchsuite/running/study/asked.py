"""What a run was asked for, as study.json keeps it, and the command that asks it again."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchsuite.contracts.study import results_folder
from benchsuite.running.matrix import Matrix
from benchsuite.running.shards import Cut, Shard
from benchsuite.schema import Trial

_BUILT_IN = re.compile(r"(?:built-in matrix|frozen suite) (\S+)")


@dataclass(frozen=True)
class Asked:
    """What one run was asked for.

    study    the study's name, without the shard's part of it
    matrix   what `run` names the matrix by: a built-in one's name, or a file
    sha256   of the matrix's content
    filters  field -> values that were kept; overrides: FIELD=VALUE
    shard    `3/16`, or "" for all trials
    times    the study that shards were balanced by, or ""
    parts    trial ids of every shard; of a run without shards there is one part
    """

    study: str
    matrix: str
    sha256: str
    filters: Mapping[str, Sequence[str]]
    overrides: Sequence[str]
    shard: str
    times: str
    parts: Sequence[Sequence[str]]

    @property
    def cut(self) -> str:
        """Equal for runs that were asked for shards of one cut."""
        return Cut(tuple(tuple(part) for part in self.parts)).digest

    @property
    def whole(self) -> tuple[str, ...]:
        """Equal for the shards of one run: the matrix, what was asked of it, and how it was cut."""
        filters = json.dumps({name: list(values) for name, values in self.filters.items()}, sort_keys=True)
        return self.sha256, filters, json.dumps(list(self.overrides)), self.cut

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "cut": self.cut}

    def command(self, results: Path, shard: Shard | None) -> str:
        """The command line that runs a shard, or everything, quoted for a shell."""
        words = ["benchsuite", "run", self.matrix]
        for name, values in self.filters.items():
            words += [f"--{name}", ",".join(values)]
        for setting in self.overrides:
            words += ["--set", setting]
        words += [] if self.study == Path(self.matrix).stem else ["--name", self.study]
        words += [] if shard is None else ["--shard", str(shard)]
        words += ["--times", self.times] if self.times and shard is not None else []
        words += [] if results == results_folder() else ["--results", str(results)]
        return shlex.join(words)


_ASKED = TypeAdapter(Asked)


def ask(
    study: str,
    matrix: Matrix,
    filters: Mapping[str, Sequence[str]] | None,
    overrides: Iterable[str],
    shard: Shard | None,
    times: str,
    cut: Cut,
) -> Asked:
    """What a run is asked for, as study.json keeps it."""
    return Asked(
        study=study,
        matrix=_named(matrix),
        sha256=matrix_digest(matrix),
        filters={name: list(values) for name, values in (filters or {}).items() if values},
        overrides=list(overrides),
        shard="" if shard is None else str(shard),
        times=times,
        parts=cut.parts,
    )


def whole_cut(trials: Iterable[Trial]) -> Cut:
    """The cut of a run without shards: one part."""
    return Cut((tuple(trial.id for trial in trials),))


def read_asked(description: Mapping[str, Any]) -> list[Asked]:
    """What study.json says that was asked for: once, or by each study that was merged. A study of an earlier
    version says nothing; what cannot be read is left out."""
    given = description.get("asked", [])
    found = []
    for one in given if isinstance(given, list) else [given]:
        try:
            found.append(_ASKED.validate_python({name: one[name] for name in Asked.__dataclass_fields__}))
        except (TypeError, KeyError, ValidationError):
            continue
    return found


def matrix_digest(matrix: Matrix) -> str:
    """SHA-256 of a matrix's text, or of its tables where it was made in Python."""
    text = matrix.text or json.dumps(matrix.data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _named(matrix: Matrix) -> str:
    if match := _BUILT_IN.fullmatch(matrix.origin):
        return match[1]
    return matrix.origin if matrix.origin.endswith(".toml") else f"{matrix.name}.toml"
