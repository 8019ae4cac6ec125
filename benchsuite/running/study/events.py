"""What a running study says: Begun, then Started, Progress and Finished of its trials; Warned at any time."""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.contracts import Finished, Progress, Started, StudyInfo
from benchsuite.running.matrix import Plan


@dataclass(frozen=True)
class Begun:
    """The study is about to run what its plan says."""

    study: StudyInfo
    plan: Plan


@dataclass(frozen=True)
class Warned:
    """Something is not as it should be, and the study goes on."""

    message: str


StudyEvent = Begun | Started | Progress | Finished | Warned
