"""Closing marks of the simulated market, in the shape that the statement writer asks of a market."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from simulation.market.paths import epoch
from simulation.market.quotes import Quotes
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.market import Market


@dataclass(slots=True, kw_only=True)
class ClosingMarks(Market):
    """The same paths and rates; an option is marked by the model that quoted it, with four decimals."""

    quotes: Quotes

    def mark(self, contract: Contract, session: date) -> Decimal:
        """The statement's mark at the bell."""
        if contract.underlying is None:
            raise ValueError(f"contract: expected a security, was {contract.symbol}")
        if contract.asset == "STK":
            return Decimal(self.close_cents(contract.underlying, session)) / 100
        bell = epoch(self.quotes.hours.calendar.session_close(session))
        return Decimal(round(self.quotes.fair_cents(contract, bell) * 100)) / 10_000
