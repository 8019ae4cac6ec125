"""The task `time_series`: the next `horizon` values from the last `window` ones, compared with forecasts that
cost nothing.

    etth1              transformer temperature, hourly, 7 channels. Zhou et al., Informer, AAAI 2021, whose
                       split (12/4/4 months) and scaling are kept; every test window is scored
    weather_beijing    temperature with dew point, pressure, wind, rain, snow and PM2.5, hourly, 2010 to 2014.
                       Liang et al., Proc. Royal Society A 2015
    weather_melbourne  daily minimum temperature, 1981 to 1990. Australian Bureau of Meteorology
    stocks             daily log-returns of one of ten stocks, 2012 to 2017. Xu and Cohen, StockNet, ACL 2018
    sp500              daily log-returns of the S&P 500 index, 2000 to 2020
    exchange           exchange rates of eight countries, daily, 1990 to 2016. Lai et al., SIGIR 2018
    sunspots           yearly mean sunspot number, 1700 to 2008. statsmodels, from NOAA
    elnino             sea surface temperature of Nino 1+2, monthly, 1950 to 2010. statsmodels, from NOAA
    co2                weekly change of carbon dioxide at Mauna Loa, 1958 to 2001. statsmodels, from Keeling
                       and Whorf

Split in time: etth1 as published, the others 60/20/20. A validation or test window may begin in the split
before; what it forecasts never does. Channels are standardised by the training split's mean and deviation.
By default a window is read, and its forecast made, relative to its last value: the level of most of these
series drifts, and a model that reads levels meets ones it never saw (on etth1 it loses to the naive one).
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite_time_series.files import FILES, STOCKS


def _load() -> Task:
    from benchsuite_time_series.task import TimeSeries

    return TimeSeries()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="time_series",
            load=_load,
            summary="forecast the next values of a series from its last ones",
            sources={
                "etth1": "transformer temperature, hourly, Informer's split (Zhou et al. 2021)",
                "weather_beijing": "Beijing's temperature and air, hourly (Liang et al. 2015)",
                "weather_melbourne": "Melbourne's daily minimum temperature",
                "stocks": "daily log-returns of a stock, see option ticker (Xu and Cohen 2018)",
                "sp500": "daily log-returns of the S&P 500 index",
                "exchange": "daily exchange rates of eight countries (Lai et al. 2018)",
                "sunspots": "yearly sunspot number; needs no download",
                "elnino": "monthly sea surface temperature; needs no download",
                "co2": "weekly change of carbon dioxide at Mauna Loa; needs no download",
            },
            offline=("sunspots", "elnino", "co2"),
            options={
                "window": Option(48, "time steps the model sees", least=1),
                "horizon": Option(24, "time steps it forecasts, all at once", least=1),
                "features": Option(
                    "univariate",
                    "target from target; all channels from all channels; or target from all channels",
                    ("univariate", "multivariate", "covariates"),
                ),
                "relative": Option(
                    True,
                    "read and forecast differences from the window's last value (NLinear, Zeng et al. 2023)",
                    (True, False),
                ),
                "loss": Option("squared", "training loss", ("squared", "absolute")),
                "ticker": Option("AAPL", "the stock, for the source stocks", tuple(STOCKS)),
            },
            files=FILES,
            requirements=("pandas",),
            source_requirements=dict.fromkeys(("sunspots", "elnino", "co2"), ("statsmodels",)),
            extra="tasks",
        )
    ]
