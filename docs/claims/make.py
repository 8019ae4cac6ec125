"""The figures of docs/claims.md, from what is kept in results/claims/.

    python docs/claims/make.py keep NAME STUDY    keep the newest race of a study and the seconds of its records
    python docs/claims/make.py                    write the tables of the page

NAME is that of a matrix beside this file; STUDY is the folder of the study that its run made.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchsuite import Study
from benchsuite.analysis.answers import fastest_steps, soonest_trained
from benchsuite.analysis.training_time import training_time
from benchsuite.running.races import read_races
from benchsuite.schema.race import Race, Racer, RaceResults

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "claims.md"
KEPT = ROOT / "results" / "claims"
QUICK = ROOT / "results" / "quick-cpu.crate.zip"
TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
RATIO = re.compile(
    r"(<!-- ratio: (?P<name>[\w-]+) (?P<slow>\w+/\w+) (?P<fast>\w+/\w+)(?: (?P<units>\d+))? -->)"
    r"[^<]*(<!-- end -->)"
)
"""In a sentence: the time of one racer, BACKEND/UNROLL, over that of another, of the model of so many units."""
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "numpy")
"""Distributions whose versions are kept, as the interpreter has them that keeps: use the one that ran."""
MACHINE = ("hardware.cpu", "hardware.logical_cores", "python.version")


def keep(name: str, study: Path) -> Path:
    """Write results/claims/NAME.json from a study's newest race and its records."""
    found = Study.load(study)
    race = read_races(study)[-1]
    seconds = {}
    for record in found.records:
        time = training_time(record)
        first = record.scalars.get("speed/first_step_seconds")
        seconds[record.trial.id] = {
            "parity": record.verdicts.get("parity", ""),
            "first_step": first,
            "to_trained": None if time is None else time.to_trained,
        }
    machine = {key: race.environment[key] for key in MACHINE if key in race.environment}
    versions = {name: version(name) for name in FRAMEWORKS}
    stored = race.model_copy(update={"environment": machine})
    kept = {"race": json.loads(stored.model_dump_json()), "seconds": seconds, "versions": versions}
    path = KEPT / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Kept:
    """What results/claims/NAME.json holds.

    seconds   trial's id -> its verdict of parity, and wall seconds of the first step and to the trained model
    versions  framework -> version
    """

    race: RaceResults
    seconds: dict[str, dict[str, Any]]
    versions: dict[str, str]


def load(name: str) -> Kept:
    """What is kept of the matrix of that name."""
    kept = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    return Kept(RaceResults.model_validate(kept["race"]), kept["seconds"], kept["versions"])


def called(racer: Racer) -> str:
    """`torch`, `fused`: what the page calls a racer."""
    return f"`{racer.trial.backend}`, `{racer.trial.execution.unroll}`"


def table(name: str) -> str:
    """The Markdown of one kept race, one table for each of its models; a sentence where none is kept."""
    if not (KEPT / f"{name}.json").is_file():
        return "No race of it is kept here yet."
    kept = load(name)
    parts = []
    for race in kept.race.races:
        if len(kept.race.races) > 1:
            parts.append(f"{race.racers[0].trial.size.hidden} units:")
        parts.append(_rows(race, kept.seconds))
    first, machine = kept.race.races[0], kept.race.environment
    rounds = first.judgement.rounds if first.judgement else 0
    versions = ", ".join(f"{name} {found}" for name, found in kept.versions.items())
    parts.append(
        f"{rounds} rounds, {_clock(first)} of a training step, one thread. {machine['hardware.cpu']}, "
        f"{machine['hardware.logical_cores']} logical cores; Python {machine['python.version']}, {versions}; "
        f"{datetime.fromtimestamp(kept.race.started, UTC):%B %Y}."
    )
    return "\n\n".join(parts)


def _clock(race: Race) -> str:
    return "processor time" if race.clock == "cpu" else "wall time"


def _rows(race: Race, seconds: dict[str, dict[str, Any]]) -> str:
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
        found = seconds.get(racer.trial.id, {})
        lines.append(
            f"| {called(racer)} | `{racer.kernel}` | {step} | {ratio} | {_seconds(found.get('first_step'))} "
            f"| {_seconds(found.get('to_trained'))} |"
        )
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
    """The median ratio of `racer`'s time over `other`'s, both BACKEND/UNROLL, with its interval."""
    races = load(name).race.races
    [race] = [one for one in races if units in (None, one.racers[0].trial.size.hidden)]
    assert race.judgement is not None
    places = {one.name: f"{one.trial.backend}/{one.trial.execution.unroll}" for one in race.racers}
    for pair in race.judgement.pairwise:
        found = places[pair.racer], places[pair.other]
        if found == (racer, other):
            return f"{pair.ratio:.2f} ({pair.low:.2f} to {pair.high:.2f})"
        if found == (other, racer):
            return f"{1 / pair.ratio:.2f} ({1 / pair.high:.2f} to {1 / pair.low:.2f})"
    raise SystemExit(f"{name}: no pair of {racer} and {other}; it has {', '.join(sorted(places.values()))}")


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


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["keep"]:
        print(keep(arguments[1], Path(arguments[2])))
        return
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
