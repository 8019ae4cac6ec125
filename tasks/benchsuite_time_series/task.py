"""The task `time_series`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Split, Task
from benchsuite.data import window_starts, window_targets
from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Exhibit, Features, Loss, ModelSpec, Size, recurrent_body
from benchsuite_time_series.forecasts import naive, seasonal_naive, training_mean
from benchsuite_time_series.metrics import Scaling, forecast_metrics, seasonal_scale
from benchsuite_time_series.series import Series
from benchsuite_time_series.sources import SOURCES, stocks
from benchsuite_time_series.splits import relative_splits, shared_splits

LOSSES: tuple[Loss, ...] = ("squared", "absolute")
"""The values of the option `loss`."""

_SHOWN = 4


class TimeSeries(Task):
    """Windows of a series, standardised by its training split."""

    def load(self, source: str, options: Options) -> LoadedTimeSeries:
        """Windows (window, channels) float32 of the standardised series; targets (n, horizon * forecast
        channels) float32, the channels of a time step side by side.

        Windows share the rows of one series, or with the option `relative` hold rows of their own.

        Raises RequestError where a split has no room for a window and its forecast.
        """
        window, horizon = options.integer("window"), options.integer("horizon")
        features = options.text("features")
        series = _load(source, options)
        if features == "univariate":
            series = series.only([series.target], 0)
        seen = series.values[: series.ends[0]]
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
        deviation = np.where(deviation == 0, 1.0, deviation)
        values = (series.values - mean) / deviation
        forecast = list(range(values.shape[1])) if features == "multivariate" else [series.target]
        truth = values[:, forecast]
        starts = [
            _starts(source, first, stop, window, horizon) for first, stop in pairwise((0, *series.ends))
        ]
        anchors = None
        if options.flag("relative"):
            train, validation, test = relative_splits(values, forecast, starts, window, horizon)
            anchors = truth[np.concatenate(starts) + window - 1]
        else:
            train, validation, test = shared_splits(values, forecast, starts, window, horizon)
        scaling = Scaling(
            mean[forecast], deviation[forecast], seasonal_scale(truth[: series.ends[0]], series.season)
        )
        origins = starts[2] + window
        free = {
            "mean": training_mean(truth[: series.ends[0]], origins, horizon),
            "naive": naive(truth, origins, horizon),
            "seasonal_naive": seasonal_naive(truth, origins, horizon, series.season),
        }
        actual = window_targets(truth, starts[2], window, horizon)
        return LoadedTimeSeries(
            name=f"time_series/{source}",
            train=train,
            validation=validation,
            test=test,
            channels=tuple(series.channels[index] for index in forecast),
            scaling=scaling,
            season=series.season,
            window=window,
            horizon=horizon,
            anchors=anchors,
            loss=options.one_of("loss", LOSSES),
            baselines={name: forecast_metrics(guess, actual, scaling) for name, guess in free.items()},
            licence=series.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedTimeSeries(LoadedTask):
    """Direct forecasting of `horizon` steps at once; `mse` of the standardised series ranks.

    channels  names of the channels that are forecast
    scaling   of those channels
    season    time steps after which the series is expected to repeat itself
    window    time steps that the model sees
    horizon   time steps that it forecasts
    anchors   (windows, channels) float64: what was taken from each window of all splits; None where they hold
              levels. Window k begins at row k * window of the inputs
    loss      training loss
    """

    primary = "mse"
    higher_is_better = False

    channels: tuple[str, ...]
    scaling: Scaling = field(repr=False)
    season: int
    window: int
    horizon: int
    anchors: np.ndarray | None = field(repr=False)
    loss: Loss

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack, its last output, one linear layer to all horizon * channels values."""
        return ModelSpec(
            input=Features(self.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(self.horizon * len(self.channels)),
            loss=self.loss,
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """mse, mae, mase and smape of forecasts (n, horizon * channels); see forecast_metrics."""
        targets = split.row_targets
        if self.anchors is None:
            return forecast_metrics(predictions, targets, self.scaling)
        anchors = np.tile(self.anchors[split.inputs.starts // self.window], self.horizon)
        return forecast_metrics(predictions + anchors, targets + anchors, self.scaling)

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """Forecasts beside the truth in the data's own units, at _SHOWN origins from the first to the last."""
        targets, channels = split.row_targets, len(self.channels)
        found = []
        for row in np.unique(np.linspace(0, len(split) - 1, _SHOWN).astype(int)):
            anchor = np.zeros(channels)
            if self.anchors is not None:
                anchor = self.anchors[split.inputs.starts[row] // self.window]
            tables = {"truth": targets[row], "prediction": predictions[row]}
            if split.inputs.values.shape[1] == channels:  # else the window holds more than is forecast
                tables = {"input": split.inputs[row], **tables}
            units = {
                name: self.scaling.in_units(values.reshape(-1, channels).astype(np.float64) + anchor)
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


def _load(source: str, options: Options) -> Series:
    return stocks(options.text("ticker")) if source == "stocks" else SOURCES[source]()


def _starts(source: str, first: int, stop: int, window: int, horizon: int) -> np.ndarray:
    starts = window_starts(first, stop, window, horizon)
    if len(starts) == 0:
        raise RequestError(
            f"time_series/{source}: window {window} and horizon {horizon} do not fit into the split of time "
            f"steps {first} to {stop}; choose smaller ones."
        )
    return starts
