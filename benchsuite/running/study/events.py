"""Events of a running study: Begun, then Started, Progress and Finished of its trials; Warned at any time."""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.contracts import Finished, Notice, Progress, Started, StudyInfo
from benchsuite.running.matrix import Plan


@dataclass(frozen=True)
class Begun:
    """The study is about to run its plan."""

    study: StudyInfo
    plan: Plan


@dataclass(frozen=True)
class Warned:
    """Something is not as it should be, and the study goes on."""

    message: str


StudyEvent = Begun | Started | Progress | Finished | Notice | Warned
