"""Two studies, or two selections of one, compared: is B better, worse, the same, or unclear?"""

from benchsuite.analysis.comparison.effects import Effect, Verdict
from benchsuite.analysis.comparison.pairing import Pair, Pairing, pair_records
from benchsuite.analysis.comparison.selection import Selection, parse_selection
from benchsuite.analysis.comparison.studies import StudyComparison, compare

__all__ = [
    "Effect",
    "Pair",
    "Pairing",
    "Selection",
    "StudyComparison",
    "Verdict",
    "compare",
    "pair_records",
    "parse_selection",
]
