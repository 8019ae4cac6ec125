"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.report import Form
from benchsuite.report.words import alone, count, date, estimate, figure, listed, scale_for, times, with_half


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.98765, "0.9877"),
        (-0.5, "−0.5"),
        (12345.6, "12,346"),
        (2e12, "2e12"),
        (3.14e-7, "3.1e−7"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_has_as_many_digits_as_mean_something(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.976468, 0.00078, "0.9765 ± 0.0008"),
        (0.976468, 0.0023, "0.9765 ± 0.0023"),
        (12.3456, 0.5, "12.3 ± 0.5"),
        (1234.5, 200.0, "1,234 ± 200"),
        (0.5, None, "0.5"),
        (0.5, 0.0, "0.5 ± 0"),
        (0.5, math.nan, "0.5"),
    ],
)
def test_an_interval_leaves_the_mean_the_digits_that_it_can_have(
    mean: float, half: float | None, text: str
) -> None:
    assert estimate(mean, half) == text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.00125, "seconds", "1.25 ms"),
        (90.0, "seconds", "90.0 s"),
        (3e-10, "seconds", "0.300 ns"),
        (433062912.0, "bytes", "413 MiB"),
        (0.1234, "share", "12.3 %"),
        (21345.6, "rate", "21,346"),
        (True, "text", "yes"),
        ("words", "text", "words"),
        (None, "number", ""),
        (0.0, "seconds", "0"),
        (math.inf, "seconds", "∞"),
        (64, "integer", "64"),
        (0.9654321, "number", "0.9654"),
    ],
)
def test_one_value_has_a_unit_that_suits_it(value: float | str | None, form: Form, text: str) -> None:
    assert alone(value, form) == text


def test_a_column_shares_its_unit_and_its_decimals() -> None:
    scale = scale_for("seconds", [0.0123, 0.00456, 0.1])
    assert scale.unit == "ms"
    assert [scale.write(value) for value in (0.0123, 0.00456, 0.1)] == ["12.3", "4.6", "100.0"]
    scale = scale_for("number", [0.9765, 0.98, 0.9])
    assert [scale.write(value) for value in (0.9765, 0.98, 0.9)] == ["0.9765", "0.9800", "0.9000"]


def test_a_column_of_values_far_apart_gives_each_its_own_digits() -> None:
    scale = scale_for("number", [1e-6, 1.0, 1e6])
    assert [scale.write(value) for value in (1.5e-6, 1.5, 1.5e6)] == ["1.5e−6", "1.5", "1,500,000"]


@given(
    st.floats(),
    st.sampled_from(["number", "seconds", "bytes", "rate", "share", "scientific", "integer", "date"]),
)
def test_any_number_can_be_written(value: float, form: Form) -> None:
    text = alone(value, form)
    assert len(text) < 40
    assert "\n" not in text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(0, 1e30))
def test_any_estimate_can_be_written(mean: float, half: float) -> None:
    value, spread = with_half(mean, half)
    assert value
    assert float(spread.replace(",", "")) == pytest.approx(half, rel=0.15, abs=1e-8)


@given(st.floats(-1e8, 1e8).filter(lambda x: abs(x) > 1e-3))
def test_a_number_is_written_to_within_its_digits(value: float) -> None:
    text = figure(value).replace("−", "-").replace(",", "")
    assert float(text) == pytest.approx(value, rel=6e-4)


def test_words() -> None:
    assert count(1, "trial") == "1 trial"
    assert count(1200, "trial") == "1,200 trials"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert date(1795594284.0) == "2026-11-25 08:11 UTC"
    assert date(0.0) == ""
    assert date(math.nan) == ""
    assert times(2.345) == "2.3"
    assert times(23.4) == "23"
