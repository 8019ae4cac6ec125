"""The task `time_series`: data set, model, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from benchsuite.contracts import Dataset, Split, Task
from benchsuite.data import window_starts, window_targets
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar
from benchsuite_time_series.files import STOCKS
from benchsuite_time_series.forecasts import naive, seasonal_naive, training_mean
from benchsuite_time_series.metrics import forecast_metrics, seasonal_scale
from benchsuite_time_series.series import Series
from benchsuite_time_series.sources import SOURCES, stocks
from benchsuite_time_series.splits import relative_splits, shared_splits

_SHOWN = 4


class TimeSeries(Task):
    """Direct forecasting of `horizon` steps at once; `mse` of the standardised series ranks."""

    primary = "mse"
    higher_is_better = False

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Windows (window, channels) float32 of the standardised series; targets (n, horizon * forecast
        channels) float32, the channels of a time step side by side.

        Windows share the rows of one series, or with the option `relative` hold rows of their own.

        metadata: `channels` (forecast), `mean`, `deviation` (of those, training split), `scale` (of MASE),
        `season`, `horizon`, `window`, `anchors` ((windows, channels), what `relative` took away, or None).
        """
        window, horizon = _steps(options, "window"), _steps(options, "horizon")
        series = _load(source, options)
        if options["features"] == "univariate":
            series = series.only([series.target], 0)
        seen = series.values[: series.ends[0]]
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
        deviation = np.where(deviation == 0, 1.0, deviation)
        values = (series.values - mean) / deviation
        forecast = list(range(values.shape[1])) if options["features"] == "multivariate" else [series.target]
        truth = values[:, forecast]
        starts = [
            _starts(source, first, stop, window, horizon) for first, stop in pairwise((0, *series.ends))
        ]
        anchors = None
        if options["relative"]:
            train, validation, test = relative_splits(values, forecast, starts, window, horizon)
            anchors = truth[np.concatenate(starts) + window - 1]
        else:
            train, validation, test = shared_splits(values, forecast, starts, window, horizon)
        metadata = {
            "channels": tuple(series.channels[index] for index in forecast),
            "mean": mean[forecast],
            "deviation": deviation[forecast],
            "scale": seasonal_scale(truth[: series.ends[0]], series.season),
            "season": series.season,
            "window": window,
            "horizon": horizon,
            "anchors": anchors,
        }
        origins = starts[2] + window
        free = {
            "mean": training_mean(truth[: series.ends[0]], origins, horizon),
            "naive": naive(truth, origins, horizon),
            "seasonal_naive": seasonal_naive(truth, origins, horizon, series.season),
        }
        actual = window_targets(truth, starts[2], window, horizon)
        return Dataset(
            name=f"time_series/{source}",
            train=train,
            validation=validation,
            test=test,
            metadata=metadata,
            baselines={name: _score(guess, actual, metadata) for name, guess in free.items()},
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
        assert isinstance(split.targets, np.ndarray)
        metadata = dataset.metadata
        if metadata["anchors"] is None:
            return _score(predictions, split.targets, metadata)
        rows = split.inputs.starts // metadata["window"]
        anchors = np.tile(metadata["anchors"][rows], metadata["horizon"])
        return _score(predictions + anchors, split.targets + anchors, metadata)

    def exhibits(
        self,
        predictions: np.ndarray,
        split: Split,
        dataset: Dataset,
        alignments: Mapping[int, np.ndarray],  # noqa: ARG002
    ) -> list[Exhibit]:
        """Forecasts beside the truth in the data's own units, at _SHOWN origins from the first to the last."""
        assert isinstance(split.targets, np.ndarray)
        metadata = dataset.metadata
        mean, deviation = metadata["mean"], metadata["deviation"]
        found = []
        for row in np.unique(np.linspace(0, len(split) - 1, _SHOWN).astype(int)):
            anchor = np.zeros(len(mean))
            if metadata["anchors"] is not None:
                anchor = metadata["anchors"][split.inputs.starts[row] // metadata["window"]]
            tables = {"truth": split.targets[row], "prediction": predictions[row]}
            if split.inputs.values.shape[1] == len(mean):  # else the window holds more than is forecast
                tables = {"input": split.inputs[row], **tables}
            units = {
                name: (values.reshape(-1, len(mean)).astype(np.float64) + anchor) * deviation + mean
                for name, values in tables.items()
            }
            found.append(
                Exhibit(
                    name=f"test window {row + 1} of {len(split)}",
                    kind="forecast",
                    tables={name: values.tolist() for name, values in units.items()},
                )
            )
        return found


def _score(forecast: np.ndarray, truth: np.ndarray, metadata: Mapping[str, np.ndarray]) -> dict[str, float]:
    return forecast_metrics(forecast, truth, metadata["mean"], metadata["deviation"], metadata["scale"])


def _load(source: str, options: Mapping[str, Scalar]) -> Series:
    if source == "stocks":
        ticker = str(options["ticker"])
        if ticker not in STOCKS:
            raise UnknownNameError("ticker", ticker, STOCKS)
        return stocks(ticker)
    if source not in SOURCES:
        raise UnknownNameError("source of time_series", source, [*SOURCES, "stocks"])
    return SOURCES[source]()


def _starts(source: str, first: int, stop: int, window: int, horizon: int) -> np.ndarray:
    starts = window_starts(first, stop, window, horizon)
    if len(starts) == 0:
        raise RequestError(
            f"time_series/{source}: window {window} and horizon {horizon} do not fit into the split of time "
            f"steps {first} to {stop}; choose smaller ones."
        )
    return starts


def _steps(options: Mapping[str, Scalar], name: str) -> int:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RequestError(
            f"time_series: option {name} is {value!r}; it must be a number of time steps, 1 or more"
        )
    return value
