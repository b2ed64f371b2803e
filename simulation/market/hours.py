"""When contracts trade: regular hours with their early closes, the quarter hour of indexes and broad funds.

Shares trade from four in the morning for orders that allow it. Everything has ended when the broker books
the day (16:20 New York); the evening's global session is left out.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from simulation.sample_desk.contracts import Contract
from trading.calendar import LATE_CLOSE, LATE_CLOSE_SYMBOLS, TradingCalendar
from trading.model.times import NEW_YORK

EARLY_OPEN = time(4, 0)  # New York; shares outside regular hours
BOOKED_AT = time(16, 20)  # New York; expiries are booked and the day's book is closed
REMEMBERED = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Opening and close of one contract on one session."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class TradingHours:
    """Hours of every contract, over the exchange's calendar."""

    calendar: TradingCalendar

    def of(self, contract: Contract, session: date) -> Hours:
        """Regular hours of the contract on a session; shares, funds and indexes close at the bell."""
        if contract.asset != "OPT" or contract.underlying is None:
            return _hours(self.calendar, session, late=False)
        symbol = contract.underlying.symbol
        is_late = symbol in LATE_CLOSE_SYMBOLS or (
            contract.underlying.is_index and contract.expiry != session
        )
        return _hours(self.calendar, session, late=is_late)

    def is_open(self, contract: Contract, now: datetime, *, outside: bool = False) -> bool:
        """Whether the contract trades at this moment; `outside` adds the early hours of shares."""
        day = now.astimezone(NEW_YORK).date()
        if not self.calendar.is_session(day) or self.is_over(contract, now):
            return False
        hours = self.of(contract, day)
        opens = hours.opens
        if outside and contract.asset == "STK":
            opens = local(day, EARLY_OPEN)
        return opens <= now < hours.closes

    def is_over(self, contract: Contract, now: datetime) -> bool:
        """Whether the contract has traded for the last time."""
        return contract.expiry is not None and now >= self.last_trade_at(contract)

    def last_trade_at(self, contract: Contract) -> datetime:
        """The close of the contract's last session."""
        if contract.expiry is None:
            raise ValueError(f"contract: expected one that expires, was {contract.symbol}")
        return self.of(contract, self.calendar.session_on_or_before(contract.expiry)).closes

    def session_of(self, now: datetime) -> date:
        """The session under way or the next one; a session ends when the broker has booked it."""
        day = now.astimezone(NEW_YORK).date()
        if self.calendar.is_session(day) and now <= local(day, BOOKED_AT):
            return day
        return self.calendar.next_session(day)

    def next_open(self, contract: Contract, now: datetime) -> datetime:
        """When the contract trades next in regular hours."""
        session = self.calendar.session_on_or_after(now.astimezone(NEW_YORK).date())
        hours = self.of(contract, session)
        if now < hours.opens:
            return hours.opens
        return self.of(contract, self.calendar.next_session(session)).opens

    def text(self, contract: Contract, session: date, sessions: int = 2) -> str:
        """Hours of some sessions as the API prints them, in New York time."""
        days = [session]
        while len(days) < sessions:
            days.append(self.calendar.next_session(days[-1]))
        return ";".join(_printed(self.of(contract, day)) for day in days)


def local(day: date, at: time) -> datetime:
    """A moment of the New York day."""
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


def _printed(hours: Hours) -> str:
    opens, closes = hours.opens.astimezone(NEW_YORK), hours.closes.astimezone(NEW_YORK)
    return f"{opens:%Y%m%d:%H%M}-{closes:%Y%m%d:%H%M}"


@lru_cache(maxsize=REMEMBERED)
def _hours(calendar: TradingCalendar, session: date, *, late: bool) -> Hours:
    close = calendar.session_close(session) + (LATE_CLOSE if late else timedelta())
    return Hours(opens=calendar.session_open(session), closes=close)
