"""Races: trials that run one model in several ways, timed side by side, and who is faster."""

from benchsuite.analysis.race_judging import judge
from benchsuite.running.races.files import read_races
from benchsuite.running.races.groups import RaceGroup, race_groups
from benchsuite.running.races.runner import run_races
from benchsuite.schema.race import Judgement, Pairwise, Race, Racer, RaceResults, Rank, SpeedVerdict

__all__ = [
    "Judgement",
    "Pairwise",
    "Race",
    "RaceGroup",
    "RaceResults",
    "Racer",
    "Rank",
    "SpeedVerdict",
    "judge",
    "race_groups",
    "read_races",
    "run_races",
]
