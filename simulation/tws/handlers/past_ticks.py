"""Requests for ticks of the past: trades, touches, middles; between two moments, or the last ones before one.

The simulated market keeps no record of quotes finer than seconds: the touch is looked at once a second, and
told where it is there. What is asked of a night or a weekend is that of the hours next to it. Prints are
drawn hour by hour until there are enough: a month's would take minutes, in which nobody else is answered.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Quote
from simulation.broker.questions import Print
from simulation.market.hours import EARLY_OPEN, local
from simulation.market.parts import LOOKED_BACK_MOST_S
from simulation.tws.client import Client
from simulation.tws.depth_feeds import TRADE_KINDS
from simulation.tws.handlers.history import is_paced
from simulation.tws.moments import asked_moment
from simulation.tws.notices import text_of
from simulation.tws.replies import Message
from simulation.tws.replies import history as say
from simulation.tws.requests.market import HistoricalTicks
from simulation.tws.state import GatewayState
from trading.calendar import POST_MARKET, TradingCalendar

LOOKED_BACK_MOST = timedelta(seconds=LOOKED_BACK_MOST_S)
LOOK_BACK = timedelta(hours=8)  # for touches, second by second
WHOLE_DAY = timedelta(hours=16)  # from four in the morning to eight in the evening
PIECE = timedelta(hours=1)
TICKS_MAX = 1_000
SECOND = timedelta(seconds=1)
WHATS = ("TRADES", "MIDPOINT", "BID_ASK")
CALENDAR = TradingCalendar()


def historical_ticks(state: GatewayState, client: Client, request: HistoricalTicks) -> None:
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    start, end = asked_moment("startDateTime", request.start), asked_moment("endDateTime", request.end)
    reason = ""
    if request.what not in WHATS:
        reason = f"Invalid what to show {request.what[:40]!r}"
    elif (start is None) == (end is None) or not 0 < request.count <= TICKS_MAX:
        reason = "Either start or end must be given, and 1 to 1000 ticks"
    if reason:
        client.error(request.request_id, 321, text_of(321, request="dA", reason=reason))
        return
    if not is_paced(state, client, request, record, bar_s=1):
        conid, what = record.contract.conid, request.what
        client.send(ticks_between(state, request.request_id, conid, what, start, end, request.count))


def past_ticks(state: GatewayState, request_id: int, conid: int, kind: str, count: int) -> Message:
    """The last ticks before now, as they lead a subscription to single ticks."""
    what = "TRADES" if kind in TRADE_KINDS else "MIDPOINT" if kind == "MidPoint" else "BID_ASK"
    return ticks_between(state, request_id, conid, what, None, state.clock.now(), min(count, TICKS_MAX))


def ticks_between(
    state: GatewayState,
    request_id: int,
    conid: int,
    what: str,
    start: datetime | None,
    end: datetime | None,
    count: int,
) -> Message:
    """The first ticks from a start on; without a start the last ones before the end."""
    now = state.clock.now()
    until = _in_hours_before(min(end or now, now))
    look_back = WHOLE_DAY if what == "TRADES" else LOOK_BACK
    since = max(_in_hours_after(start) if start else until - look_back, now - LOOKED_BACK_MOST)
    if what == "TRADES":
        prints = _prints(state, conid, since, min(until, now), count, is_forward=start is not None)
        return say.historical_trades(request_id, prints, is_whole=True)
    quotes = _quotes(state, conid, since, until, count, is_forward=start is not None)
    if what == "MIDPOINT":
        mids = [(each.at, (each.bid + each.ask) / Decimal(2)) for each in quotes if each.bid and each.ask]
        return say.historical_mids(request_id, mids, is_whole=True)
    return say.historical_quotes(request_id, quotes, is_whole=True)


def _in_hours_after(start: datetime) -> datetime:
    """The moment, or the opening of the next hours in which anything trades."""
    return max(start, local(CALENDAR.trading_session(start), EARLY_OPEN))


def _in_hours_before(end: datetime) -> datetime:
    """The moment, or the end of the last hours in which anything traded."""
    session = CALENDAR.trading_session(end)
    if end >= local(session, EARLY_OPEN):
        return end
    return min(end, CALENDAR.session_close(CALENDAR.previous_session(session)) + POST_MARKET)


def _prints(
    state: GatewayState, conid: int, since: datetime, until: datetime, count: int, *, is_forward: bool
) -> list[Print]:
    """Prints in the order of time, from whichever end they are wanted."""
    found: list[Print] = []
    for number in range(math.ceil((until - since) / PIECE)):
        first = since + number * PIECE if is_forward else max(since, until - (number + 1) * PIECE)
        last = min(until, first + PIECE) if is_forward else until - number * PIECE
        told = state.broker.prints(conid, first, last)
        found = [*found, *told] if is_forward else [*told, *found]
        if len(found) >= count:
            break
    return found[:count] if is_forward else found[-count:]


def _quotes(
    state: GatewayState, conid: int, since: datetime, until: datetime, count: int, *, is_forward: bool
) -> list[Quote]:
    """Touches in the order of time, from whichever end they are wanted."""
    found: list[Quote] = []
    for at in _seconds(since, until, is_forward=is_forward):
        if len(found) == count:
            break
        quote = state.broker.quote(conid, at)
        if quote.bid is not None or quote.ask is not None:
            found.append(quote)
    return found if is_forward else found[::-1]


def _seconds(since: datetime, until: datetime, *, is_forward: bool) -> Iterator[datetime]:
    first, last = since.replace(microsecond=0), until.replace(microsecond=0)
    length = min(int((last - first) / SECOND), int(LOOK_BACK / SECOND))
    for number in range(length + 1):
        yield first + number * SECOND if is_forward else last - number * SECOND
