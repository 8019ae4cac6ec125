"""The timing protocol: the core's, never a plugin's."""

from benchsuite.measure.timing.audit import (
    StepAudit,
    answers_from_memory,
    exceeds_threads,
    too_many_threads,
    unsynchronised,
)
from benchsuite.measure.timing.peak import BUDGET_SECONDS, peak_rate
from benchsuite.measure.timing.steady import Samples, steady_state
from benchsuite.schema.samples import Summary

__all__ = [
    "BUDGET_SECONDS",
    "Samples",
    "StepAudit",
    "Summary",
    "answers_from_memory",
    "exceeds_threads",
    "peak_rate",
    "steady_state",
    "too_many_threads",
    "unsynchronised",
]
