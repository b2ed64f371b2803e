"""Technical indicators computed from our own bars: for when a vendor has no budget left or says no."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from trading.model.market import Bar, TechnicalReading

LOCAL = "local"


class Indicators(ABC):
    """The formulas and parameters of the vendor: RSI 14 (Wilder), MACD 12/26/9, BBANDS 20/2, ATR 14."""

    @property
    @abstractmethod
    def names(self) -> Collection[str]:
        """The indicators it can compute."""

    @abstractmethod
    def newest(self, symbol: str, indicator: str, bars: Sequence[Bar]) -> TechnicalReading | None:
        """Return the value at the newest one-minute bar (oldest first); None where they are too few."""

    @abstractmethod
    def each(
        self, symbol: str, indicator: str, bars: Sequence[Bar], since: datetime, window: int
    ) -> Iterator[TechnicalReading]:
        """Yield for each bar from `since` on what `newest` says of the last `window` bars up to it."""
