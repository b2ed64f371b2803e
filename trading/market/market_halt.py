"""A halt of the whole market, as far as single shares tell it.

A market-wide breaker (S&P 500 down by 7, 13 or 20 percent) halts every share and option, and no feed says
so of an index: its value only stands. So it is read from the shares: the market is halted when more than
half of those that are heard are, or when one of the funds is that stand for the market where nothing else
is heard. Single shares pause by the dozen on a wild day, and that is no halt of the market. Source: NYSE
Rule 7.12.
"""

from collections.abc import Mapping

MARKET_FUNDS = frozenset({"SPY", "QQQ", "IWM", "DIA"})
SHARES_LEAST = 2  # one halted share alone says nothing of the market
REASON = "market-wide halt"


def is_market_halted(halted: Mapping[str, bool]) -> bool:
    """Say it from the shares that are heard: their symbols, and whether each is halted."""
    stopped = {symbol for symbol, is_halted in halted.items() if is_halted}
    return 2 * len(stopped) > len(halted) and (len(stopped) >= SHARES_LEAST or bool(stopped & MARKET_FUNDS))
