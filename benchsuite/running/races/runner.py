"""run_races: one group after another, each stored and judged as it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.analysis.race_judging import BLOCK, judge
from benchsuite.analysis.validity import clock as clock_of
from benchsuite.contracts import Progress
from benchsuite.measure.provenance import environment
from benchsuite.measure.provenance.process import format_cores
from benchsuite.running.races.files import RaceFile
from benchsuite.running.races.groups import RaceGroup
from benchsuite.running.races.rotation import Retired, Turn, rotate
from benchsuite.running.races.workers import RaceRunner, RaceWorker
from benchsuite.schema.race import Judgement, Race, Racer, RaceResults

LEAST_ROUNDS = BLOCK
"""Fewer rounds than this are not judged: no test could tell anything from them."""

CLOCKS = ("cpu", "wall")


@dataclass(frozen=True)
class GroupStarted:
    """A group's racers are being prepared; `number` counts from 1."""

    number: int
    group: RaceGroup


@dataclass(frozen=True)
class RoundFinished:
    """A round is over; `number` counts from 1."""

    number: int
    of: int


@dataclass(frozen=True)
class GroupFinished:
    """A group was raced and judged."""

    race: Race


RaceEvent = GroupStarted | Progress | Retired | RoundFinished | GroupFinished
RaceListener = Callable[[RaceEvent], None]


def run_races(
    folder: Path,
    race_groups: Sequence[RaceGroup],
    runner: RaceRunner,
    *,
    what: str,
    rounds: int,
    clock: str | None = None,
    on_event: RaceListener,
) -> RaceResults:
    """Run every group and store what came out in the study's `folder` as each ends. Ctrl-C ends the race:
    what was measured is judged and stored, and `interrupted` says so.

    :param race_groups: at least one. :param what: `step` or `inference`.
    :param clock: `cpu` or `wall`; None for analysis.validity.clock() of each group.
    """
    started = time.time()
    file, turns, races = RaceFile(folder, started), list[list[Turn]](), list[Race]()
    interrupted = False

    def results() -> RaceResults:
        return RaceResults(
            started=started,
            finished=time.time(),
            what=what,
            rounds=rounds,
            cores=format_cores(runner.cores),
            interrupted=interrupted,
            environment=environment(),
            races=tuple(races),
        )

    for number, group in enumerate(race_groups, 1):
        on_event(GroupStarted(number, group))
        run = _RaceRun(group, clock or clock_of(list(group.racers.values())), on_event)
        try:
            run.run(runner, what, rounds)
        except KeyboardInterrupt:
            interrupted = True
        if run.started:
            turns.append(run.turns)
            races.append(run.race())
        result = results()
        if races:
            file.write(result, turns)
        if run.started:
            on_event(GroupFinished(races[-1]))
        if interrupted:
            break
    return result


class _RaceRun:
    """One group while it runs."""

    def __init__(self, group: RaceGroup, clock: str, on_event: RaceListener) -> None:
        self.group, self.clock, self.on_event = group, clock, on_event
        self.turns: list[Turn] = []
        self.workers: dict[str, RaceWorker] = {}
        self.retired: dict[str, Retired] = {}

    @property
    def started(self) -> bool:
        return bool(self.workers)

    def run(self, runner: RaceRunner, what: str, rounds: int) -> None:
        names = list(self.group.racers)
        with runner.start(list(self.group.racers.values()), what, self.on_event) as workers:
            self.workers = dict(zip(names, workers, strict=True))
            racers = {name: one.sample for name, one in self.workers.items() if not one.problem}
            if len(racers) < 2:
                return
            seen = 0
            for event in rotate(racers, rounds, np.random.default_rng(0)):
                if isinstance(event, Retired):
                    self.retired[event.racer] = event
                    self.on_event(event)
                    continue
                self.turns.append(event)
                if event.round + 1 > seen:
                    seen = event.round + 1
                    self.on_event(RoundFinished(seen, rounds))

    def race(self) -> Race:
        racers = tuple(self._racer(name, worker) for name, worker in self.workers.items())
        return Race(name=self.group.name, clock=self.clock, racers=racers, judgement=self._judgement())

    def _racer(self, name: str, worker: RaceWorker) -> Racer:
        out = self.retired.get(name)
        return Racer(
            name=name,
            trial=worker.trial,
            problem=worker.problem or (out.reason if out else ""),
            broken=worker.broken or out is not None,
            out_since=out.round if out else None,
            kernel=worker.ready.kernel,
            calls=worker.ready.calls,
            batches=worker.ready.batches,
            warm=worker.ready.warm,
            busy=self._busy(name),
            facts=worker.ready.facts,
        )

    def _busy(self, name: str) -> float:
        """From the second round on: before the first one the others were still getting ready."""
        idle = sum(turn.sample.idle for turn in self.turns if turn.racer == name and turn.round)
        others = sum(
            turn.sample.wall * self._batches(turn.racer)
            for turn in self.turns
            if turn.racer != name and turn.round
        )
        return idle / others if others else 0.0

    def _batches(self, name: str) -> int:
        ready = self.workers[name].ready
        return ready.calls * ready.batches

    def _judgement(self) -> Judgement | None:
        """Of the racers that finished, by the rounds that all of them ran."""
        running = [name for name, one in self.workers.items() if not one.problem and name not in self.retired]
        times: dict[str, dict[int, float]] = {name: {} for name in running}
        for turn in self.turns:
            if turn.racer in times:
                times[turn.racer][turn.round] = getattr(turn.sample, self.clock)
        whole = sorted(set.intersection(*(set(own) for own in times.values()))) if running else []
        if len(running) < 2 or len(whole) < LEAST_ROUNDS:
            return None
        return judge({name: np.array([own[number] for number in whole]) for name, own in times.items()})
