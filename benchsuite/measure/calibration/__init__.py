"""Which way of running a model is the fastest on this machine: measured once, kept, and named in records."""

from benchsuite.measure.calibration.choosing import Choice, Way, calibrated, default_way
from benchsuite.measure.calibration.kept import calibration_folder, kept_choices

__all__ = [
    "Choice",
    "Way",
    "calibrated",
    "calibration_folder",
    "default_way",
    "kept_choices",
]
