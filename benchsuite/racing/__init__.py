"""Races: trials that run one model in several ways, timed side by side, and who is faster."""

from benchsuite.racing.heats import Heat, heats
from benchsuite.racing.judging import Duel, Judgement, Standing, Word, judge
from benchsuite.racing.keeping import meetings
from benchsuite.racing.results import Meeting, Race, Racer
from benchsuite.racing.running import run_races

__all__ = [
    "Duel",
    "Heat",
    "Judgement",
    "Meeting",
    "Race",
    "Racer",
    "Standing",
    "Word",
    "heats",
    "judge",
    "meetings",
    "run_races",
]
