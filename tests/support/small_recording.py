"""A tiny folder of Lean files, written row by row: one share, a few series, two sessions."""

import gzip
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

DAY = date(2015, 12, 23)
EARLY = date(2015, 12, 24)  # closes at one
CALL, PUT = "call_7500000_20160115", "put_7500000_20160115"
OPENS_MS = 34_200_000


def archive(path: Path, files: Mapping[str, str]) -> None:
    """One archive with some members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)


def options(folder: Path, day: date, kind: str, files: Mapping[str, str]) -> None:
    """The option file of one kind and day; keys are `call_7500000_20160115`."""
    named = {f"{day:%Y%m%d}_goog_minute_{kind}_american_{series}.csv": text for series, text in files.items()}
    archive(folder / "option_minute" / f"{day:%Y%m%d}_{kind}_american.zip", named)


def share(folder: Path, day: date, kind: str, text: str) -> None:
    """The share's file of one kind and day."""
    archive(
        folder / "equity_minute" / f"{day:%Y%m%d}_{kind}.zip", {f"{day:%Y%m%d}_goog_minute_{kind}.csv": text}
    )


def ticks(folder: Path, day: date, kind: str, text: str) -> None:
    """A tape of IBM."""
    archive(folder / "ibm" / f"{day:%Y%m%d}_{kind}.zip", {f"{day:%Y%m%d}_ibm_{kind.title()}_Tick.csv": text})


def universe(folder: Path, day: date, rows: str) -> None:
    """An end-of-day chain."""
    path = folder / "universe" / f"{day:%Y%m%d}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = (
        "#expiry,strike,right,open,high,low,close,volume,open_interest,"
        "implied_volatility,delta,gamma,vega,theta,rho\n"
    )
    path.write_bytes(gzip.compress((head + rows).encode()))


def small_recording(folder: Path) -> Path:
    """GOOG on two days: one call with quotes and trades, one put with quotes, the share."""
    for day in (DAY, EARLY):
        options(
            folder,
            day,
            "quote",
            {
                CALL: "34200000,10000,12000,9000,11000,5,13000,15000,12500,14000,7\n"
                "34320000,11000,11000,11000,11000,6,,,,,0\n"
                "34380000,11000,11000,11000,11000,6,14000,14000,14000,14000,9\n",
                PUT: "34200000,,,,,0,20000,20000,20000,20000,3\n",
            },
        )
        options(folder, day, "trade", {CALL: "34260000,13000,15000,12000,14000,10\n"})
        options(
            folder, day, "openinterest", {CALL: "23460000,321\n", "call_9990000_20160115": "23460000,5\n"}
        )
        share(
            folder,
            day,
            "quote",
            "34200000,7479000,7481000,7478000,7480000,200,7482000,7484000,7481000,7483000,300\n",
        )
        share(
            folder,
            day,
            "trade",
            "34080000,7400000,7400000,7400000,7400000,1\n34200000,7480000,7490000,7470000,7485000,1000\n",
        )
    greeks = "0.31,0.5,0.01,0.6,-0.4,0.2"
    universe(
        folder,
        EARLY,
        f",,,747.9,748.7,747.8,748.4,106129,,,,,,,\n20160115,750,C,1.2,1.5,1.1,1.25,10,321,{greeks}\n",
    )
    return folder


def moment(day: date, at_ms: int) -> datetime:
    """Milliseconds of a New York winter day."""
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC) + timedelta(milliseconds=at_ms)
