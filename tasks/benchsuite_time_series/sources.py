"""From each source's files to a Series."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchsuite.data import DataFile, fetch
from benchsuite.errors import DataError
from benchsuite_time_series import files
from benchsuite_time_series.series import Series, carried_forward, split_ends

_DAY, _TRADING_WEEK, _YEAR_OF_DAYS, _YEAR_OF_WEEKS, _YEAR_OF_MONTHS = 24, 5, 365, 52, 12
_SOLAR_CYCLE = 11
_MONTH_OF_HOURS = 30 * 24

_WIND = {"NE": (1, 1), "SE": (-1, 1), "NW": (1, -1), "SW": (-1, -1), "cv": (0, 0)}
"""Where the wind comes from as (north, east), times the square root of two; cv is calm or variable."""


def etth1() -> Series:
    """Informer's split: months of 30 days, 12 for training, 4 for validation, 4 for testing."""
    return read_etth1(fetch(files.ETTH1))


def read_etth1(path: Path) -> Series:
    """CSV with the header date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT."""
    frame = _csv(path, ("OT",)).drop(columns="date")
    ends = (12 * _MONTH_OF_HOURS, 16 * _MONTH_OF_HOURS, 20 * _MONTH_OF_HOURS)
    return _series(frame, "OT", _DAY, ends, files.ETTH1)


def weather_beijing() -> Series:
    """Temperature with other weather and PM2.5; the first day, without PM2.5, is left out."""
    return read_beijing(fetch(files.BEIJING))


def read_beijing(path: Path) -> Series:
    """CSV with the header No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir; `NA` where unknown.

    A missing PM2.5 takes the last value known. The wind's quarter becomes two channels, north and east.
    """
    frame = _csv(path, ("pm2.5", "TEMP", "cbwd"))
    unknown = sorted(set(frame["cbwd"]) - set(_WIND))
    if unknown:
        raise DataError(f"{path}: wind from {', '.join(map(str, unknown))}; known: {', '.join(_WIND)}")
    wind = np.array([_WIND[quarter] for quarter in frame["cbwd"]]) * 0.5**0.5
    kept = frame[["TEMP", "DEWP", "PRES", "Iws", "Is", "Ir"]].assign(
        north=wind[:, 0], east=wind[:, 1], pm25=carried_forward(frame["pm2.5"].to_numpy(np.float64))
    )
    kept = kept.iloc[int(np.argmax(kept["pm25"].notna().to_numpy())) :]
    return _series(kept, "TEMP", _DAY, split_ends(len(kept)), files.BEIJING)


def weather_melbourne() -> Series:
    """Daily minimum temperature, one channel. The last day of 1984 and of 1988 is missing and left out."""
    return read_melbourne(fetch(files.MELBOURNE))


def read_melbourne(path: Path) -> Series:
    """CSV with the header Date,Temp."""
    frame = _csv(path, ("Temp",))[["Temp"]]
    return _series(frame, "Temp", _YEAR_OF_DAYS, split_ends(len(frame)), files.MELBOURNE)


def stocks(ticker: str) -> Series:
    """Daily log-returns of one stock of StockNet."""
    file = files.STOCKS[ticker]
    return read_prices(fetch(file), file)


def sp500() -> Series:
    """Daily log-returns of the index."""
    return read_prices(fetch(files.SP500), files.SP500)


def read_prices(path: Path, file: DataFile) -> Series:
    """CSV of daily open, high, low, close, adjusted close and volume, in either spelling of its two origins.

    Channels: `return`, log of the adjusted close over the day before; `range`, log of high over low; `body`,
    log of close over open; `volume`, log of the volume over the day before. The first day has no row.
    """
    frame = pd.read_csv(path)
    frame.columns = [name.lower().replace(" ", "") for name in frame.columns]
    names = ("open", "high", "low", "close", "adjclose", "volume")
    _demand(path, frame, names)
    opened, high, low, closed, adjusted, volume = (np.log(frame[name].to_numpy(np.float64)) for name in names)
    moves = pd.DataFrame(
        {
            "return": np.diff(adjusted),
            "range": (high - low)[1:],
            "body": (closed - opened)[1:],
            "volume": np.diff(volume),
        }
    )
    return _series(moves, "return", _TRADING_WEEK, split_ends(len(moves)), file)


def exchange() -> Series:
    """Australia, Britain, Canada, Switzerland, China, Japan, New Zealand, Singapore, against the US dollar.

    The target is the last one, as published work has it.
    """
    return read_exchange(fetch(files.EXCHANGE))


def read_exchange(path: Path) -> Series:
    """gzip of comma-separated numbers without a header, one row per day."""
    with gzip.open(path, "rt") as stream:
        values = np.loadtxt(stream, delimiter=",", ndmin=2)
    frame = pd.DataFrame(values, columns=[f"rate{index}" for index in range(values.shape[1])])
    return _series(frame, frame.columns[-1], _TRADING_WEEK, split_ends(len(frame)), files.EXCHANGE)


def sunspots() -> Series:
    """Yearly mean sunspot number, 309 years; the season is the solar cycle of about eleven years."""
    from statsmodels.datasets import sunspots as data

    frame = data.load_pandas().data[["SUNACTIVITY"]]
    return _series(frame, "SUNACTIVITY", _SOLAR_CYCLE, split_ends(len(frame)), None)


def elnino() -> Series:
    """Monthly sea surface temperature, 61 years."""
    from statsmodels.datasets import elnino as data

    table = data.load_pandas().data.drop(columns="YEAR")
    frame = pd.DataFrame({"temperature": table.to_numpy(np.float64).reshape(-1)})
    return _series(frame, "temperature", _YEAR_OF_MONTHS, split_ends(len(frame)), None)


def co2() -> Series:
    """Weekly change of the concentration in parts per million; a week without a measurement has none.

    The change, because the concentration only grows: the whole test split would be above all training values.
    """
    from statsmodels.datasets import co2 as data

    level = carried_forward(data.load_pandas().data["co2"].to_numpy(np.float64))
    frame = pd.DataFrame({"change": np.diff(level)})
    return _series(frame, "change", _YEAR_OF_WEEKS, split_ends(len(frame)), None)


SOURCES: dict[str, Callable[[], Series]] = {
    "etth1": etth1,
    "weather_beijing": weather_beijing,
    "weather_melbourne": weather_melbourne,
    "sp500": sp500,
    "exchange": exchange,
    "sunspots": sunspots,
    "elnino": elnino,
    "co2": co2,
}
"""The sources that need no option; `stocks` needs its ticker."""


def _csv(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.read_csv(path)
    _demand(path, frame, needed)
    return frame


def _demand(path: Path, frame: pd.DataFrame, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}"
        )


def _series(
    frame: pd.DataFrame, target: str, season: int, ends: tuple[int, int, int], file: DataFile | None
) -> Series:
    names = tuple(str(name) for name in frame.columns)
    licence = file.licence if file else "public domain (as statsmodels states)"
    return Series(frame.to_numpy(np.float64), names, names.index(target), season, ends, licence)
