"""Records: one line of JSON, NaN and infinity included; the series travel apart."""

from __future__ import annotations

import json
import math

import pytest
from fixtures.records import record
from fixtures.tiny import trial
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.validity import is_ranked
from benchsuite.schema import Record, Series, Status

FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(scalars=st.dictionaries(st.text(min_size=1, max_size=6), FLOATS, max_size=4))
def test_json_keeps_every_scalar_bit_for_bit(scalars: dict[str, float]) -> None:
    record = Record(trial=trial(), status=Status.DIVERGED, scalars=scalars)
    line = record.model_dump_json()
    assert "\n" not in line
    json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    again = Record.model_validate_json(line).scalars
    assert list(again) == list(scalars)
    for name, value in scalars.items():
        assert again[name] == value or (math.isnan(again[name]) and math.isnan(value))


def test_the_series_are_not_part_of_the_line() -> None:
    curve = Series(name="train/loss", axis="step", x=[1.0, 2.0], y=[0.5, math.nan])
    record = Record(trial=trial(), status=Status.OK, series=[curve])
    assert "series" not in json.loads(record.model_dump_json())
    again = Series.model_validate_json(curve.model_dump_json())
    assert (again.name, again.axis, again.x) == (curve.name, curve.axis, curve.x)
    assert math.isnan(again.y[1])


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("parity", ["ok", "breach", "not_checked", None])
def test_only_what_ended_well_at_parity_is_ranked(status: Status, parity: str | None) -> None:
    verdicts = {"parity": parity} if parity else {}
    record = Record(trial=trial(), status=status, verdicts=verdicts)
    assert is_ranked(record) == (status is Status.OK and parity == "ok")


def test_a_record_is_found_by_its_trial() -> None:
    assert Record(trial=trial(), status=Status.OK).trial_id == trial().id


def test_a_record_keeps_the_id_it_was_made_with() -> None:
    """A later version's trials may have more fields, and so other ids; the curves lie under the old one."""
    one = record()
    assert one.trial_id == one.trial.id
    text = one.model_dump_json().replace(one.trial.id, "0123456789abcdef")
    assert Record.model_validate_json(text).trial_id == "0123456789abcdef"
    other = one.trial.model_copy(update={"seed": 5})
    assert one.model_copy(update={"trial": other}).trial_id == other.id
