"""What a record says of the way that it ran."""

from __future__ import annotations

import pytest
from fixtures.records import record

from benchsuite.analysis.ways import COSTS, WAY, way_that_ran
from benchsuite.measure.calibration import Choice, Way
from benchsuite.schema import Execution, Record


def with_facts(facts: dict[str, str]) -> Record:
    return record(0.9).model_copy(update={"environment": facts})


def test_what_a_calibration_keeps_in_a_record_is_read_again() -> None:
    seconds = {"dynamic products=blas": 0.012, "dynamic products=onednn": 0.02, "fused products=blas": 0.01}
    chosen = Way(Execution(unroll="fused", choices="products=blas"))
    found = way_that_ran(with_facts(Choice(chosen, seconds).facts()))
    assert found is not None
    assert found.name == "fused products=blas"
    assert found.default == pytest.approx(1.2)
    assert list(found.others) == ["dynamic products=blas", "dynamic products=onednn"]
    assert found.others["dynamic products=onednn"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, None),
        ({COSTS: "a: 1"}, None),
        (Choice(Way(Execution()), {}).facts(), "dynamic"),
        ({WAY: "fused", COSTS: "fused: quick"}, "fused"),
        ({WAY: "fused", COSTS: "; ; nothing"}, "fused"),
    ],
)
def test_where_nothing_was_measured_nothing_is_said(facts: dict[str, str], name: str | None) -> None:
    found = way_that_ran(with_facts(facts))
    assert (found.name if found else None) == name
    assert found is None or (found.costs, found.default, found.others) == ({}, None, {})
