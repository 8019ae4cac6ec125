"""Races as they are stored: `races/<time>.json` in the study's folder, the samples beside it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AliasChoices, Field

from benchsuite.schema.trial import Frozen, Trial

RACE_FORMAT = 1

MARGIN = 0.03
"""ln of a ratio of times below which a difference is of no consequence: about 3 %. Two processes of one program
lie that far apart, for where their memory happens to lie."""


class SpeedVerdict(StrEnum):
    """What a racer is, compared with another."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    UNCLEAR = "unclear"


class Pairwise(Frozen):
    """A racer compared with another one.

    ratio      median over rounds of `racer`'s time over `other`'s; low, high: its 95 % bootstrap interval
    p          two-sided, corrected for all pairs of the race
    """

    racer: str
    other: str
    ratio: float
    low: float
    high: float
    p: float
    verdict: SpeedVerdict = Field(validation_alias=AliasChoices("verdict", "word"))


class Rank(Frozen):
    """A racer's rank. Times are seconds per batch.

    median, low, high   of its rounds, with the 95 % bootstrap interval; iqr: quartile distance
    unstable            iqr above the share of the median that timings are allowed
    pair                its comparison with the first racer; None for the first itself
    """

    racer: str
    median: float
    low: float
    high: float
    iqr: float
    unstable: bool
    pair: Pairwise | None = Field(validation_alias=AliasChoices("pair", "duel"))


class Judgement(Frozen):
    """All racers, the fastest first, and every pair of them: the slower one, compared with the faster one."""

    rounds: int
    ranks: tuple[Rank, ...] = Field(validation_alias=AliasChoices("ranks", "standings"))
    pairwise: tuple[Pairwise, ...] = Field(validation_alias=AliasChoices("pairwise", "duels"))


class Racer(Frozen):
    """One trial in a race.

    problem    why it did not start or is out, or ""; broken: that is a fault, not something this machine lacks
    out_since  the round in which it fell out; None where it finished or did not start
    busy       share of the others' time in which its process took processor time although it was not its turn
    """

    name: str
    trial: Trial
    problem: str = ""
    broken: bool = False
    out_since: int | None = None
    kernel: str = ""
    calls: int = 0
    batches: int = 0
    warm: bool = False
    busy: float = 0.0
    facts: dict[str, str] = Field(default_factory=dict)


class Race(Frozen):
    """One group as it was run.

    clock      `cpu` or `wall`: which times were judged
    judgement  None where fewer than two racers finished enough rounds
    """

    name: str
    clock: str
    racers: tuple[Racer, ...]
    judgement: Judgement | None = None


class RaceResults(Frozen):
    """All races of one command.

    what         `step` or `inference`
    rounds       how many were asked for
    cores        processor cores that all racers shared, as Linux writes them; "" for none in particular
    interrupted  whether it was ended early: its last race may have fewer rounds
    """

    format: int = RACE_FORMAT
    started: float
    finished: float
    what: str
    rounds: int
    margin: float = MARGIN
    cores: str = ""
    interrupted: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    races: tuple[Race, ...] = ()
