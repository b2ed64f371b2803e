"""Indicators of our own bars: equal to the textbook's formulas, to published figures, and to the vendor's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.indicators.talib_indicators import TalibIndicators
from simulation.http.indicators import atr, bands, macd, rsi
from trading.errors import InvalidFieldError
from trading.model.market import Bar

OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
# Wilder's smoothing on a published worksheet (StockCharts, "RSI"): 33 closes, and the last RSI of them.
WORKSHEET = (
    "44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328 45.6140"
    " 46.2820 46.2820 46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515 45.7835 45.3548"
    " 44.0288 44.1783 44.2181 44.5672 43.4205 42.6628 43.1314"
)
WORKSHEET_RSI = {14: 70.53, 19: 57.97, 20: 62.93, 32: 37.77}


def bars(closes: list[float], spread: float = 0.25) -> list[Bar]:
    """Minutes that close there."""
    return [
        Bar(
            symbol="AAPL",
            instrument_id="STK:AAPL",
            at=OPEN + timedelta(minutes=place),
            seconds=60,
            open=Decimal(str(close)),
            high=Decimal(str(round(close + spread * (place % 3), 6))),
            low=Decimal(str(round(close - spread * (place % 2 + 1), 6))),
            close=Decimal(str(close)),
        )
        for place, close in enumerate(closes)
    ]


def walk(count: int) -> list[float]:
    """A series that goes up and down without repeating."""
    return [round(100 + (place * 37 % 101) / 7 - (place * place % 89) / 11, 4) for place in range(count)]


def values(indicator: str, told: list[Bar]) -> dict[str, float]:
    """The newest values; fails where there are none."""
    reading = TalibIndicators().newest("AAPL", indicator, told)
    assert reading is not None
    assert (reading.source, reading.at) == ("local", told[-1].at)
    return dict(reading.values)


@pytest.mark.parametrize("count", [15, 40, 390])
def test_rsi_is_wilders(count: int) -> None:
    """Averages of gains and losses smoothed by 1/14, begun with a simple one."""
    closes = walk(count)
    assert values("RSI", bars(closes))["rsi"] == pytest.approx(rsi(closes)[-1], rel=1e-9)


@pytest.mark.parametrize(("count", "expected"), [(place + 1, told) for place, told in WORKSHEET_RSI.items()])
def test_rsi_equals_a_published_worksheet(count: int, expected: float) -> None:
    """The golden series, to the two places that are printed."""
    closes = [float(text) for text in WORKSHEET.split()][:count]
    assert values("RSI", bars(closes))["rsi"] == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("count", [34, 60, 390])
def test_macd_is_12_26_9(count: int) -> None:
    """Two exponential averages that begin together, their difference, and its average."""
    closes = walk(count)
    told = values("MACD", bars(closes))
    assert (told["macd"], told["signal"], told["histogram"]) == pytest.approx(macd(closes)[-1], rel=1e-9)


@pytest.mark.parametrize("count", [20, 390])
def test_bands_are_20_closes_and_2_deviations(count: int) -> None:
    """With the deviation of the population, not of a sample."""
    closes = walk(count)
    told = values("BBANDS", bars(closes))
    assert (told["upper"], told["middle"], told["lower"]) == pytest.approx(bands(closes)[-1], rel=1e-7)


@pytest.mark.parametrize("count", [15, 390])
def test_atr_is_wilders_of_14(count: int) -> None:
    """True ranges, which reach to the close before."""
    told = bars(walk(count))
    highs, lows, closes = ([float(getattr(bar, name)) for bar in told] for name in ("high", "low", "close"))
    assert values("ATR", told)["atr"] == pytest.approx(atr(highs, lows, closes)[-1], rel=1e-9)


@pytest.mark.parametrize(("indicator", "needed"), [("RSI", 15), ("MACD", 34), ("BBANDS", 20), ("ATR", 15)])
def test_too_few_bars_are_no_value(indicator: str, needed: int) -> None:
    """One bar less than the formula needs is none, never a zero."""
    closes = walk(needed)
    assert TalibIndicators().newest("AAPL", indicator, bars(closes)) is not None
    assert TalibIndicators().newest("AAPL", indicator, bars(closes)[1:]) is None
    assert TalibIndicators().newest("AAPL", indicator, []) is None


def test_order_and_repeats_of_bars_change_nothing() -> None:
    """Bars told out of order, and one that was told again, give the value of the series."""
    told = bars(walk(60))
    late = [*reversed(told[:-1]), told[10], told[-1]]
    assert values("MACD", late) == values("MACD", told)


@pytest.mark.parametrize("change", [lambda bar: {"seconds": 5}, None])
def test_wrong_questions_are_refused_by_name(change: Callable[[Bar], dict[str, int]] | None) -> None:
    """Bars of five seconds, and an indicator that nobody knows."""
    from dataclasses import replace

    told = bars(walk(40))
    if change is None:
        with pytest.raises(InvalidFieldError, match="indicator"):
            TalibIndicators().newest("AAPL", "STOCH", told)
        return
    with pytest.raises(InvalidFieldError, match="seconds"):
        TalibIndicators().newest("AAPL", "RSI", [replace(told[0], **change(told[0])), *told])


@pytest.mark.parametrize("indicator", ["RSI", "MACD", "BBANDS", "ATR"])
def test_each_minute_is_what_its_own_window_says(indicator: str) -> None:
    """A past session has at every minute the value that was the newest one then, bit for bit."""
    told, window = bars(walk(120)), 60
    since = told[20].at
    each = list(TalibIndicators().each("AAPL", indicator, told, since, window))
    lives = [
        TalibIndicators().newest("AAPL", indicator, told[max(0, place + 1 - window) : place + 1])
        for place in range(20, len(told))
    ]
    assert each == [reading for reading in lives if reading is not None]
    assert len(each) >= 120 - 34
