"""A study: trials in, records out, observers told."""

from benchsuite.study.api import results_folder, run
from benchsuite.study.events import Begun, StudyEvent, Warned
from benchsuite.study.running import run_study
from benchsuite.study.study import Study

__all__ = ["Begun", "Study", "StudyEvent", "Warned", "results_folder", "run", "run_study"]
