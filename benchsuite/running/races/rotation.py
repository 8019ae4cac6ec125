"""Racers take turns, round by round, each round in an order of its own: what disturbs the machine for longer
than a round disturbs all of them, and the order is random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.executor import RaceSample
from benchsuite.errors import WorkerError


@dataclass(frozen=True)
class Turn:
    """One racer's timing in one round; `place` says how many of the round ran before it."""

    racer: str
    round: int
    place: int
    sample: RaceSample


@dataclass(frozen=True)
class Retired:
    """A racer that is out since `round`, and why. Its turns of complete rounds stay valid."""

    racer: str
    round: int
    reason: str


def rotate(
    racers: Mapping[str, Callable[[], RaceSample]], rounds: int, random: np.random.Generator
) -> Iterator[Turn | Retired]:
    """Yield every timing as it is taken: `rounds` rounds in which each racer runs once, one at a time.

    A racer that raises WorkerError takes no further part. With fewer than two left there is nothing to
    compare, and the race ends.
    """
    running = dict(racers)
    for number in range(rounds):
        names = list(running)
        for place, at in enumerate(random.permutation(len(names))):
            name = names[at]
            try:
                sample = running[name]()
            except WorkerError as error:
                del running[name]
                yield Retired(name, number, str(error))
            else:
                yield Turn(name, number, place, sample)
        if len(running) < 2:
            return
