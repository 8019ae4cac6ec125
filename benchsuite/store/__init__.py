"""Studies on disk: the journal of records, the curves beside it, and what the study was."""

from benchsuite.store.journal import Damage, Journal
from benchsuite.store.replacing import replacing
from benchsuite.store.series import read_series, write_series
from benchsuite.store.studies import DESCRIPTION, FOLDERS, RACES, StudyStore, study_folder

__all__ = [
    "DESCRIPTION",
    "FOLDERS",
    "RACES",
    "Damage",
    "Journal",
    "StudyStore",
    "read_series",
    "replacing",
    "study_folder",
    "write_series",
]
