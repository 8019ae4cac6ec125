"""The pinned files of the task `time_series`."""

from __future__ import annotations

from benchsuite.data import DataFile

_BROWNLEE = "https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f"
_STOCKNET = (
    "https://raw.githubusercontent.com/yumoxu/stocknet-dataset/"
    "330708b5ddc359961078bef469f43f48992fd6e4/price/raw"
)

ETTH1 = DataFile(
    "ETTh1.csv",
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
    "1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv",
    "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    2_589_657,
    "CC BY-ND 4.0",
)
BEIJING = DataFile(
    "beijing_pm25_pollution.csv",
    f"{_BROWNLEE}/pollution.csv",
    "892e9559205d16d32623135c127a3951c12e46ea1e0b3093e107ce89a9fd60e2",
    2_010_492,
    "none in the copy's repository; UCI, its origin, lists CC BY 4.0",
)
MELBOURNE = DataFile(
    "daily-min-temperatures.csv",
    f"{_BROWNLEE}/daily-min-temperatures.csv",
    "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da",
    67_921,
    "none stated; source: Australian Bureau of Meteorology",
)
EXCHANGE = DataFile(
    "exchange_rate.txt.gz",
    "https://raw.githubusercontent.com/laiguokun/multivariate-time-series-data/"
    "7f402f185cc2435b5e66aed13a3b560ed142e023/exchange_rate/exchange_rate.txt.gz",
    "6a4fbb561dcdee43f071a83badbeec9223a335552278348656738b556f1c2e9d",
    177_142,
    "none stated; cite Lai et al., SIGIR 2018",
)
SP500 = DataFile(
    "sp500-2000.csv",
    "https://raw.githubusercontent.com/vega/vega-datasets/"
    "cad85578e232704bb0453544742440038038c6a2/data/sp500-2000.csv",
    "9409e9342d0657c747324e4cfabce8a8c7f663bc485b95a3378f36b0a160f8c8",
    415_968,
    "none stated; source: Yahoo Finance",
)

_TICKERS = {
    "AAPL": ("4c91141cc818b836fa7a1fabb683622c63048db450565d607418bfec3ed5bc4e", 91_531),
    "AMZN": ("8f32530c8124c49154c314bc0951295d36049d9bfd2be839d22cbe8cc94bd1c7", 93_273),
    "GE": ("99e69a493df7ef20bc5e27621085d81b54e25057bb31d029a10cbe17626209ec", 88_128),
    "GOOG": ("fff84bbcd5d424ea200ddfcce18bb4df62ba571ad934868b4b5e9cd4e9b67af1", 93_074),
    "INTC": ("8864a8757b3178c8e8a18de925c9f8ffe3d6701b19687bc9126bc61a9f7776b5", 88_109),
    "JPM": ("f474e8ac81c1fe345e0d13b0182c21f296261fe93e453b78dc38fe6d77ec43b0", 88_012),
    "KO": ("a7fa02fd3f61878279de3b44cc4efc75116007c97ab651b8e22f51bf4d587800", 87_851),
    "MSFT": ("1b8e97121e3a5c945c9994d49e923d528acd6db41239b87f723ba635412cc275", 88_118),
    "WMT": ("1032cad0f24c3bd1e3f3ae517ed810198ece5561d97118bc431f8684086510ec", 87_082),
    "XOM": ("6919e23c24b9a06c12d19a2b679dffe08347725825e3c63a2412f940ed433863", 88_022),
}
STOCKS = {
    ticker: DataFile(
        f"stocknet_{ticker}.csv",
        f"{_STOCKNET}/{ticker}.csv",
        sha256,
        size,
        "MIT (StockNet's repository); prices from Yahoo Finance",
    )
    for ticker, (sha256, size) in _TICKERS.items()
}

FILES = (ETTH1, BEIJING, MELBOURNE, EXCHANGE, SP500, *STOCKS.values())
