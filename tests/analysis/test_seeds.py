"""Means and intervals over seeds."""

from __future__ import annotations

import math
import statistics

import pytest
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from benchsuite.analysis.seeds import aggregate, estimate, holm, student_p, student_quantile
from benchsuite.schema import Status

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8)


@given(VALUES)
def test_the_interval_is_students(values: list[float]) -> None:
    found = estimate(values)
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    half = scipy_stats.t.ppf(0.975, len(values) - 1) * spread / math.sqrt(len(values))
    assert found.mean == pytest.approx(mean, rel=1e-9, abs=1e-6)
    assert found.half_width == pytest.approx(half, rel=1e-6, abs=1e-6)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean <= found.high
    assert found.n == len(values)


@given(st.integers(1, 3000))
def test_students_quantile_is_scipys(df: int) -> None:
    assert student_quantile(df) == pytest.approx(scipy_stats.t.ppf(0.975, df), rel=1e-11)


@given(df=st.integers(1, 2000), share=st.floats(0.05, 0.99))
def test_students_quantile_of_any_share_is_scipys(df: int, share: float) -> None:
    assert student_quantile(df, share) == pytest.approx(scipy_stats.t.ppf((1 + share) / 2, df), rel=1e-9)


@given(df=st.integers(1, 2000), t=st.floats(-1e4, 1e4))
def test_students_p_is_scipys(df: int, t: float) -> None:
    assert student_p(t, df) == pytest.approx(2 * scipy_stats.t.sf(abs(t), df), rel=1e-10, abs=1e-300)


def test_students_p_at_the_ends() -> None:
    assert (student_p(0.0, 3), student_p(math.inf, 3)) == (1.0, 0.0)
    assert math.isnan(student_p(math.nan, 3))


@given(VALUES, st.floats(0.5, 4), st.floats(-100, 100))
def test_the_interval_moves_with_its_unit(values: list[float], scale: float, shift: float) -> None:
    first, second = estimate(values), estimate([scale * value + shift for value in values])
    assert second.mean == pytest.approx(scale * first.mean + shift, rel=1e-6, abs=1e-3)
    assert second.half_width == pytest.approx(scale * (first.half_width or 0), rel=1e-5, abs=1e-3)


def test_one_seed_has_no_interval() -> None:
    found = estimate([0.5])
    assert (found.mean, found.low, found.high, found.half_width, found.n) == (0.5, None, None, None, 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_not_hidden(bad: float) -> None:
    found = estimate([0.9, bad, 0.8])
    assert math.isnan(found.mean)
    assert found.half_width is None
    assert found.n == 3


def test_records_are_grouped_by_configuration_with_seeds_in_order() -> None:
    records = [record(0.9, seed=2), record(0.5, cell="gru"), record(0.7, seed=0), record(0.8, seed=1)]
    lstm, gru = aggregate(records)
    assert lstm.seeds == (0, 1, 2)
    assert lstm.primary is not None
    assert lstm.primary.mean == pytest.approx(0.8)
    assert lstm.primary.n == 3
    assert gru.trial.cell == "gru"
    assert lstm.configuration_id == records[0].trial.configuration_id


def test_only_what_ended_well_is_averaged_and_one_failure_keeps_a_configuration_out_of_the_ranking() -> None:
    [found] = aggregate([record(0.9, seed=0), record(None, Status.FAILED, seed=1)])
    assert found.primary is not None
    assert found.primary.n == 1
    assert not found.ranked
    assert aggregate([record(0.9)])[0].ranked
    assert not aggregate([record(0.9, parity="breach")])[0].ranked
    assert not aggregate([record(0.9, parity="not_checked")])[0].ranked


def test_a_scalar_that_a_seed_lacks_is_not_counted() -> None:
    name = "train/time_to_target_seconds"
    [found] = aggregate([record(seed=0, scalars={name: 4.0}), record(seed=1)])
    assert found.scalars[name].n == 1
    assert found.scalars["test/accuracy"].n == 2


def test_skipped_trials_make_no_configuration() -> None:
    assert aggregate([record(None, Status.SKIPPED)]) == []


def test_verdicts_that_seeds_do_not_share_are_all_told() -> None:
    shaky = record(seed=1)
    shaky = shaky.model_copy(update={"verdicts": {**shaky.verdicts, "gradient": "vanishing"}})
    [found] = aggregate([record(seed=0), shaky])
    assert found.verdict("gradient") == "stable/vanishing"
    assert found.verdict("none") == ""


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holms_correction_is_statsmodels(values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    expected = multipletests(values, method="holm")[1].tolist() if values else []
    assert holm(values) == pytest.approx(expected)
    assert holm([*values, math.nan])[:-1] == holm(values)
    assert holm([*values, *([1.0] * 3)])[: len(values)] == holm(values, len(values) + 3)


@pytest.mark.parametrize("value", [0.49917627677100496, 0.1, 1e-300, -3.3])
def test_equal_values_have_no_spread(value: float) -> None:
    found = estimate([value] * 3)
    assert (found.mean, found.half_width) == (value, 0.0)
