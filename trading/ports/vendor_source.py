"""A vendor that is asked for market data by symbol: chains, news, technicals, each as typed rows.

Three outcomes that are never mixed up: rows (with what was refused of them), "the vendor has none" (an empty
read), and an error that says whether asking again helps. An error carries no key and no address with one.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trading.errors import PermanentError, TransientError
from trading.model.market import ChainSnapshot, NewsItem, RefusedRow, TechnicalReading

INDICATOR_NAMES = ("RSI", "MACD", "BBANDS", "ATR")


class RefusalKind(StrEnum):
    """Why a vendor says no; each has its own consequence."""

    RATE = "rate"  # too often in a second or minute: the whole key waits
    DAILY = "daily"  # the day's requests are spent: the whole key waits long
    KEY = "key"  # the key is wrong: a person must mend it
    PREMIUM = "premium"  # the plan does not include this function
    SYMBOL = "symbol"  # the vendor does not know the symbol, or not for this function
    OTHER = "other"  # words that we do not know


class VendorRefusedError(PermanentError):
    """The vendor said no; the same question now gets the same answer."""

    def __init__(self, kind: RefusalKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class VendorUnavailableError(TransientError):
    """No answer that can be read: unreachable, busy, broken off, not what was asked for.

    `wait_s` is what the vendor asks for; None where it says nothing.
    """

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        self.wait_s = wait_s
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRead:
    """A chain as the vendor tells it; None where it has none. `dropped` counts greeks left out, by reason."""

    snapshot: ChainSnapshot | None
    refused: tuple[RefusedRow, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsRead:
    """Articles of a symbol, oldest first; `rows` are those of the answer, the refused among them."""

    items: tuple[NewsItem, ...]
    refused: tuple[RefusedRow, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalRead:
    """The newest value of an indicator; None where the vendor has none."""

    reading: TechnicalReading | None
    refused: tuple[RefusedRow, ...] = ()


class VendorSource(ABC):
    """Every method asks once, blocks within its time-outs, may run in any thread.

    Raises VendorRefusedError and VendorUnavailableError, and nothing else.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The source's name in rows."""

    @property
    @abstractmethod
    def indicators(self) -> Collection[str]:
        """The indicators it computes."""

    @abstractmethod
    def chain(self, symbol: str, at: datetime) -> ChainRead:
        """Return the option chain as it is at `at`, the market's time."""

    @abstractmethod
    def news(self, symbol: str, since: datetime, at: datetime) -> NewsRead:
        """Return the articles about the symbol since then."""

    @abstractmethod
    def technical(self, symbol: str, indicator: str, at: datetime) -> TechnicalRead:
        """Return the newest value of an indicator of one-minute bars."""
