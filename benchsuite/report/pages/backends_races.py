"""Trials that were raced: who is faster, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.contracts.report import (
    Block,
    Bullets,
    Column,
    PageSection,
    Paragraph,
    Table,
    TableCell,
    Value,
)
from benchsuite.report.formatting import format_count, format_list
from benchsuite.report.prose import prose
from benchsuite.schema.race import Race, RaceResults, SpeedVerdict
from benchsuite.schema.thresholds import UNSTABLE

Raced = tuple[RaceResults, Race]


def raced(found: Iterable[RaceResults], machine: Machine, where: str = "") -> list[PageSection]:
    """The latest race of each group on a machine; none where nothing was raced."""
    latest = _latest(found, machine)
    return [PageSection(f"Raced{where}", tuple(_blocks(latest)))] if latest else []


def races_table(found: Iterable[RaceResults], machine: Machine) -> Iterator[Table]:
    """The table of raced() alone; nothing where no race was judged."""
    yield from _tables(_latest(found, machine))


def _latest(found: Iterable[RaceResults], machine: Machine) -> list[Raced]:
    latest: dict[tuple[str, str, str], Raced] = {}
    for results in sorted(found, key=lambda one: one.started):
        # a race says of its own process what a record says of its worker, which may know of a GPU as well
        if set(machine_of(results.environment).facts) <= set(machine.facts):
            latest |= {(race.name, results.what, race.clock): (results, race) for race in results.races}
    return list(latest.values())


def _blocks(races: Sequence[Raced]) -> Iterator[Block]:
    yield Paragraph(f"{format_count(len(races), 'race')}; the margin is {_margin(races)}.")
    yield from prose("backends_races")
    yield from _tables(races)
    out = [
        f"{race.name}: {racer.name} "
        + ("did not start" if racer.out_since is None else f"left in round {racer.out_since + 1}")
        + f": {racer.problem.splitlines()[0]}"
        for _, race in races
        for racer in race.racers
        if racer.problem
    ]
    if out:
        yield Bullets(tuple(out))


def _margin(races: Sequence[Raced]) -> str:
    return format_list(sorted({f"{results.margin:.0%}".replace("%", " %") for results, _ in races}), "or")


def _tables(races: Sequence[Raced]) -> Iterator[Table]:
    columns = (
        Column("race", filter=True),
        Column("of", filter=True, help="training steps, or predictions of a batch"),
        Column("racer", filter=True),
        Column("kernel", filter=True),
        Column("clock", filter=True, help="CPU time where each racer has one thread on a CPU"),
        Column("time", "seconds", "of a step or batch, median over rounds"),
        Column("times the first", "number", "median over rounds of the ratio to the first racer"),
        Column("from", "number", "lower end of the ratio's 95 % bootstrap interval"),
        Column("to", "number", "its upper end"),
        Column("p", "mixed", "corrected for all pairs of the race"),
        Column("is", help="compared with the first racer"),
        Column("rounds", "integer"),
    )
    rows: list[list[Value | TableCell]] = []
    for results, race in races:
        if race.judgement is None:
            continue
        kernels = {racer.name: racer.kernel for racer in race.racers}
        for one in race.judgement.ranks:
            pair = one.pair
            word = "first" if pair is None else str(pair.verdict)
            unclear = pair is not None and pair.verdict is SpeedVerdict.UNCLEAR
            rows.append(
                [
                    race.name,
                    results.what,
                    one.racer,
                    kernels.get(one.racer, ""),
                    race.clock,
                    TableCell(one.median, mark="unsure" if one.unstable else ""),
                    TableCell(1.0 if pair is None else pair.ratio, mark="best" if pair is None else ""),
                    None if pair is None else pair.low,
                    None if pair is None else pair.high,
                    None if pair is None else pair.p,
                    TableCell(word, mark="unsure" if unclear else ""),
                    race.judgement.rounds,
                ]
            )
    if rows:
        yield Table(
            "Races",
            columns,
            rows,
            f"~: the interquartile range is above {100 * UNSTABLE:.0f} % of the median: not steady.",
        )
