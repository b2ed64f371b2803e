"""The volatility index from outside the broker: quotes, the daily history, and what is kept of both.

Every method of the sources asks once, blocks within its time-outs and may run in any thread; it raises
VendorRefusedError or VendorUnavailableError, and nothing else. An answer counts whole or not at all; a row of
a whole answer that cannot be read is refused by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading.errors import TransientError
from trading.model.market import RefusedRow
from trading.volatility.observation import Observation


class VolatilityRecordError(TransientError):
    """What is kept of the index on this machine cannot be read or written now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuotes:
    """What a source of quotes told: values oldest first, the newest is the live one."""

    observations: tuple[Observation, ...]
    refused: tuple[RefusedRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyValue:
    """The index on one session."""

    session: date
    opened: Decimal
    high: Decimal
    low: Decimal
    closed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFile:
    """The daily history as it was fetched, with what the server named it by; kept to be asked about later."""

    body: bytes
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyHistory:
    """A whole daily history, oldest session first."""

    file: DailyFile
    values: tuple[DailyValue, ...]
    refused: tuple[RefusedRow, ...] = ()


class IndexQuoteSource(ABC):
    """A source of today's values."""

    @abstractmethod
    def today(self) -> IndexQuotes:
        """Return the newest value and the day's minutes before it."""

    @abstractmethod
    def earlier(self) -> IndexQuotes:
        """Return values of earlier sessions, a few minutes apart, as far back as the source goes."""


class DailyHistorySource(ABC):
    """A source of the index's daily history."""

    @abstractmethod
    def ask(self, kept: DailyFile | None, at: datetime) -> DailyHistory | None:
        """Return the history as it is at the market's time; None where the kept one is said to be right."""

    @abstractmethod
    def read(self, kept: DailyFile, at: datetime) -> DailyHistory:
        """Read what was kept, without asking anybody."""


class VolatilityRecord(ABC):
    """What is kept on this machine, so that a restart forgets nothing. Raises VolatilityRecordError."""

    @abstractmethod
    def minutes(self) -> Mapping[date, Mapping[int, Decimal]]:
        """Return the first value of each minute of New York's day, by session."""

    @abstractmethod
    def note(self, observations: Sequence[Observation]) -> None:
        """Keep values, each the first of its minute."""

    @abstractmethod
    def daily(self) -> DailyFile | None:
        """Return the daily history that was fetched last."""

    @abstractmethod
    def keep_daily(self, file: DailyFile) -> None:
        """Keep a daily history, whole or not at all."""
