"""Requests for ticks of the past: trades, touches, middles; between two moments, or the last ones before one.

The simulated market keeps no record of quotes finer than seconds: the touch is looked at once a second, and
told where it is there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Quote
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

LOOKED_BACK_MOST = timedelta(seconds=LOOKED_BACK_MOST_S)
LOOK_BACK = timedelta(hours=8)
TICKS_MAX = 1_000
SECOND = timedelta(seconds=1)
WHATS = ("TRADES", "MIDPOINT", "BID_ASK")


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
    until = min(end or now, now)
    since = max(start or until - LOOK_BACK, now - LOOKED_BACK_MOST)
    if what == "TRADES":
        prints = list(state.broker.prints(conid, since, until))
        return say.historical_trades(request_id, prints[:count] if start else prints[-count:], is_whole=True)
    quotes = _quotes(state, conid, since, until, count, is_forward=start is not None)
    if what == "MIDPOINT":
        mids = [(each.at, (each.bid + each.ask) / Decimal(2)) for each in quotes if each.bid and each.ask]
        return say.historical_mids(request_id, mids, is_whole=True)
    return say.historical_quotes(request_id, quotes, is_whole=True)


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
