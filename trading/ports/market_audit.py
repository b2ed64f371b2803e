"""What the warehouse holds of the market, and what is wrong with it: counts, findings of checks, smiles."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading.model.market import MarketKind
from trading.ports.model_runner import SessionRange


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """Rows that one source told of a session."""

    session: date
    source: str
    is_live: bool
    rows: int
    symbols: int
    instruments: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBars:
    """Bars of a session by who told them: `filled` are gaps of the live capture that a history fills."""

    session: date
    live_only: int
    filled: int
    both: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one check found: how many rows are wrong, with the first of them by name.

    A check that cannot judge everything counts what it judged and what it did not, and says why in `notes`;
    None where it judges all there is.
    """

    wrong: int
    named: tuple[str, ...] = ()
    judged: int | None = None
    not_judged: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNote:
    """A column of the rows of a kind, as the warehouse has it, and what it means."""

    name: str
    type: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmilePoint:
    """Implied volatility at one strike of one expiry; by calls below the spot and puts above it there may
    be two.
    """

    symbol: str
    expiry: date
    strike: Decimal
    implied_volatility: float
    is_call: bool
    spot: Decimal | None


class MarketAudit(ABC):
    """Reads only. Raises WarehouseUnavailableError or WarehouseError."""

    @abstractmethod
    def counts(self, kind: MarketKind, sessions: SessionRange) -> Sequence[SourceCount]:
        """Count what each source told of each session, live and loaded apart."""

    @abstractmethod
    def columns(self, kind: MarketKind) -> Sequence[ColumnNote]:
        """Say what columns the rows of a kind have, in their order."""

    @abstractmethod
    def filled(self, sessions: SessionRange) -> Sequence[FilledBars]:
        """Compare the bars that were heard live with those of the histories, by session."""

    @abstractmethod
    def examine(
        self, check: str, sessions: SessionRange, parameters: Mapping[str, object], named_max: int
    ) -> Findings:
        """Run one check over the sessions; `check` names it, `parameters` are what it compares with."""

    @abstractmethod
    def smiles(
        self, session: date, until: datetime, symbols_max: int, expiries_max: int
    ) -> Sequence[SmilePoint]:
        """Return the nearest expiries of the last chains until a moment, of the symbols with most contracts;
        of a symbol whose chains all came later, its last one.
        """
