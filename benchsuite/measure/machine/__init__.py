"""What the benchsuite processes of one machine agree on: who works, and who is timed alone."""

from benchsuite.measure.machine.machine_lock import MachineLock
from benchsuite.measure.machine.runtime import RUNTIME_VARIABLE, runtime_folder

__all__ = ["RUNTIME_VARIABLE", "MachineLock", "runtime_folder"]
