"""The task `time_series`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.data import window_starts, window_targets
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.spec import Dense, Features, ModelSpec, Size, recurrent_body
from benchsuite.spec.trial import Scalar
from benchsuite_time_series.files import STOCKS
from benchsuite_time_series.forecasts import naive, seasonal_naive
from benchsuite_time_series.metrics import forecast_metrics, seasonal_scale
from benchsuite_time_series.series import Series
from benchsuite_time_series.sources import SOURCES, stocks


class TimeSeries(Task):
    """Direct forecasting of `horizon` steps at once; `mse` of the standardised series ranks."""

    primary = "mse"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Windows (window, channels) float32 of one standardised series, held once; targets
        (n, horizon * forecast channels) float32, the channels of a time step side by side.

        metadata: `channels` (forecast), `mean`, `deviation` (of those, training split), `scale` (of MASE),
        `season`, `horizon`.
        """
        window, horizon = _steps(options, "window"), _steps(options, "horizon")
        series = _channels(_load(source, options), str(options["features"]))
        seen = series.values[: series.ends[0]]
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
        deviation = np.where(deviation == 0, 1.0, deviation)
        values = (series.values - mean) / deviation
        forecast = [series.target] if options["features"] != "multivariate" else list(range(values.shape[1]))
        truth = values[:, forecast]
        inputs = values.astype(np.float32)
        train, validation, test = (
            _split(source, inputs, truth, rows, (window, horizon)) for rows in pairwise((0, *series.ends))
        )
        metadata = {
            "channels": tuple(series.channels[index] for index in forecast),
            "mean": mean[forecast],
            "deviation": deviation[forecast],
            "scale": seasonal_scale(truth[: series.ends[0]], series.season),
            "season": series.season,
            "horizon": horizon,
        }
        origins = test.inputs.starts + window
        free = {
            "naive": naive(truth, origins, horizon),
            "seasonal_naive": seasonal_naive(truth, origins, horizon, series.season),
        }
        return Dataset(
            name=f"time_series/{source}",
            train=train,
            validation=validation,
            test=test,
            metadata=metadata,
            baselines={name: _score(guess, test, metadata) for name, guess in free.items()},
            licence=series.licence,
        )

    def model(
        self, dataset: Dataset, architecture: str, cell: str, size: Size, options: Mapping[str, Scalar]
    ) -> ModelSpec:
        """A recurrent stack, its last output, one linear layer to all horizon * channels values."""
        return ModelSpec(
            input=Features(dataset.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(dataset.metadata["horizon"] * len(dataset.metadata["channels"])),
            loss="absolute" if options["loss"] == "absolute" else "squared",
        )

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:
        """mse, mae, mase and smape of forecasts (n, horizon * channels); see forecast_metrics."""
        return _score(predictions, split, dataset.metadata)


def _score(predictions: np.ndarray, split: Split, metadata: Mapping[str, np.ndarray]) -> dict[str, float]:
    assert isinstance(split.targets, np.ndarray)
    moments = metadata["mean"], metadata["deviation"], metadata["scale"]
    return forecast_metrics(predictions, split.targets, *moments)


def _load(source: str, options: Mapping[str, Scalar]) -> Series:
    if source == "stocks":
        ticker = str(options["ticker"])
        if ticker not in STOCKS:
            raise UnknownNameError("ticker", ticker, STOCKS)
        return stocks(ticker)
    if source not in SOURCES:
        raise UnknownNameError("source of time_series", source, [*SOURCES, "stocks"])
    return SOURCES[source]()


def _channels(series: Series, features: str) -> Series:
    return series.only([series.target], 0) if features == "univariate" else series


def _split(
    source: str,
    inputs: np.ndarray,
    truth: np.ndarray,
    rows: tuple[int, int],
    steps: tuple[int, int],
) -> Split:
    """The windows whose forecasts lie in `rows`. Raises RequestError when there is none."""
    window, horizon = steps
    starts = window_starts(*rows, window, horizon)
    if len(starts) == 0:
        raise RequestError(
            f"time_series/{source}: window {window} and horizon {horizon} do not fit into its split "
            f"of time steps {rows[0]} to {rows[1]}; choose smaller ones."
        )
    lengths = np.full(len(starts), window, np.int64)
    targets = window_targets(truth.astype(np.float32), starts, window, horizon)
    return Split(Ragged(inputs, starts, lengths), targets)


def _steps(options: Mapping[str, Scalar], name: str) -> int:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RequestError(
            f"time_series: option {name} is {value!r}; it must be a number of time steps, 1 or more"
        )
    return value
