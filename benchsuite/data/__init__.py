"""Data files pinned by hash, and what tasks share when they turn files into sequences.

Cheap to import: nothing here opens a file or a connection until it is asked to.
"""

from benchsuite.contracts.file import DataFile
from benchsuite.data.bag_of_words import presence
from benchsuite.data.cache import (
    Cached,
    FileState,
    cache_folder,
    fetch,
    list_files,
    status,
)
from benchsuite.data.classification import (
    CLASSIFIER_READOUTS,
    Classification,
    classification_metrics,
    majority_baseline,
)
from benchsuite.data.packing import first_fit, packed, unpacked
from benchsuite.data.progress import DownloadProgress
from benchsuite.data.recall import LoadedRecall
from benchsuite.data.sequence_to_sequence import (
    ATTENTION_SCORES,
    DECODER_OPTIONS,
    UNKNOWN_MARK,
    SequenceToSequence,
    facts_by_start,
    facts_of,
    generation_limit,
    sequence_splits,
)
from benchsuite.data.splits import fixed_order, rows_apart, stratified_split
from benchsuite.data.text import JOINER, join_words, marked_words, words
from benchsuite.data.vocabulary import END, PADDING, START, UNKNOWN, Vocabulary
from benchsuite.data.windows import window_starts, window_targets

__all__ = [
    "ATTENTION_SCORES",
    "CLASSIFIER_READOUTS",
    "DECODER_OPTIONS",
    "END",
    "JOINER",
    "PADDING",
    "START",
    "UNKNOWN",
    "UNKNOWN_MARK",
    "Cached",
    "Classification",
    "DataFile",
    "DownloadProgress",
    "FileState",
    "LoadedRecall",
    "SequenceToSequence",
    "Vocabulary",
    "cache_folder",
    "classification_metrics",
    "facts_by_start",
    "facts_of",
    "fetch",
    "first_fit",
    "fixed_order",
    "generation_limit",
    "join_words",
    "list_files",
    "majority_baseline",
    "marked_words",
    "packed",
    "presence",
    "rows_apart",
    "sequence_splits",
    "status",
    "stratified_split",
    "unpacked",
    "window_starts",
    "window_targets",
    "words",
]
