"""The timing protocol: the core's, never a plugin's."""

from benchsuite.timing.honesty import unsynchronised
from benchsuite.timing.peak import peak_rate
from benchsuite.timing.steady import Samples, Summary, steady_state

__all__ = ["Samples", "Summary", "peak_rate", "steady_state", "unsynchronised"]
