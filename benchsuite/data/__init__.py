"""Data files pinned by hash, and what tasks share when they turn files into sequences.

Cheap to import: nothing here opens a file or a connection until it is asked to.
"""

from benchsuite.data.cache import Cached, FileState, cache_folder, fetch, list_files, status, verify_files
from benchsuite.data.classification import classification_metrics, confusion, majority_baseline
from benchsuite.data.file import DataFile
from benchsuite.data.options import whole_number
from benchsuite.data.splits import fixed_order, stratified_split
from benchsuite.data.text import JOINER, join_words, marked_words, words
from benchsuite.data.vocabulary import END, PADDING, START, UNKNOWN, Vocabulary
from benchsuite.data.windows import window_starts, window_targets

__all__ = [
    "END",
    "JOINER",
    "PADDING",
    "START",
    "UNKNOWN",
    "Cached",
    "DataFile",
    "FileState",
    "Vocabulary",
    "cache_folder",
    "classification_metrics",
    "confusion",
    "fetch",
    "fixed_order",
    "join_words",
    "list_files",
    "majority_baseline",
    "marked_words",
    "status",
    "stratified_split",
    "verify_files",
    "whole_number",
    "window_starts",
    "window_targets",
    "words",
]
