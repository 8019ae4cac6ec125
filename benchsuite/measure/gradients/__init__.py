"""Gradient statistics, defined once for every backend."""

from benchsuite.measure.gradients.lags import Decay, decay, lag_profile
from benchsuite.measure.gradients.statistics import GroupStatistics, group_of, group_statistics, update_ratio

__all__ = [
    "Decay",
    "GroupStatistics",
    "decay",
    "group_of",
    "group_statistics",
    "lag_profile",
    "update_ratio",
]
