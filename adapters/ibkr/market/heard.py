"""What a market-data link hears, as plain values, and who is told.

Belongs here: the protocol and the values of contracts and chains. Numbers are the library's floats; what they
become is `trading/market`'s. Keep out: the client library's objects (`listener` reads them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.session.heard import HearsLink


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHeard:
    """Expiries and strikes of one trading class at one exchange."""

    exchange: str
    trading_class: str
    expiries: tuple[date, ...]
    strikes: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class GreeksHeard:
    """A model's values as told: unset and "not computed" stay as the broker marks them."""

    implied_volatility: float
    delta: float
    price: float
    dividend: float
    gamma: float
    vega: float
    theta: float
    underlying: float


@dataclass(frozen=True, slots=True)
class HistoryBar:
    """A bar of the past: prices are open, high, low, close; a volume of -1 is none."""

    epoch_s: int
    prices: tuple[float, float, float, float]
    volume: float
    average: float
    count: int


class HearsMarket(HearsLink, Protocol):
    """Who is told what a market-data link hears. No method may raise."""

    def contract(self, number: int, contract: KnownContract) -> None:
        """Hand over what a contract is (10)."""

    def contracts_end(self, number: int) -> None:
        """Say that all contracts of a question were told (52)."""

    def chain(self, number: int, heard: ChainHeard) -> None:
        """Hand over expiries and strikes (75)."""

    def chain_end(self, number: int) -> None:
        """Say that all of them were told (76)."""

    def data_kind(self, number: int, kind: int) -> None:
        """Say whether a line is live (1), frozen (2), delayed (3) or both (4) (58)."""

    def snapshot_end(self, number: int) -> None:
        """Say that a look is whole (57)."""

    def price(self, number: int, tick: int, price: float, size: float) -> None:
        """Hand over a price with its size (1)."""

    def size(self, number: int, tick: int, size: float) -> None:
        """Hand over a size (2)."""

    def value(self, number: int, tick: int, value: float) -> None:
        """Hand over a generic tick (45)."""

    def text(self, number: int, tick: int, text: str) -> None:
        """Hand over a tick that is a text (46)."""

    def greeks(self, number: int, tick: int, heard: GreeksHeard) -> None:
        """Hand over an option's model values (21)."""

    def print_(self, number: int, epoch_s: int, price: float, size: float, exchange: str, cond: str) -> None:
        """Hand over a trade, tick by tick (99)."""

    def touch(self, number: int, epoch_s: int, bid: float, ask: float, sizes: Sequence[float]) -> None:
        """Hand over bid and ask, tick by tick (99)."""

    def level(
        self, number: int, position: int, maker: str, operation: int, side: int, price: float, size: float
    ) -> None:
        """Hand over a change of a book (12, 13)."""

    def bar(
        self, number: int, epoch_s: int, prices: Sequence[float], volume: float, average: float, count: int
    ) -> None:
        """Hand over five seconds: open, high, low, close, and their volume (50)."""

    def history_bar(self, number: int, heard: HistoryBar) -> None:
        """Hand over a bar of the past (17)."""

    def history_end(self, number: int) -> None:
        """Say that all bars of a question were told (17)."""
