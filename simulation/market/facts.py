"""What is typical of a market, measured the same way on drawn and on recorded tapes.

Arrays in, named figures out. Keep out: where tapes come from (stylized_facts.py).
"""

from dataclasses import dataclass

import numpy as np

from simulation.market.chain import Ints
from simulation.market.mixing import Reals

HALF_HOUR = 1_800
MINUTE = 60
NOON = (10_800, 14_400)  # seconds after the open: between half past twelve and half past one
HUNDREDTHS = 10_000.0  # basis points of one
Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareTape:
    """Prints and touches of a share on one session in the order of time, which is seconds after the open."""

    length_s: int
    at: Reals
    price: Reals
    size: Ints
    quoted_at: Reals
    bid: Reals
    ask: Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainQuotes:
    """Touches of a chain at some moments, and what was traded per contract; dollars."""

    bid: Reals
    ask: Reals
    away: Reals  # distance of strike and spot, of the spot
    traded: Ints
    traded_away: Reals
    traded_days: Ints


def share_figures(tape: ShareTape) -> Figures:
    """All figures of a share's session."""
    return {**_shape(tape), **_moves(tape), **_sizes(tape), **_sides(tape), **_spreads(tape)}


def chain_figures(quotes: ChainQuotes) -> Figures:
    """Spreads by price and what is traded, of an option chain."""
    middle, spread = (quotes.bid + quotes.ask) / 2, quotes.ask - quotes.bid
    told: Figures = {"quotes without a bid, %": _percent(quotes.bid <= 0)}
    both = quotes.bid > 0
    edges = (0.0, 1.0, 5.0, 20.0, 1e9)
    names = ("under 1 $", "1 to 5 $", "5 to 20 $", "20 $ and more")
    for name, low, high in zip(names, edges, edges[1:], strict=False):
        here = both & (middle >= low) & (middle < high)
        told[f"median spread of the price, {name}, %"] = _median(100 * spread[here] / middle[here])
    near, far = both & (quotes.away < 0.02), both & (quotes.away > 0.10)
    told["median spread near the money, $"] = _median(spread[near])
    told["median spread far away, $"] = _median(spread[far])
    volume = quotes.traded / max(int(quotes.traded.sum()), 1) * 100
    told["traded within 5 % of the spot, %"] = float(volume[quotes.traded_away < 0.05].sum())
    told["traded within eight days of the end, %"] = float(volume[quotes.traded_days <= 8].sum())
    return told


def _shape(tape: ShareTape) -> Figures:
    volume = tape.size.sum()

    def part(low: float, high: float) -> float:
        return 100 * float(tape.size[(tape.at >= low) & (tape.at < high)].sum() / volume)

    return {
        "volume in the first half hour, %": part(0, HALF_HOUR),
        "volume in a half hour at noon, %": part(*NOON) / 2,
        "volume in the last half hour, %": part(tape.length_s - HALF_HOUR, tape.length_s + MINUTE),
    }


def minute_returns(tape: ShareTape) -> Reals:
    """Logarithms of the last prices of the minutes, one less the one before."""
    ends = np.searchsorted(tape.at, np.arange(MINUTE, tape.length_s + 1, MINUTE)) - 1
    return np.diff(np.log(tape.price[np.maximum(ends, 0)]))


def autocorrelation(values: Reals, lag: int) -> float:
    """Correlation of a series with itself some steps ago."""
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


def _moves(tape: ShareTape) -> Figures:
    returns = minute_returns(tape)
    size = np.abs(returns)
    noon = size[NOON[0] // MINUTE : NOON[1] // MINUTE].mean()
    away = returns - returns.mean()
    return {
        "move of a minute after the opening, of one at noon": float(size[:30].mean() / noon),
        "move of a minute before the close, of one at noon": float(size[-30:].mean() / noon),
        "yearly volatility of minutes, %": float(returns.std() * np.sqrt(252 * 390) * 100),
        "excess kurtosis of minutes": float((away**4).mean() / (away**2).mean() ** 2 - 3),
        "autocorrelation of returns": autocorrelation(returns, 1),
        "autocorrelation of absolute returns, 1 minute": autocorrelation(size, 1),
        "autocorrelation of absolute returns, 5 minutes": autocorrelation(size, 5),
        "autocorrelation of absolute returns, 10 minutes": autocorrelation(size, 10),
    }


def _sizes(tape: ShareTape) -> Figures:
    counts = np.bincount((tape.at // MINUTE).astype(np.int64), minlength=tape.length_s // MINUTE)
    return {
        "prints a minute": float(counts.mean()),
        "autocorrelation of prints a minute": autocorrelation(counts.astype(np.float64), 1),
        "prints below 100 shares, %": _percent(tape.size < 100),
        "prints of 100 shares, %": _percent(tape.size == 100),
        "prints of 1,000 shares and more, %": _percent(tape.size >= 1_000),
    }


def _sides(tape: ShareTape) -> Figures:
    """By the touch that stood before the print."""
    place = np.searchsorted(tape.quoted_at, tape.at, side="right") - 1
    known = place >= 0
    bid, ask, price = tape.bid[place[known]], tape.ask[place[known]], tape.price[known]
    signs = np.where(price > (bid + ask) / 2, 1.0, np.where(price < (bid + ask) / 2, -1.0, 0.0))
    return {
        "prints at or above the ask, %": _percent(price >= ask),
        "prints at or below the bid, %": _percent(price <= bid),
        "prints inside, %": _percent((price > bid) & (price < ask)),
        "autocorrelation of signs, 1 print": autocorrelation(signs, 1),
        "autocorrelation of signs, 10 prints": autocorrelation(signs, 10),
    }


def _spreads(tape: ShareTape) -> Figures:
    """Sampled each second, so that a touch counts by how long it stood."""
    place = np.searchsorted(tape.quoted_at, np.arange(tape.length_s), side="right") - 1
    place = place[place >= 0]
    bid, ask = tape.bid[place], tape.ask[place]
    points = HUNDREDTHS * (ask - bid) / ((ask + bid) / 2)
    return {
        "median spread, cents": _median(100 * (ask - bid)),
        "median spread, basis points": _median(points),
        "spread of the widest tenth, basis points": float(np.quantile(points, 0.9)),
        "seconds with a crossed touch, %": _percent(bid > ask),
    }


def _percent(which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return 100 * float(which.mean()) if len(which) else float("nan")


def _median(values: Reals) -> float:
    return float(np.median(values)) if len(values) else float("nan")
