"""Rules of `verify` that ask what other parts of the analysis know."""

from __future__ import annotations

import pytest
from fixtures.planted import planted

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.publishing.rules import _below


@pytest.mark.parametrize(("value", "below"), [(0.9, False), (0.6, False), (0.5, True), (0.4, True)])
def test_a_bound_is_no_baseline_that_a_model_has_to_beat(value: float, below: bool) -> None:
    """verify and the ranking ask one function."""
    known = {"counts": {"accuracy": 0.5}, "true_entropy": {"accuracy": 1.0}}
    record = planted(value).model_copy(update={"baselines": known})
    assert _below(Evidence(record)) == below
    (ranking,) = rankings([record])
    assert ranking.best_baseline == ("counts", 0.5)
