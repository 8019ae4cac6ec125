"""Studies: run trials, store their records, call the observers."""

from benchsuite.contracts.study import results_folder
from benchsuite.running.study.api import run
from benchsuite.running.study.events import Begun, StudyEvent, Warned
from benchsuite.running.study.runner import run_study
from benchsuite.running.study.study import StoredStudy

__all__ = ["Begun", "StoredStudy", "StudyEvent", "Warned", "results_folder", "run", "run_study"]
