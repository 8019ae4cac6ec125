"""Numbers as people read them, in the terminal and in every report."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.report import Form
from benchsuite.report.formatting import (
    MINUS,
    format_count,
    format_date,
    format_duration,
    format_list,
    format_number,
    format_ratio,
    format_uncertain,
    format_value,
    scale_for,
)

FORMS = st.sampled_from(
    ["number", "seconds", "bytes", "rate", "share", "scientific", "integer", "mixed", "date"]
)


def read(text: str) -> float:
    """The number that a text shows."""
    return float(text.replace(MINUS, "-").replace(",", "").replace("∞", "inf"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.98765, "0.9877"),
        (-0.5, "−0.5"),
        (12345.6, "12,350"),
        (234581.0, "234,600"),
        (999.96, "1,000"),
        (2e12, "2e12"),
        (3.14e-7, "3.1e−7"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_has_as_many_digits_as_mean_something(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.6964, 0.19, "0.70 ± 0.19"),
        (0.976468, 0.00078, "0.9765 ± 0.0008"),
        (0.976468, 0.0023, "0.9765 ± 0.0023"),
        (12.3456, 0.5, "12.3 ± 0.5"),
        (1234.5, 200.0, "1,230 ± 200"),
        (234581.0, 4321.0, "235,000 ± 4,000"),
        (0.9, 5.0, "1 ± 5"),
        (0.5, None, "0.5"),
        (0.5, 0.0, "0.5 ± 0"),
        (0.5, math.nan, "0.5"),
        (math.inf, 1.0, "∞"),
        (math.nan, None, "NaN"),
    ],
)
def test_digits_follow_the_uncertainty(mean: float, half: float | None, text: str) -> None:
    assert format_value(mean, half) == text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.00125, "seconds", "1.25 ms"),
        (0.145547, "seconds", "146 ms"),
        (90.0, "seconds", "90.0 s"),
        (554.0, "seconds", "9 min 14 s"),
        (3e-10, "seconds", "0.300 ns"),
        (433062912.0, "bytes", "413 MiB"),
        (0.1234, "share", "12.3 %"),
        (0.0001234, "share", "0.0123 %"),
        (21345.6, "rate", "21,350"),
        (True, "text", "yes"),
        ("words", "text", "words"),
        (None, "number", ""),
        (0.0, "seconds", "0"),
        (math.inf, "seconds", "∞"),
        (math.nan, "bytes", "NaN"),
        (64, "integer", "64"),
        (12345, "integer", "12,345"),
        (0.9654321, "number", "0.9654"),
    ],
)
def test_one_value_has_a_unit_that_suits_it(value: float | str | None, form: Form, text: str) -> None:
    assert format_value(value, form=form) == text


def test_a_rough_figure_has_two_digits() -> None:
    assert format_value(154_099.0, rough=True) == "150,000"
    assert format_value(154_099.0, 20.0, unit="sequences/s", rough=True) == "150,000 sequences/s"
    assert format_value(0.0, rough=True) == "0"


def test_a_unit_is_said_of_what_is_finite() -> None:
    assert format_value(33.0, unit="steps") == "33 steps"
    assert format_value(math.inf, unit="steps") == "∞"
    assert format_value(1.25e-3, 2e-5, form="seconds") == "1.250 ± 0.020 ms"


def test_absent_infinite_and_not_a_number_are_three_things() -> None:
    assert len({format_value(None), format_value(math.inf), format_value(math.nan)}) == 3


def test_a_group_shares_its_unit_and_its_decimals() -> None:
    scale = scale_for("seconds", [0.0123, 0.00456, 0.1])
    assert scale.unit == "ms"
    assert [scale.format(value) for value in (0.0123, 0.00456, 0.1)] == ["12.3", "4.6", "100.0"]
    scale = scale_for("number", [0.9765, 0.98, 0.9])
    assert [scale.format(value) for value in (0.9765, 0.98, 0.9)] == ["0.9765", "0.9800", "0.9000"]


def test_a_group_that_no_unit_suits_gives_each_value_its_own() -> None:
    """A column of building times: 24 microseconds beside a seventh of a second."""
    scale = scale_for("seconds", [24e-6, 0.145547])
    assert scale.unit == ""
    assert [scale.format(value) for value in (24e-6, 0.145547, 0.0)] == ["24.0 µs", "146 ms", "0"]
    assert scale.format_uncertain(0.145547, 0.002) == ("145.5", "2.0 ms")


def test_a_group_of_values_far_apart_gives_each_its_own_digits() -> None:
    scale = scale_for("number", [1e-6, 1.0, 1e6])
    assert [scale.format(value) for value in (1.5e-6, 1.5, 1.5e6)] == ["1.5e−6", "1.5", "1,500,000"]


@given(
    st.floats().filter(lambda x: not 1e300 < abs(x) < math.inf),
    st.one_of(st.none(), st.floats(0)),
    FORMS,
    st.booleans(),
)
def test_any_number_can_be_written(value: float, half: float | None, form: Form, rough: bool) -> None:
    text = format_value(value, half, form=form, rough=rough)
    assert len(text) < 60
    assert "\n" not in text
    assert ("∞" in text) == (math.isinf(value) and form != "date")
    assert ("NaN" in text) == (math.isnan(value) and form != "date")


@given(st.floats(-1e8, 1e8), st.floats(1e-7, 1e8))
def test_a_value_never_has_more_digits_than_its_uncertainty(value: float, half: float) -> None:
    text, spread = format_uncertain(value, half)
    assert len(text.partition(".")[2]) == len(spread.partition(".")[2])
    assert read(spread) == pytest.approx(half, rel=0.15)
    assert abs(read(text) - value) <= 0.5 * half  # what rounding takes is within the uncertainty


@given(st.floats(-1e8, 1e8).filter(lambda x: abs(x) > 1e-3))
def test_a_number_is_written_to_within_its_digits(value: float) -> None:
    assert read(format_number(value)) == pytest.approx(value, rel=6e-4)


@given(st.lists(st.floats(1e-9, 1e5), min_size=1, max_size=20), st.sampled_from(["seconds", "bytes"]))
def test_in_a_group_with_units_no_value_is_unreadable(values: list[float], form: Form) -> None:
    """No value of a group is written as zero, or with more than seven digits before its point."""
    scale = scale_for(form, values)
    for value in values:
        text = scale.format(value).split(" ")[0]
        assert read(text) > 0 or scale.own_unit
        assert len(text.partition(".")[0].replace(",", "")) <= 7


@given(st.floats(-1e12, 1e12))
def test_any_duration_can_be_written(value: float) -> None:
    assert format_duration(value)


def test_words() -> None:
    assert format_count(1, "trial") == "1 trial"
    assert format_count(1200, "trial") == "1,200 trials"
    assert format_list(["a"]) == "a"
    assert format_list(["a", "b", "c"]) == "a, b and c"
    assert format_list(["a", "b", "c", "d"], most=2) == "a, b and 2 more"
    assert format_date(1795594284.0) == "2026-11-25 08:11 UTC"
    assert format_date(0.0) == ""
    assert format_date(math.nan) == ""
    assert format_duration(4140) == "1 h 9 min"
    assert format_duration(0.2) == "0 s"
    assert format_ratio(2.345) == "2.3"
    assert format_ratio(23.4) == "23"


def test_the_terminal_can_format_without_the_libraries_of_a_report() -> None:
    code = (
        "import sys; import benchsuite.report.formatting;"
        "print([name for name in ('altair', 'jinja2', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
