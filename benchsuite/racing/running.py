"""run_races: one heat after another on the track, stored as they end, judged at their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.contracts import Progress
from benchsuite.executors.racing import Entrant, Track
from benchsuite.provenance import environment
from benchsuite.provenance.process import written
from benchsuite.racing.heats import Heat
from benchsuite.racing.judging import BLOCK, Judgement, judge
from benchsuite.racing.keeping import Keeper
from benchsuite.racing.results import Meeting, Race, Racer
from benchsuite.spec import Trial
from benchsuite.timing.rotation import Retired, Turn, rotate

LEAST_ROUNDS = BLOCK
"""Fewer rounds than this are not judged: no test could tell anything from them."""

CLOCKS = ("cpu", "wall")


@dataclass(frozen=True)
class Lined:
    """A heat's racers are being made ready; `number` counts from 1."""

    number: int
    heat: Heat


@dataclass(frozen=True)
class Round:
    """A round is over."""

    number: int
    of: int


@dataclass(frozen=True)
class Done:
    """A heat is over."""

    race: Race


RaceEvent = Lined | Progress | Retired | Round | Done
Listener = Callable[[RaceEvent], None]


def clock_for(trials: Sequence[Trial]) -> str:
    """CPU time where each racer has one thread on the CPU, for others' work is not in it; wall time where
    several threads or a device work at the same time."""
    return "cpu" if all(trial.execution.alone for trial in trials) else "wall"


def run_races(
    folder: Path,
    heats: Sequence[Heat],
    track: Track,
    *,
    what: str,
    rounds: int,
    clock: str | None = None,
    hear: Listener,
) -> Meeting:
    """Run every heat and store what came out in the study's `folder` as each ends. Ctrl-C ends the meeting:
    what was measured is judged and stored, and `interrupted` says so.

    :param heats: at least one. :param what: `step` or `inference`. :param clock: `cpu` or `wall`; None for
        clock_for() of each heat.
    """
    started = time.time()
    keeper, laps, races = Keeper(folder, started), list[list[Turn]](), list[Race]()
    interrupted = False

    def meeting() -> Meeting:
        return Meeting(
            started=started,
            finished=time.time(),
            what=what,
            rounds=rounds,
            cores=written(track.cores),
            interrupted=interrupted,
            environment=environment(),
            races=tuple(races),
        )

    for number, heat in enumerate(heats, 1):
        hear(Lined(number, heat))
        run = _Heat(heat, clock or clock_for(list(heat.racers.values())), hear)
        try:
            run.go(track, what, rounds)
        except KeyboardInterrupt:
            interrupted = True
        if run.started:
            laps.append(run.laps)
            races.append(run.race())
        result = meeting()
        if races:
            keeper.keep(result, laps)
        if run.started:
            hear(Done(races[-1]))
        if interrupted:
            break
    return result


class _Heat:
    """One heat while it runs."""

    def __init__(self, heat: Heat, clock: str, hear: Listener) -> None:
        self.heat, self.clock, self.hear = heat, clock, hear
        self.laps: list[Turn] = []
        self.entrants: dict[str, Entrant] = {}
        self.retired: dict[str, Retired] = {}

    @property
    def started(self) -> bool:
        return bool(self.entrants)

    def go(self, track: Track, what: str, rounds: int) -> None:
        names = list(self.heat.racers)
        with track.line_up(list(self.heat.racers.values()), what, self.hear) as entrants:
            self.entrants = dict(zip(names, entrants, strict=True))
            racers = {name: one.lap for name, one in self.entrants.items() if not one.problem}
            if len(racers) < 2:
                return
            seen = 0
            for event in rotate(racers, rounds, np.random.default_rng(0)):
                if isinstance(event, Retired):
                    self.retired[event.racer] = event
                    self.hear(event)
                    continue
                self.laps.append(event)
                if event.round + 1 > seen:
                    seen = event.round + 1
                    self.hear(Round(seen, rounds))

    def race(self) -> Race:
        racers = tuple(self._racer(name, entrant) for name, entrant in self.entrants.items())
        return Race(name=self.heat.name, clock=self.clock, racers=racers, judgement=self._judgement())

    def _racer(self, name: str, entrant: Entrant) -> Racer:
        out = self.retired.get(name)
        return Racer(
            name=name,
            trial=entrant.trial,
            problem=entrant.problem or (out.reason if out else ""),
            broken=entrant.broken or out is not None,
            out_since=out.round if out else None,
            kernel=entrant.ready.kernel,
            calls=entrant.ready.calls,
            batches=entrant.ready.batches,
            warm=entrant.ready.warm,
            busy=self._busy(name),
            facts=entrant.ready.facts,
        )

    def _busy(self, name: str) -> float:
        """From the second round on: before the first one the others were still getting ready."""
        idle = sum(turn.lap.idle for turn in self.laps if turn.racer == name and turn.round)
        others = sum(
            turn.lap.wall * self._batches(turn.racer)
            for turn in self.laps
            if turn.racer != name and turn.round
        )
        return idle / others if others else 0.0

    def _batches(self, name: str) -> int:
        ready = self.entrants[name].ready
        return ready.calls * ready.batches

    def _judgement(self) -> Judgement | None:
        """Of the racers that finished, by the rounds that all of them ran."""
        running = [
            name for name, one in self.entrants.items() if not one.problem and name not in self.retired
        ]
        times: dict[str, dict[int, float]] = {name: {} for name in running}
        for turn in self.laps:
            if turn.racer in times:
                times[turn.racer][turn.round] = getattr(turn.lap, self.clock)
        whole = sorted(set.intersection(*(set(own) for own in times.values()))) if running else []
        if len(running) < 2 or len(whole) < LEAST_ROUNDS:
            return None
        return judge({name: np.array([own[number] for number in whole]) for name, own in times.items()})
