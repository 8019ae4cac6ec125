"""Merge studies of several machines or shards into one."""

from benchsuite.running.merge.merge import Merged, merge_studies
from benchsuite.running.merge.missing import Missing
from benchsuite.running.merge.union import KEEP

__all__ = ["KEEP", "Merged", "Missing", "merge_studies"]
