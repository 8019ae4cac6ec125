import gzip
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fixtures.tasks import load_task, need_files
from hypothesis import given
from hypothesis import strategies as st

import benchsuite_time_series
from benchsuite.errors import DataError, RequestError, UnknownNameError
from benchsuite.schema import Dense, Features, Recurrent, Scalar, Size
from benchsuite_time_series import files
from benchsuite_time_series.forecasts import naive, seasonal_naive
from benchsuite_time_series.metrics import Scaling, forecast_metrics, seasonal_scale
from benchsuite_time_series.series import carried_forward
from benchsuite_time_series.sources import (
    SOURCES,
    co2,
    etth1,
    read_beijing,
    read_etth1,
    read_exchange,
    read_melbourne,
    read_prices,
    stocks,
)
from benchsuite_time_series.task import LoadedTimeSeries

(ENTRY,) = benchsuite_time_series.benchsuite_register_tasks()
OFFLINE = ("sunspots", "elnino", "co2")


def load(source: str, **given: Scalar) -> LoadedTimeSeries:
    return load_task(LoadedTimeSeries, ENTRY, source, **given)


def test_listing_the_task_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_time_series as m; m.benchsuite_register_tasks();"
        "print([n for n in ('statsmodels', 'scipy', 'pandas', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_card_and_the_sources_agree() -> None:
    assert set(ENTRY.sources) == {*SOURCES, "stocks"}
    assert set(ENTRY.offline) == set(OFFLINE)


@pytest.mark.parametrize("source", OFFLINE)
def test_windows_are_disjoint_in_what_they_forecast(source: str) -> None:
    series = SOURCES[source]()
    data = load(source, window=12, horizon=6, relative=False)
    values = (series.values - data.scaling.mean) / data.scaling.deviation
    for split, (first, stop) in zip(
        (data.train, data.validation, data.test), pairwise((0, *series.ends)), strict=True
    ):
        begins = split.inputs.starts + 12
        assert begins.min() == max(first, 12)
        assert begins.max() + 6 == stop
        for row in (0, len(split) - 1):
            expected = values[begins[row] : begins[row] + 6].reshape(-1)
            np.testing.assert_allclose(split.row_targets[row], expected, rtol=1e-6)


@pytest.mark.parametrize("source", OFFLINE)
def test_the_training_split_alone_sets_the_scale(source: str) -> None:
    series, data = SOURCES[source](), load(source)
    train = series.values[: series.ends[0]]
    np.testing.assert_allclose(data.scaling.mean, train.mean(axis=0))
    np.testing.assert_allclose(data.scaling.deviation, train.std(axis=0))


@pytest.mark.parametrize("source", OFFLINE)
def test_relative_windows_end_at_zero_and_mean_the_same(source: str) -> None:
    level, relative = load(source, relative=False), load(source, relative=True)
    for split, other in (
        (level.train, relative.train),
        (level.validation, relative.validation),
        (level.test, relative.test),
    ):
        assert len(split) == len(other)
        for row in (0, len(split) // 2, len(split) - 1):
            window, last = split.inputs[row], split.inputs[row][-1]
            np.testing.assert_allclose(other.inputs[row], window - last, atol=1e-6)
            np.testing.assert_allclose(other.row_targets[row], split.row_targets[row] - last, atol=1e-6)
    assert level.baselines == relative.baselines


def test_the_mean_baseline_is_that_of_the_training_split() -> None:
    """Of a series of changes the last value is a poor forecast, and beating it proves little."""
    data = load("co2")
    mean, naive_error = data.baselines["mean"], data.baselines["naive"]
    assert data.anchors is not None
    truth = data.test.row_targets + np.tile(
        data.anchors[data.test.inputs.starts // data.window],
        data.horizon,
    )
    assert mean["mse"] == pytest.approx(float(np.mean(truth**2)), rel=1e-5)
    assert mean["mse"] < 0.8 * naive_error["mse"]


@pytest.mark.parametrize("source", OFFLINE)
def test_forecasting_no_change_is_the_naive_forecast(source: str) -> None:
    data = load(source)
    found = data.score(np.zeros_like(data.test.row_targets), data.test)
    assert found == pytest.approx(data.baselines["naive"], rel=1e-5)
    some = data.test.select(np.array([3, 1]))
    assert data.score(np.zeros((2, 24)), some)["mse"] == pytest.approx(np.mean(some.row_targets**2))


def test_a_perfect_forecast_has_no_error() -> None:
    data = load("elnino")
    assert data.score(data.test.row_targets, data.test) == {"mse": 0, "mae": 0, "mase": 0, "smape": 0}
    assert data.primary == "mse"
    assert not data.higher_is_better


def test_windows_of_levels_share_one_series() -> None:
    data = load("elnino", relative=False)
    assert data.train.inputs.values is data.test.inputs.values
    assert len(data.train.inputs.values) == 732


def test_the_change_of_co2_knows_nothing_of_the_future() -> None:
    values = co2().values
    assert len(values) == 2283
    assert not np.isnan(values).any()


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(RequestError, match="window 48 and horizon 100 do not fit"):
        load("sunspots", horizon=100)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"horizon": 2.5}, {"window": True}])
def test_options_out_of_range_are_refused(wrong: dict[str, Scalar]) -> None:
    with pytest.raises(RequestError, match=next(iter(wrong))):
        load("elnino", **wrong)


def test_unknown_names_are_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'etth1'"):
        load("etth")
    with pytest.raises(UnknownNameError, match="did you mean 'AAPL'"):
        load("stocks", ticker="AAPLE")


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_the_model_forecasts_the_whole_horizon(loss: str) -> None:
    model = load("elnino", horizon=6, loss=loss).model("bidirectional", "gru", Size(hidden=5))
    assert model.input == Features(1)
    assert model.body == Recurrent("gru", 5, 1, bidirectional=True)
    assert (model.head, model.loss, model.readout) == (Dense(6), loss, "last")


def test_carrying_forward_fills_from_the_past_only() -> None:
    nan = np.nan
    found = carried_forward(np.array([[nan, 1.0], [2.0, nan], [nan, nan], [3.0, 4.0]]))
    np.testing.assert_array_equal(found, [[nan, 1.0], [2.0, 1.0], [2.0, 1.0], [3.0, 4.0]])


@given(st.integers(1, 6), st.integers(1, 9), st.integers(1, 3))
def test_a_season_repeats_itself_without_error(season: int, horizon: int, channels: int) -> None:
    values = np.tile(np.random.RandomState(0).normal(size=(season, channels)), (12, 1))
    origins = np.arange(season, len(values) - horizon)
    found = seasonal_naive(values, origins, horizon, season)
    for origin, forecast in zip(origins, found, strict=True):
        np.testing.assert_array_equal(forecast, values[origin : origin + horizon].reshape(-1))
    one = seasonal_naive(values, origins, horizon, 1)
    np.testing.assert_array_equal(one, naive(values, origins, horizon))


def test_a_season_longer_than_the_past_repeats_the_past() -> None:
    values = np.arange(6.0)[:, None]
    assert seasonal_naive(values, np.array([2]), 4, 10).tolist() == [[0, 1, 0, 1]]


def test_metrics_by_hand() -> None:
    truth, forecast = np.array([[1.0, 10.0], [3.0, 10.0]]), np.array([[2.0, 10.0], [3.0, 14.0]])
    found = forecast_metrics(forecast, truth, Scaling(np.zeros(2), np.ones(2), np.array([1.0, 4.0])))
    assert found["mse"] == pytest.approx((1 + 16) / 4)
    assert found["mae"] == pytest.approx((1 + 4) / 4)
    assert found["mase"] == pytest.approx((0.5 / 1 + 2 / 4) / 2)
    assert found["smape"] == pytest.approx((2 / 3 + 8 / 24) / 4)


def test_smape_is_in_the_units_of_the_data_and_zero_by_zero_is_zero() -> None:
    scaling = Scaling(np.array([10.0]), np.array([2.0]), np.ones(1))
    found = forecast_metrics(np.array([[1.0], [-5.0]]), np.array([[0.0], [-5.0]]), scaling)
    assert found["smape"] == pytest.approx((2 * 2 / 22 + 0) / 2)


def test_the_scale_of_mase_is_the_seasonal_error_within_the_training_split() -> None:
    train = np.array([[0.0], [1.0], [3.0], [3.0]])
    assert seasonal_scale(train, 2).tolist() == [2.5]
    assert seasonal_scale(train, 9).tolist() == [1.0]


def test_etth1_files_are_read_with_the_published_split(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text("date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n2016-07-01 00:00:00,1,2,3,4,5,6,7\n")
    series = read_etth1(path)
    assert series.values.tolist() == [[1, 2, 3, 4, 5, 6, 7]]
    assert (series.channels[series.target], series.season, series.ends) == ("OT", 24, (8640, 11520, 14400))


BEIJING = "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir\r\n"


def test_beijing_files_lose_the_unknown_beginning_and_carry_gaps(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text(
        BEIJING + "1,2010,1,1,0,NA,-21,-11,1021,NW,1.79,0,0\r\n2,2010,1,1,1,129,-20,-12,1020,cv,4.92,0,0\r\n"
        "3,2010,1,1,2,NA,-19,-13,1019,SE,6.71,1,2",
        newline="",
    )
    series = read_beijing(path)
    assert series.channels == ("TEMP", "DEWP", "PRES", "Iws", "Is", "Ir", "north", "east", "pm25")
    half = 0.5**0.5
    expected = [[-12, -20, 1020, 4.92, 0, 0, 0, 0, 129], [-13, -19, 1019, 6.71, 1, 2, -half, half, 129]]
    np.testing.assert_allclose(series.values, expected)


def test_wind_from_nowhere_known_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text(BEIJING + "1,2010,1,1,0,9,-21,-11,1021,up,1.79,0,0\n")
    with pytest.raises(DataError, match="wind from up"):
        read_beijing(path)


def test_melbourne_files(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text('"Date","Temp"\r\n"1981-01-01",20.7\r\n"1981-01-02",17.9', newline="")
    assert read_melbourne(path).values.tolist() == [[20.7], [17.9]]


@pytest.mark.parametrize(
    "header", ["Date,Open,High,Low,Close,Adj Close,Volume", "date,open,high,low,close,adjclose,volume"]
)
def test_prices_become_log_returns(tmp_path: Path, header: str) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text(f"{header}\n2012-09-04,10,12,9,11,10,100\n2012-09-05,11,14,10,12,12,200\n")
    series = read_prices(path, files.SP500)
    assert series.channels == ("return", "range", "body", "volume")
    np.testing.assert_allclose(series.values, np.log([[1.2, 1.4, 12 / 11, 2.0]]))


def test_exchange_files(tmp_path: Path) -> None:
    path = tmp_path / "tiny.txt.gz"
    path.write_bytes(gzip.compress(b"0.7855,1.6110\n0.7818,1.6100\n"))
    series = read_exchange(path)
    assert series.values.tolist() == [[0.7855, 1.611], [0.7818, 1.61]]
    assert series.target == 1


def test_a_file_without_its_columns_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"no column OT; it has a, b"):
        read_etth1(path)


@pytest.mark.data
def test_etth1_keeps_the_published_counts() -> None:
    need_files(ENTRY)
    data = load("etth1", window=96)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [8521, 2857, 2857]
    assert etth1().values.shape == (17_420, 7)
    every = load("etth1", features="multivariate", horizon=168)
    assert every.test.row_targets.shape == (2880 - 168 + 1, 168 * 7)
    assert every.train.inputs.values.shape[1] == 7
    covariates = load("etth1", features="covariates")
    assert covariates.train.inputs.values.shape[1] == 7
    assert covariates.baselines == load("etth1").baselines


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "shape"),
    [
        ("weather_beijing", (43_800, 9)),
        ("weather_melbourne", (3650, 1)),
        ("sp500", (5104, 4)),
        ("exchange", (7588, 8)),
    ],
)
def test_the_real_series(source: str, shape: tuple[int, int]) -> None:
    need_files(ENTRY)
    values = SOURCES[source]().values
    assert values.shape == shape
    assert np.isfinite(values).all()
    assert set(load(source).baselines) == {"mean", "naive", "seasonal_naive"}


@pytest.mark.data
@pytest.mark.parametrize("ticker", files.STOCKS)
def test_every_stock(ticker: str) -> None:
    need_files(ENTRY)
    series = stocks(ticker)
    assert series.values.shape == (1257, 4)
    assert np.isfinite(series.values).all()
    assert np.all(series.values[:, 1] >= 0)


@pytest.mark.data
def test_the_range_of_melbourne_and_of_the_exchange_rates() -> None:
    need_files(ENTRY)
    melbourne, rates = SOURCES["weather_melbourne"]().values, SOURCES["exchange"]().values
    assert (melbourne.min(), melbourne.max()) == (0.0, 26.3)
    assert rates.min() == pytest.approx(0.006254, abs=1e-6)
    assert rates.max() == pytest.approx(2.109, abs=1e-3)


@pytest.mark.parametrize("relative", [True, False])
def test_forecasts_are_shown_in_the_datas_own_units(relative: bool) -> None:
    data = load("elnino", window=24, horizon=12, relative=relative)
    shown = data.exhibits(data.test.row_targets, data.test, {})
    assert len(shown) == 4
    for one in shown:
        assert one.kind == "forecast"
        assert one.tables["prediction"] == one.tables["truth"]
        assert np.shape(one.tables["input"]) == (24, 1)
        assert np.shape(one.tables["truth"]) == (12, 1)
        assert 15 < np.min(one.tables["truth"]) < np.max(one.tables["input"]) < 35  # degrees Celsius
