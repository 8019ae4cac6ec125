"""What a rule looks at: a record with the files beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from benchsuite.analysis.identity import model_key
from benchsuite.schema import Exhibit, Record, Series, Status

SAME_FIGURE = 1e-9
"""Relative difference of two figures that were computed from the same numbers in another order."""


@dataclass(frozen=True)
class Evidence:
    """One record and what lies beside the journal of it.

    series    name -> curve
    exhibits  what there is to look at
    """

    record: Record
    series: Mapping[str, Series] = field(default_factory=dict)
    exhibits: Sequence[Exhibit] = ()

    @cached_property
    def model(self) -> str:
        """identity.model_key() of its trial."""
        return model_key(self.record.trial)

    @property
    def label(self) -> str:
        """The trial's id and label, for a sentence."""
        return f"{self.record.trial_id} ({self.record.trial.label})"

    @property
    def ended_well(self) -> bool:
        """Whether the trial ended with status `ok`, so that all of its figures must be there."""
        return self.record.status is Status.OK

    def scalar(self, name: str) -> float | None:
        """The scalar of that name; None where the record has none."""
        return self.record.scalars.get(name)

    def fault(self, text: str) -> str:
        """A sentence on this record."""
        return f"{self.label}: {text}"


def same(a: float, b: float, scale: float = 0.0) -> bool:
    """Whether two figures are equal up to rounding; two that are not numbers are.

    :param scale: a magnitude below which a difference is not looked at, as for a spread beside its median.
    """
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= SAME_FIGURE * max(abs(a), abs(b), scale)


def differs(found: Evidence, name: str, expected: float, source: str, scale: float = 0.0) -> str | None:
    """A fault where the scalar is there and is not the expected figure; None else.

    :param source: where the expected figure comes from, as a phrase.
    """
    value = found.scalar(name)
    if value is None or same(value, expected, scale):
        return None
    return found.fault(f"{name} is {value:.9g}, and {source} {expected:.9g}")
