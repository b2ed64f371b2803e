"""Sessions, expiries and trade dates of the exchange: which trading day a moment belongs to.

Holidays, early closes and daylight saving come from `exchange_calendars` (XNYS) and are never typed in here.
The library is loaded on first use (about a second), then every answer is a bisection in sorted lists. It is
opened to a fixed end, `CALENDAR_END`, six years ahead for LEAPS; a question beyond it is refused with an
error that names the bound.

Index and ETF options that close at 16:15 are counted as the XNYS close plus 15 minutes: XCBF, the library's
calendar for them, lacks the early closes of 3 July and 24 December and would be three hours late on those
days.

All moments are aware datetimes and come back in UTC; a naive one is refused. The functions at the end of the
page are the methods of one calendar with the default end; a composition root that wants another end makes its
own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.instruments import Option
from trading.model.times import NEW_YORK, aware_utc

CALENDAR_START = date(1990, 1, 2)  # no fill of ours is older
CALENDAR_END = date(2032, 12, 31)  # six years ahead of the release; raise it with each release
POST_MARKET = timedelta(hours=4)  # 20:00 on full days
LATE_CLOSE = timedelta(minutes=15)  # index options and options on broad funds
IBKR_NEXT_DAY_FROM = time(20, 15)  # New York; the global session from here on is the next trade date

AM_SETTLED_CLASSES = frozenset(
    {"SPX", "NDX", "RUT", "DJX", "VIX", "VIXW"}
)  # trading classes, Cboe product pages
PM_SETTLED_INDEX_CLASSES = frozenset(
    {"SPXW", "XSP", "XSPW", "NDXP", "RUTW", "OEX", "XEO", "DJXW", "MRUT", "XND"}
)
INDEX_CLASSES = AM_SETTLED_CLASSES | PM_SETTLED_INDEX_CLASSES
FUNDS_LATE = (
    "SPY QQQ IWM DIA MDY OEF EEM EFA IWN IWO IWV KBE KRE XHB XLB XLE XLF XLI XLK XLP XLU XLV XLY XME XRT"
)
NOTES_LATE = "DBA DBB DBC DBO UNG UUP VXX VIXY UVXY SVXY"
LATE_CLOSE_SYMBOLS = frozenset(f"{FUNDS_LATE} {NOTES_LATE}".split())  # their options trade to 16:15


@dataclass(frozen=True, slots=True)
class DteBand:
    """A named range of sessions to expiry, both ends included; no `last` means open-ended."""

    name: str
    first: int
    last: int | None


DTE_BANDS = (DteBand("0dte", 0, 0), DteBand("1dte", 1, 1), DteBand("14dte", 2, None))


class ContractState(StrEnum):
    """Life of an option: it trades, it has ceased to trade and waits for settlement, it is over."""

    TRADING = "trading"
    CEASED = "ceased"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTrade:
    """When a contract last trades: `at` (the broker's word where there is one), and what the rules say.

    `session` is the last trading session by the rules; `settles_at` the moment its settlement value is taken.
    """

    at: datetime
    by_rule: datetime
    session: date
    settles_at: datetime

    @property
    def agrees(self) -> bool:
        """Whether the broker and the rules say the same."""
        return self.at == self.by_rule


@dataclass(frozen=True, slots=True)
class _Sessions:
    days: tuple[date, ...]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class TradingCalendar:
    """XNYS from 1990 to `end`; cheap to make, loaded on first use and shared by all with one end."""

    end: date = CALENDAR_END
    late_close_symbols: frozenset[str] = LATE_CLOSE_SYMBOLS

    def is_session(self, day: date) -> bool:
        """Whether the exchange opens on the day."""
        days, place = self._place(day)
        return place < len(days) and days[place] == day

    def session_on_or_after(self, day: date) -> date:
        """The day itself if it is a session, else the next one."""
        days, place = self._place(day)
        if place == len(days):
            raise InvalidFieldError("day", self._bounds, day)
        return days[place]

    def session_on_or_before(self, day: date) -> date:
        """The day itself if it is a session, else the one before."""
        days, place = self._place(day)
        if place < len(days) and days[place] == day:
            return day
        if not place:
            raise InvalidFieldError("day", self._bounds, day)
        return days[place - 1]

    def next_session(self, day: date) -> date:
        """The first session after the day."""
        return self.session_on_or_after(day + timedelta(days=1))

    def previous_session(self, day: date) -> date:
        """The last session before the day."""
        return self.session_on_or_before(day - timedelta(days=1))

    def sessions_between(self, start: date, end: date) -> tuple[date, ...]:
        """All sessions from start to end, both included; none if end is before start."""
        days, first = self._place(start)
        self._place(end)
        return days[first : bisect_right(days, end)]

    def session_open(self, session: date) -> datetime:
        """The opening of a session."""
        return _sessions(self.end).opens[self._index(session)]

    def session_close(self, session: date) -> datetime:
        """The close of a session, early closes included."""
        return _sessions(self.end).closes[self._index(session)]

    def trading_session(self, ts: datetime) -> date:
        """The session a moment belongs to.

        From midnight in New York to the end of the post-market (close + 4 h) it is that day's session; after
        that, and on days without one, it is the next session.
        """
        moment = aware_utc("ts", ts)
        day = moment.astimezone(NEW_YORK).date()
        if self.is_session(day) and moment < self.session_close(day) + POST_MARKET:
            return day
        return self.next_session(day)

    def is_rth(self, ts: datetime) -> bool:
        """Whether the moment is in regular trading hours: from the opening to before the close."""
        moment = aware_utc("ts", ts)
        day = moment.astimezone(NEW_YORK).date()
        return self.is_session(day) and self.session_open(day) <= moment < self.session_close(day)

    def minutes_to_close(self, ts: datetime) -> float:
        """Minutes to the close of the moment's session; negative in the post-market."""
        return (self.session_close(self.trading_session(ts)) - aware_utc("ts", ts)) / timedelta(minutes=1)

    def expiry_session(self, expiry: date) -> date:
        """The session an expiry means: for old Saturday expiries and on holidays the session before."""
        return self.session_on_or_before(expiry)

    def dte(self, expiry: date, ts: datetime) -> int | None:
        """Sessions from the moment's session to the expiry's, 0 on expiry day; None once that day is over."""
        return self._sessions_ahead(self.expiry_session(expiry), ts)

    def calendar_days(self, expiry: date, ts: datetime) -> int | None:
        """Days in New York to the expiry, to show beside the sessions; None once that day is over."""
        ahead = (expiry - aware_utc("ts", ts).astimezone(NEW_YORK).date()).days
        return ahead if ahead >= 0 else None

    def contract_dte(self, contract: Option, ts: datetime) -> int | None:
        """Sessions to the contract's last trading session; None once it has ceased to trade."""
        last = self.last_trade(contract)
        return self._sessions_ahead(last.session, ts) if aware_utc("ts", ts) < last.at else None

    def expiry_for_dte(self, symbol: str, n: int, ts: datetime, chain: Iterable[Option]) -> date | None:
        """The nearest listed expiry of the symbol at or after the n-th session; None if the chain has none.

        AM-settled contracts count to their last trading session, and what has ceased to trade is left out.
        """
        if n < 0:
            raise InvalidFieldError("n", "zero or more sessions", n)
        listed = {
            (option.trading_class, option.expiry): option
            for option in chain
            if option.symbol == symbol.strip().upper()
        }
        ahead = ((self.contract_dte(option, ts), option.expiry) for option in listed.values())
        return min((expiry for days, expiry in ahead if days is not None and days >= n), default=None)

    def nearest_expiry(self, n: int, ts: datetime, expiries: Iterable[date]) -> date | None:
        """Like `expiry_for_dte` where only expiry dates are known, and all settle after the close."""
        ahead = ((self.dte(expiry, ts), expiry) for expiry in expiries)
        return min((expiry for days, expiry in ahead if days is not None and days >= n), default=None)

    def last_trade(self, contract: Option, *, broker: datetime | None = None) -> LastTrade:
        """When the contract last trades: the broker's word where known, beside what the rules say.

        Equity options: the close. Funds in `late_close_symbols`: 15 minutes later. PM-settled index options:
        the close of expiry day. AM-settled ones: 15 minutes after the close of the session before, settled at
        the next opening.
        """
        expiry = self.expiry_session(contract.expiry)
        if contract.trading_class in AM_SETTLED_CLASSES:
            session, lateness = self.previous_session(expiry), LATE_CLOSE
            settles_at = self.session_open(expiry)
        else:
            session, settles_at = expiry, self.session_close(expiry)
            lateness = LATE_CLOSE if contract.symbol in self.late_close_symbols else timedelta()
        by_rule = self.session_close(session) + lateness
        at = by_rule if broker is None else aware_utc("last_trade", broker)
        return LastTrade(at=at, by_rule=by_rule, session=session, settles_at=settles_at)

    def option_close(self, contract: Option, session: date) -> datetime:
        """When trading in the contract ends on a session; indexes and broad funds trade 15 minutes longer."""
        is_late = contract.symbol in self.late_close_symbols or contract.trading_class in INDEX_CLASSES
        close = self.session_close(session) + (LATE_CLOSE if is_late else timedelta())
        return min(close, self.last_trade(contract).at)

    def contract_state(self, contract: Option, ts: datetime) -> ContractState:
        """Whether the contract trades, has ceased to, or is settled and over."""
        moment, last = aware_utc("ts", ts), self.last_trade(contract)
        if moment < last.at:
            return ContractState.TRADING
        return ContractState.CEASED if moment < last.settles_at else ContractState.EXPIRED

    def trade_date_of(self, venue: Venue, ts: datetime) -> date:
        """The trade date of a fill whose venue gives none; it need not be a session.

        IBKR: the New York day, from 20:15 (global session) the next day. Kraken: the UTC day. Kalshi: the New
        York day.
        """
        moment = aware_utc("ts", ts)
        if venue is Venue.KRAKEN:
            return moment.date()
        local = moment.astimezone(NEW_YORK)
        is_next_day = venue is Venue.IBKR and local.time() >= IBKR_NEXT_DAY_FROM
        return local.date() + timedelta(days=1) if is_next_day else local.date()

    @property
    def _bounds(self) -> str:
        return f"a day the calendar knows, {CALENDAR_START} to {self.end}"

    def _sessions_ahead(self, session: date, ts: datetime) -> int | None:
        ahead = self._index(session) - self._index(self.trading_session(ts))
        return ahead if ahead >= 0 else None

    def _index(self, session: date) -> int:
        days, place = self._place(session)
        if place == len(days) or days[place] != session:
            raise InvalidFieldError("session", "an XNYS session", session)
        return place

    def _place(self, day: date) -> tuple[tuple[date, ...], int]:
        if isinstance(day, datetime) or not CALENDAR_START <= day <= self.end:
            raise InvalidFieldError("day", self._bounds, day)
        days = _sessions(self.end).days
        return days, bisect_left(days, day)


def dte_band(days: int, bands: Sequence[DteBand] = DTE_BANDS) -> str | None:
    """Name of the first band that holds this many sessions to expiry; None if none does."""
    for band in bands:
        if band.first <= days and (band.last is None or days <= band.last):
            return band.name
    return None


@cache
def _sessions(end: date) -> _Sessions:
    import exchange_calendars  # a second to import, and many who import this module never ask

    library = exchange_calendars.get_calendar("XNYS", start=CALENDAR_START.isoformat(), end=end.isoformat())
    return _Sessions(
        days=tuple(day.date() for day in library.sessions),
        opens=tuple(moment.to_pydatetime().astimezone(UTC) for moment in library.opens),
        closes=tuple(moment.to_pydatetime().astimezone(UTC) for moment in library.closes),
    )


XNYS = TradingCalendar()
is_session = XNYS.is_session
session_on_or_after = XNYS.session_on_or_after
session_on_or_before = XNYS.session_on_or_before
next_session = XNYS.next_session
previous_session = XNYS.previous_session
sessions_between = XNYS.sessions_between
session_open = XNYS.session_open
session_close = XNYS.session_close
trading_session = XNYS.trading_session
is_rth = XNYS.is_rth
minutes_to_close = XNYS.minutes_to_close
expiry_session = XNYS.expiry_session
dte = XNYS.dte
calendar_days = XNYS.calendar_days
contract_dte = XNYS.contract_dte
expiry_for_dte = XNYS.expiry_for_dte
nearest_expiry = XNYS.nearest_expiry
last_trade = XNYS.last_trade
option_close = XNYS.option_close
contract_state = XNYS.contract_state
trade_date_of = XNYS.trade_date_of
