"""Studies on disk: the journal of records, the curves beside it, and what the study was."""

from benchsuite.running.store.atomic import PARTIAL, atomic_write
from benchsuite.running.store.attachments import write_exhibits
from benchsuite.running.store.attempts import attempt_of
from benchsuite.running.store.journal import Journal
from benchsuite.running.store.series import read_series, write_series
from benchsuite.running.store.studies import (
    ARTIFACTS,
    DESCRIPTION,
    EXHIBITS_FOLDER,
    INDEX,
    JOURNAL,
    MERGED,
    RACES,
    REPOSITORY_MARKER,
    STUDIES_FOLDER,
    STUDY_FOLDERS,
    StudyStore,
    latest,
    study_folder,
)

__all__ = [
    "ARTIFACTS",
    "DESCRIPTION",
    "EXHIBITS_FOLDER",
    "INDEX",
    "JOURNAL",
    "MERGED",
    "PARTIAL",
    "RACES",
    "REPOSITORY_MARKER",
    "STUDIES_FOLDER",
    "STUDY_FOLDERS",
    "Journal",
    "StudyStore",
    "atomic_write",
    "attempt_of",
    "latest",
    "read_series",
    "study_folder",
    "write_exhibits",
    "write_series",
]
