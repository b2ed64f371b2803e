"""Plots for people, as pictures that fit into a line of text."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.ports.market_audit import SmilePoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlPoint:
    """Net realized P&L of one session in one currency."""

    session: date
    currency: str
    realized: Decimal


class PnlHistory(ABC):
    """What there is to draw."""

    @abstractmethod
    def points(self, upto: date, sessions_max: int) -> Sequence[PnlPoint]:
        """Return the P&L of the last sessions up to `upto` by currency, over all accounts, oldest first."""


class Plots(ABC):
    """Draws what a person should see at one look."""

    @abstractmethod
    def daily_pnl(self, points: Sequence[PnlPoint], title: str) -> str:
        """Return Markdown with one picture: for each currency the P&L of each session and its sum."""

    @abstractmethod
    def smiles(self, points: Sequence[SmilePoint], title: str) -> str:
        """Return Markdown with one picture: for each symbol the volatility by strike, a line an expiry."""
