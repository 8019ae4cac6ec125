"""The timing protocol: the core's, never a plugin's."""

from benchsuite.timing.honesty import Witness, crowded, too_many_threads, unsynchronised
from benchsuite.timing.peak import BUDGET_SECONDS, peak_rate
from benchsuite.timing.steady import Samples, Summary, steady_state

__all__ = [
    "BUDGET_SECONDS",
    "Samples",
    "Summary",
    "Witness",
    "crowded",
    "peak_rate",
    "steady_state",
    "too_many_threads",
    "unsynchronised",
]
