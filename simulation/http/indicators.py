"""RSI, MACD, Bollinger bands and the average true range, written out as the textbooks have them.

The stub's own formulas, in plain Python: what the desk computes with a library is compared with these. Each
returns one value for each input from the first that is defined on. Smoothing as in Wilder's book (RSI, ATR);
exponential averages begin with a simple one; bands with the deviation of the population.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev


def rsi(closes: Sequence[float], period: int = 14) -> list[float]:
    """Wilder's relative strength index; the first value belongs to the input number `period`."""
    moves = [later - before for before, later in pairwise(closes)]
    gains, losses = [max(move, 0.0) for move in moves], [max(-move, 0.0) for move in moves]
    return [
        100.0 * gain / (gain + loss) if gain + loss else 0.0
        for gain, loss in zip(_wilder(gains, period), _wilder(losses, period), strict=True)
    ]


def atr(
    highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], period: int = 14
) -> list[float]:
    """Wilder's average true range; the first value belongs to the input number `period`."""
    ranges = [
        max(high, before) - min(low, before)
        for high, low, before in zip(highs[1:], lows[1:], closes, strict=False)
    ]
    return _wilder(ranges, period)


def macd(
    closes: Sequence[float], fast: int = 12, slow: int = 26, signal: int = 9
) -> list[tuple[float, float, float]]:
    """Line, signal and histogram; both averages of the line begin at the input number `slow` - 1."""
    quick = exponential(closes[slow - fast :], fast)
    long = exponential(closes, slow)
    line = [short - slow_one for short, slow_one in zip(quick, long, strict=True)]
    smooth = exponential(line, signal)
    return [(told, mean, told - mean) for told, mean in zip(line[signal - 1 :], smooth, strict=True)]


def bands(closes: Sequence[float], period: int = 20, width: float = 2.0) -> list[tuple[float, float, float]]:
    """Upper, middle and lower band."""
    told = []
    for end in range(period, len(closes) + 1):
        window = closes[end - period : end]
        middle, away = fmean(window), width * pstdev(window)
        told.append((middle + away, middle, middle - away))
    return told


def exponential(values: Sequence[float], period: int) -> list[float]:
    """An exponential average that begins with the simple one of the first `period` values."""
    if len(values) < period:
        return []
    told, weight = [fmean(values[:period])], 2.0 / (period + 1)
    for value in values[period:]:
        told.append(told[-1] + weight * (value - told[-1]))
    return told


def _wilder(values: Sequence[float], period: int) -> list[float]:
    if len(values) < period:
        return []
    told = [fmean(values[:period])]
    for value in values[period:]:
        told.append((told[-1] * (period - 1) + value) / period)
    return told
