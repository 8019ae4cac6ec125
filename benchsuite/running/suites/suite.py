"""Suite: what a frozen suite asks for, and which trials belong to it.

Three files per suite lie in frozen/, made by `python -m benchsuite.running.suites.freeze`:

NAME@N.toml        the matrix, targets included: `benchsuite run NAME@N` expands it as it does any other
NAME@N.json        trial ids by configuration and seed, hashes of the data
NAME@N.bands.json  reference bands by model
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any

from benchsuite.analysis.verification.bands import Band
from benchsuite.errors import UnknownNameError
from benchsuite.running.matrix.source import FROZEN, frozen_matrices
from benchsuite.schema import Trial


@dataclass(frozen=True)
class Suite:
    """A frozen suite.

    name            `quick@1`
    seeds           of every configuration
    configurations  the trial ids of each, in the order of the seeds
    data            task, source and options -> SHA-256 of the data; data whose last digits depend on the
                    processor are left out
    bands           digest of a model -> its reference band
    """

    name: str
    summary: str
    seeds: tuple[int, ...]
    configurations: tuple[tuple[str, ...], ...] = field(repr=False)
    data: Mapping[str, str] = field(repr=False)
    bands: Mapping[str, Band] = field(repr=False)

    @cached_property
    def trials(self) -> frozenset[str]:
        """The id of every trial."""
        return frozenset(one for ids in self.configurations for one in ids)

    def missing_seeds(self, trial_ids: Iterable[str]) -> list[tuple[str, ...]]:
        """The trials that are not among `trial_ids`, by configuration, of configurations that are there with
        another seed."""
        there = set(trial_ids)
        missing = (tuple(one for one in ids if one not in there) for ids in self.configurations)
        return [
            absent
            for absent, ids in zip(missing, self.configurations, strict=True)
            if absent and len(absent) < len(ids)
        ]

    def is_whole(self, trials: Iterable[Trial]) -> bool:
        """Whether these are all of the suite's trials, and no others."""
        return {trial.id for trial in trials} == self.trials

    def standing(self, trials: Sequence[Trial]) -> str:
        """In a sentence: whether these are the suite, a part of it, or something else."""
        inside = {trial.id for trial in trials if trial.id in self.trials}
        foreign = len({trial.id for trial in trials}) - len(inside)
        if foreign:
            return (
                f"{foreign} of {len(inside) + foreign} trials are not of {self.name}: their content is other, "
                f"and their results are no results of {self.name}"
            )
        if len(inside) == len(self.trials):
            return f"all {len(inside)} trials of {self.name}"
        return f"part of {self.name}: {len(inside)} of its {len(self.trials)} trials"


@cache
def frozen_suites() -> Mapping[str, Suite]:
    """The suites that ship with benchsuite, by name."""
    return {name: _read(name) for name in frozen_matrices()}


def load_suite(name: str) -> Suite:
    """The frozen suite of that name. Raises UnknownNameError."""
    known = frozen_suites()
    if name not in known:
        raise UnknownNameError("frozen suite", name, known)
    return known[name]


def suite_of(trial_ids: Iterable[str]) -> Suite | None:
    """The suite that most of these trials are of; None where none of them is of any."""
    there = set(trial_ids)
    counted = [(len(there & suite.trials), name) for name, suite in frozen_suites().items()]
    most, name = max(counted, default=(0, ""))
    return load_suite(name) if most else None


def _read(name: str) -> Suite:
    folder = resources.files("benchsuite.running.suites") / FROZEN
    given: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    bands: dict[str, Any] = json.loads((folder / f"{name}.bands.json").read_text("utf-8"))
    return Suite(
        name=name,
        summary=frozen_matrices()[name].summary,
        seeds=tuple(given["seeds"]),
        configurations=tuple(tuple(ids.split()) for ids in given["trials"]),
        data=given["data"],
        bands={digest: Band.read(band) for digest, band in bands.items()},
    )
