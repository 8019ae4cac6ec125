"""What a race came to, as it is stored: `races/<time>.json` in the study's folder, its laps beside it."""

from __future__ import annotations

from pydantic import Field

from benchsuite.racing.judging import MARGIN, Judgement
from benchsuite.spec.trial import Frozen, Trial

FORMAT = 1


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
    """One heat as it was run.

    clock      `cpu` or `wall`: which times were judged
    judgement  None where fewer than two racers finished enough rounds
    """

    name: str
    clock: str
    racers: tuple[Racer, ...]
    judgement: Judgement | None = None


class Meeting(Frozen):
    """All races of one command.

    what         `step` or `inference`
    rounds       how many were asked for
    cores        processor cores that all racers shared, as Linux writes them; "" for none in particular
    interrupted  whether it was ended early: its last race may have fewer rounds
    """

    format: int = FORMAT
    started: float
    finished: float
    what: str
    rounds: int
    margin: float = MARGIN
    cores: str = ""
    interrupted: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    races: tuple[Race, ...] = ()
