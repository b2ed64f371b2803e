"""RSI, MACD, BBANDS and ATR of our own one-minute bars, by TA-Lib.

TA-Lib, since the vendor's parameters are its parameters (`nbdevup`, `matype`, `signalperiod`): the same
formulas, smoothing and beginnings. It is maintained, has wheels with its C library for the Pythons we run on,
and costs microseconds. The only file that imports it. Keep out: where bars come from, when to compute.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import talib
from numpy.typing import NDArray

from trading.errors import InvalidFieldError
from trading.model.market import Bar, TechnicalReading
from trading.ports.indicators import LOCAL, Indicators

MINUTE_S = 60
INTERVAL = "1min"
BARS_LEAST = 2  # the library refuses a single one
Prices = NDArray[np.float64]


def _rsi(_high: Prices, _low: Prices, close: Prices) -> Mapping[str, Any]:
    return {"rsi": talib.RSI(close, timeperiod=14)}


def _macd(_high: Prices, _low: Prices, close: Prices) -> Mapping[str, Any]:
    line, signal, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    return {"macd": line, "signal": signal, "histogram": histogram}


def _bbands(_high: Prices, _low: Prices, close: Prices) -> Mapping[str, Any]:
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)  # a simple average
    return {"upper": upper, "middle": middle, "lower": lower}


def _atr(high: Prices, low: Prices, close: Prices) -> Mapping[str, Any]:
    return {"atr": talib.ATR(high, low, close, timeperiod=14)}


FORMULAS: Mapping[str, Callable[[Prices, Prices, Prices], Mapping[str, Any]]] = {
    "RSI": _rsi,
    "MACD": _macd,
    "BBANDS": _bbands,
    "ATR": _atr,
}


class TalibIndicators(Indicators):
    """The port over TA-Lib; stateless, safe for threads."""

    @property
    def names(self) -> Collection[str]:
        """The indicators it can compute."""
        return tuple(FORMULAS)

    def newest(self, symbol: str, indicator: str, bars: Sequence[Bar]) -> TechnicalReading | None:
        """Return the value at the newest bar; None where the bars are too few for it."""
        minutes = _minutes(bars)
        last = max(0, len(minutes) - 1)
        return next(self._readings(symbol, indicator, minutes, last, len(minutes)), None)

    def each(
        self, symbol: str, indicator: str, bars: Sequence[Bar], since: datetime, window: int
    ) -> Iterator[TechnicalReading]:
        """Yield for each bar from `since` on what `newest` says of the last `window` bars up to it."""
        minutes = _minutes(bars)
        first = bisect_left(minutes, since, key=lambda bar: bar.at)
        return self._readings(symbol, indicator, minutes, first, window)

    def _readings(
        self, symbol: str, indicator: str, minutes: Sequence[Bar], first: int, window: int
    ) -> Iterator[TechnicalReading]:
        """The values at each minute from place `first` on, each of its own window."""
        if indicator not in FORMULAS:
            raise InvalidFieldError("indicator", f"one of {', '.join(FORMULAS)}", indicator)
        prices = [_prices(minutes, name) for name in ("high", "low", "close")]
        for place in range(first, len(minutes)):
            cut = slice(max(0, place + 1 - window), place + 1)
            values = _values(indicator, *(of[cut] for of in prices))
            if values is not None:
                yield TechnicalReading(
                    symbol=symbol,
                    indicator=indicator,
                    at=minutes[place].at,
                    interval=INTERVAL,
                    source=LOCAL,
                    values=values,
                )


def _values(indicator: str, high: Prices, low: Prices, close: Prices) -> Mapping[str, float] | None:
    """The values at the end of the prices; None where the library marks them as not defined yet."""
    if len(close) < BARS_LEAST:
        return None
    values = {name: float(told[-1]) for name, told in FORMULAS[indicator](high, low, close).items()}
    return values if all(math.isfinite(value) for value in values.values()) else None


def _minutes(bars: Sequence[Bar]) -> list[Bar]:
    """The minutes in order, each once: a bar that was told again counts as told last."""
    wrong = next((bar for bar in bars if bar.seconds != MINUTE_S), None)
    if wrong is not None:
        raise InvalidFieldError("seconds", "bars of one minute", wrong.seconds)
    told = {bar.at: bar for bar in bars}
    return [told[at] for at in sorted(told)]


def _prices(bars: Sequence[Bar], name: str) -> Prices:
    return np.array([float(getattr(bar, name)) for bar in bars], dtype=np.float64)
