"""The figures of docs/claims.md, from the studies that are published in results/: `python docs/claims/make.py`.

A claim has a table for each machine: of the newest race of its newest verified study there, `claims-NAME`; NAME
is that of a matrix beside this file. A study gets there by `benchsuite run`, `benchsuite race` and
`benchsuite publish`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from benchsuite import Study
from benchsuite.analysis.answers import fastest_steps, soonest_trained
from benchsuite.analysis.machines import machine_of
from benchsuite.analysis.training_time import training_time
from benchsuite.publishing.repository import Repository
from benchsuite.schema import Record
from benchsuite.schema.race import Race, Racer, RaceResults

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "claims.md"
PUBLISHED = ROOT / "results"
QUICK = PUBLISHED / "quick@1"
TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
RATIO = re.compile(
    r"(<!-- ratio: (?P<name>[\w-]+) (?P<slow>\w+/\w+) (?P<fast>\w+/\w+)(?: (?P<units>\d+))? -->)"
    r"[^<]*(<!-- end -->)"
)
"""In a sentence: the time of one racer, BACKEND/UNROLL, over that of another, of the model of so many units."""
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "numpy")


@dataclass(frozen=True)
class Kept:
    """A published claim.

    records   trial's id -> its record
    versions  framework -> version
    """

    race: RaceResults
    records: dict[str, Record]
    versions: dict[str, str]

    def seconds(self, racer: Racer) -> tuple[float | None, float | None]:
        """Wall seconds of the first step, and to the trained model."""
        record = self.records.get(racer.trial.id)
        if record is None:
            return None, None
        time = training_time(record)
        return record.scalars.get("speed/first_step_seconds"), None if time is None else time.to_trained


@cache
def load(name: str) -> tuple[Kept, ...]:
    """The published claim of that name, by machine: that of which one was published first comes first."""
    newest: dict[tuple[str, ...], str] = {}
    for one in Repository.open(PUBLISHED).submissions():
        if one.board == f"claims-{name}" and one.level == "verified":
            newest[one.machines] = one.id
    return tuple(map(_kept, newest.values()))


def _kept(submission: str) -> Kept:
    study = Study.load(PUBLISHED / submission)
    facts: dict[str, str] = {}
    for record in study.records:
        facts |= record.environment
    versions = {
        one: facts[f"backend.{one}"].partition("+")[0] for one in FRAMEWORKS if f"backend.{one}" in facts
    }
    return Kept(study.races()[-1], {record.trial_id: record for record in study.records}, versions)


def called(racer: Racer) -> str:
    """`torch`, `fused`: what the page calls a racer."""
    return f"`{racer.trial.backend}`, `{racer.trial.execution.unroll}`"


def table(name: str) -> str:
    """The Markdown of the kept races of a claim; a sentence where none is kept."""
    return "\n\n".join(map(_table, load(name))) or "No race of it is kept here yet."


def _table(kept: Kept) -> str:
    """What was raced where, and a table for each model."""
    first, environment = kept.race.races[0], kept.race.environment
    rounds = first.judgement.rounds if first.judgement else 0
    versions = ", ".join(f"{name} {found}" for name, found in kept.versions.items())
    kernels = environment["blas.libscipy_openblas"].partition(", ")[2]
    parts = [
        f"*{machine_of(environment).name}* (OpenBLAS with {kernels}), one thread; {rounds} rounds, "
        f"{_clock(first)} of a training step; Python {environment['python.version']}, {versions}; "
        f"{datetime.fromtimestamp(kept.race.started, UTC):%B %Y}:"
    ]
    for race in kept.race.races:
        if len(kept.race.races) > 1:
            parts.append(f"{race.racers[0].trial.size.hidden} units:")
        parts.append(_rows(race, kept))
    return "\n\n".join(parts)


def _clock(race: Race) -> str:
    return "processor time" if race.clock == "cpu" else "wall time"


def _rows(race: Race, kept: Kept) -> str:
    assert race.judgement is not None
    racers = {racer.name: racer for racer in race.racers}
    lines = [
        "| backend, unroll | kernel | a step | times the fastest | first step | to trained |",
        "|---|---|---|---|---|---|",
    ]
    for rank in race.judgement.ranks:
        racer = racers[rank.racer]
        steady = "~ " if rank.unstable else ""
        step = f"{steady}{_ms(rank.median)} ({_ms(rank.low)} to {_ms(rank.high)})"
        ratio = "1"
        if rank.pair is not None:
            ratio = f"{rank.pair.ratio:.2f} ({rank.pair.low:.2f} to {rank.pair.high:.2f})"
            ratio += "" if rank.pair.verdict in ("faster", "slower") else f", {rank.pair.verdict}"
        waits = " | ".join(map(_seconds, kept.seconds(racer)))
        lines.append(f"| {called(racer)} | `{racer.kernel}` | {step} | {ratio} | {waits} |")
    lines += [
        f"| {called(racer)} | | did not run: {racer.problem} | | | |"
        for racer in race.racers
        if racer.problem
    ]
    return "\n".join(lines)


def _ms(value: float) -> str:
    return f"{1000 * value:.3g} ms"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2g} s"


def ratio(name: str, racer: str, other: str, units: int | None = None) -> str:
    """The median ratio of `racer`'s time over `other`'s, both BACKEND/UNROLL, with its interval: of each
    machine in the order of the tables."""
    return " and ".join(_ratio(kept.race.races, racer, other, units) for kept in load(name))


def _ratio(races: Sequence[Race], racer: str, other: str, units: int | None) -> str:
    [race] = [one for one in races if units in (None, one.racers[0].trial.size.hidden)]
    assert race.judgement is not None
    places = {one.name: f"{one.trial.backend}/{one.trial.execution.unroll}" for one in race.racers}
    for pair in race.judgement.pairwise:
        found = places[pair.racer], places[pair.other]
        if found == (racer, other):
            return f"{pair.ratio:.2f} ({pair.low:.2f} to {pair.high:.2f})"
        if found == (other, racer):
            return f"{1 / pair.ratio:.2f} ({1 / pair.high:.2f} to {1 / pair.low:.2f})"
    raise SystemExit(f"no pair of {racer} and {other}; it has {', '.join(sorted(places.values()))}")


def counts() -> str:
    """Of the kept study: for how many models a backend has the fastest steps, or the model trained first."""
    models = [model for ranking in Study.load(QUICK).rankings() for model in ranking.models]
    answers = {
        "has the fastest steps": [
            found.first.trial.backend for model in models if (found := fastest_steps(model))
        ],
        "is trained first": [
            found.first.trial.backend for model in models if (found := soonest_trained(model))
        ],
    }
    backends = sorted({name for names in answers.values() for name in names})
    lines = ["| backend | " + " | ".join(answers) + " |", "|---|" + "---|" * len(answers)]
    for backend in backends:
        cells = (f"{names.count(backend)} of {len(names)}" for names in answers.values())
        lines.append(f"| `{backend}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page, its tables made anew."""

    def made(found: re.Match[str]) -> str:
        name = found["name"]
        return f"{found[1]}{counts() if name == 'quick' else table(name)}\n{found[3]}"

    def compared(found: re.Match[str]) -> str:
        units = None if found["units"] is None else int(found["units"])
        return f"{found[1]}{ratio(found['name'], found['slow'], found['fast'], units)}{found[6]}"

    return RATIO.sub(compared, TABLE.sub(made, page))


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
