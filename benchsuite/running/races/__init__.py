"""Races: trials that run one model in several ways, timed side by side, and who is faster."""

from benchsuite.analysis.race_judging import Judgement, Pairwise, Rank, SpeedVerdict, judge
from benchsuite.running.races.files import read_races
from benchsuite.running.races.groups import RaceGroup, race_groups
from benchsuite.running.races.runner import run_races
from benchsuite.schema.race import Race, Racer, RaceResults

__all__ = [
    "Pairwise",
    "RaceGroup",
    "Judgement",
    "RaceResults",
    "Race",
    "Racer",
    "Rank",
    "SpeedVerdict",
    "race_groups",
    "judge",
    "read_races",
    "run_races",
]
