"""Requests for bars of the past and of now, paced as a real gateway paces them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from simulation.broker.questions import Bar, ContractRecord
from simulation.market.parts import BARS_MOST, LOOKED_BACK_MOST_S
from simulation.tws.bar_feeds import PIECE_S, BarOfNow, RealTimeBarFeed, floor_of, joined
from simulation.tws.client import Client
from simulation.tws.contracts import sec_type_of
from simulation.tws.moments import asked_moment, bar_size_s, begin_of
from simulation.tws.notices import text_of
from simulation.tws.options import DataPermission
from simulation.tws.pacing import RELAXED_BAR_S
from simulation.tws.replies import history as say
from simulation.tws.requests.market import (
    HeadTime,
    Histogram,
    HistoricalData,
    HistoricalTicks,
    RealTimeBars,
)
from simulation.tws.state import GatewayState
from trading.calendar import TradingCalendar
from trading.model.times import NEW_YORK

DAY_S, WEEK_S = 86_400, 7 * 86_400
OPEN_REQUESTS_MAX = 50
WHATS = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")
REAL_TIME_WHATS = ("TRADES", "MIDPOINT", "BID", "ASK")
TRADES_BY_OTHER_NAMES: Final = ("ADJUSTED_LAST", "AGGTRADES")  # nothing is split or aggregated here
SCHEDULE: Final = "SCHEDULE"
NOT_PERMITTED: Final = frozenset(  # what other logins may see
    {"HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY", "FEE_RATE", "REBATE_RATE"}
    | {"YIELD_BID", "YIELD_ASK", "YIELD_BID_ASK", "YIELD_LAST"}
)
HEAD_YEARS = 1  # before the first of January
CALENDAR = TradingCalendar()


def real_time_bars(state: GatewayState, client: Client, request: RealTimeBars) -> None:
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    if request.what not in REAL_TIME_WHATS:
        _refuse(client, request.request_id, f"Invalid what to show {request.what[:40]!r}")
        return
    if state.options.permission is not DataPermission.LIVE:
        client.error(request.request_id, 420, text_of(420, reason=_no_permission(record)))
        return
    if not client.may_subscribe("bars", request.request_id):
        return
    now = state.clock.now()
    reason = client.history_pacing.refuses(("bars", request.request_id), record.contract.conid, now)
    if reason and state.options.history_pacing:
        text = text_of(420, reason=f"Historical data request pacing violation: {reason}")
        client.error(request.request_id, 420, text)
        return
    feed = RealTimeBarFeed(request.request_id, record.contract.conid, request.what, now)
    client.subscriptions.add("bars", request.request_id, feed)


def historical_data(state: GatewayState, client: Client, request: HistoricalData) -> None:
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    if state.options.permission is DataPermission.NONE:
        _have_none(client, request.request_id, _no_permission(record))
        return
    form = say.BarForm(format_date=request.format_date, bar_s=bar_size_s(request.bar_size))
    now = state.clock.now()
    end = min(asked_moment("endDateTime", request.end) or now, now)
    if request.keeps_up_to_date:
        end = floor_of(end, PIECE_S)
    begin = begin_of(request.duration, end, CALENDAR)
    if _is_wrong(client, request, (end - begin).total_seconds(), form) or is_paced(
        state, client, request, record, form.bar_s
    ):
        return
    if request.what == SCHEDULE:
        client.send(say.schedule(request.request_id, _sessions(begin, end)))
        return
    bars = _bars_between(state, request, record, begin, end, form.bar_s)
    if not bars:
        _have_none(client, request.request_id, f"HMDS query returned no data: {record.contract.symbol}")
        return
    client.send(say.historical_bars(request.request_id, begin, end, bars, form))
    if request.keeps_up_to_date and client.may_subscribe("history", request.request_id):
        feed = BarOfNow(request.request_id, record.contract.conid, request.what, form, bars[-1], now)
        client.subscriptions.add("history", request.request_id, feed)


def head_time(state: GatewayState, client: Client, request: HeadTime) -> None:
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    if request.what not in (*WHATS, *TRADES_BY_OTHER_NAMES, *NOT_PERMITTED):
        _refuse(client, request.request_id, f"Invalid what to show {request.what[:40]!r}")
        return
    if request.what in NOT_PERMITTED:
        _have_none(client, request.request_id, _no_permission(record))
        return
    first = date(state.clock.now().year - HEAD_YEARS, 1, 1)
    since = CALENDAR.session_open(CALENDAR.session_on_or_after(first))
    client.send(say.head_time(request.request_id, since, request.format_date))


def histogram(state: GatewayState, client: Client, request: Histogram) -> None:
    """Sizes by price over the last sessions, as far as they are simulated."""
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    now = state.clock.now()
    amount, _, unit = request.period.strip().partition(" ")
    letter = {"day": "D", "week": "W", "month": "M", "year": "Y"}.get(unit.rstrip("s").lower(), unit)
    begin = max(begin_of(f"{amount} {letter}", now, CALENDAR), now - timedelta(seconds=LOOKED_BACK_MOST_S))
    sizes: dict[Decimal, int] = {}
    for each in state.broker.prints(record.contract.conid, begin, now):
        sizes[each.price] = sizes.get(each.price, 0) + each.size
    client.send(say.histogram(request.request_id, sorted(sizes.items())))


def _sessions(begin: datetime, end: datetime) -> list[tuple[date, datetime, datetime]]:
    first, last = begin.astimezone(NEW_YORK).date(), end.astimezone(NEW_YORK).date()
    days = CALENDAR.sessions_between(first, last) or (CALENDAR.session_on_or_before(last),)
    return [(day, CALENDAR.session_open(day), CALENDAR.session_close(day)) for day in days]


def _bars_between(
    state: GatewayState,
    request: HistoricalData,
    record: ContractRecord,
    begin: datetime,
    end: datetime,
    bar_s: int,
) -> Sequence[Bar]:
    what = "TRADES" if request.what in TRADES_BY_OTHER_NAMES else request.what
    seconds = max(1, min(int((end - begin).total_seconds()), LOOKED_BACK_MOST_S))
    bars = _bars(state, record.contract.conid, end, seconds, min(bar_s, DAY_S), what)
    if bar_s < WEEK_S:
        return bars
    same: Callable[[Bar], object] = _week_of if bar_s == WEEK_S else _month_of
    return [_together(list(group)) for _, group in groupby(bars, key=same)]


def _week_of(bar: Bar) -> object:
    return bar.at.astimezone(NEW_YORK).isocalendar()[:2]


def _month_of(bar: Bar) -> object:
    local = bar.at.astimezone(NEW_YORK)
    return local.year, local.month


def _together(bars: Sequence[Bar]) -> Bar:
    told = bars[0]
    for bar in bars[1:]:
        told = joined(told, bar)
    return told


def _bars(
    state: GatewayState, conid: int, end: datetime, seconds: int, bar_s: int, what: str
) -> Sequence[Bar]:
    """Bars of the broker's tape; BID_ASK is made of both sides, as the API lays such a bar out.

    The API opens it with the average bid and closes it with the average ask; here the first bid and the last
    ask stand for them.
    """
    if what != "BID_ASK":
        return state.broker.bars(conid, end, seconds, bar_s, what)
    bids = state.broker.bars(conid, end, seconds, bar_s, "BID")
    asks = {bar.at: bar for bar in state.broker.bars(conid, end, seconds, bar_s, "ASK")}
    return [replace(bid, high=asks[bid.at].high, close=asks[bid.at].close) for bid in bids if bid.at in asks]


def is_paced(
    state: GatewayState,
    client: Client,
    request: HistoricalData | HistoricalTicks,
    record: ContractRecord,
    bar_s: int,
) -> bool:
    """Whether the request comes too soon, which has then been said (162)."""
    if bar_s >= RELAXED_BAR_S or not state.options.history_pacing:
        return False
    same = tuple(getattr(request, name) for name in request.__slots__ if name != "request_id")
    weight = 2 if request.what == "BID_ASK" else 1
    reason = client.history_pacing.refuses(same, record.contract.conid, state.clock.now(), weight)
    if not reason:
        return False
    client.error(
        request.request_id, 162, text_of(162, reason=f"Historical data request pacing violation: {reason}")
    )
    return True


def _is_wrong(client: Client, request: HistoricalData, seconds: float, form: say.BarForm) -> bool:
    """Whether the request asks for what no gateway gives, which has then been said (321, 162)."""
    reason = ""
    if request.what not in (*WHATS, *TRADES_BY_OTHER_NAMES, *NOT_PERMITTED, SCHEDULE):
        reason = f"Invalid what to show {request.what[:40]!r}"
    elif request.keeps_up_to_date and request.what not in REAL_TIME_WHATS:
        reason = f"{request.what} is not supported with keepUpToDate"
    elif request.keeps_up_to_date and request.end:
        reason = "End date not supported with keepUpToDate"
    elif request.end and request.what == "ADJUSTED_LAST":
        reason = "End date not supported with adjusted last"
    elif request.what == SCHEDULE and form.bar_s != DAY_S:
        reason = "Only bars of 1 day are supported with SCHEDULE"
    elif client.subscriptions.count("history") >= OPEN_REQUESTS_MAX:
        reason = f"Max number of {OPEN_REQUESTS_MAX} simultaneous requests reached"
    if reason:
        _refuse(client, request.request_id, reason)
        return True
    if request.what in NOT_PERMITTED:
        _have_none(client, request.request_id, f"No market data permissions for {request.what}")
        return True
    if seconds // form.bar_s > BARS_MOST:
        _have_none(client, request.request_id, "query would return too many bars")
        return True
    return False


def _refuse(client: Client, request_id: int, reason: str) -> None:
    client.error(request_id, 321, text_of(321, request="bV", reason=reason))


def _have_none(client: Client, request_id: int, reason: str) -> None:
    client.error(request_id, 162, text_of(162, reason=reason))


def _no_permission(record: ContractRecord) -> str:
    place = record.primary_exchange or record.exchanges[0]
    return f"No market data permissions for {place} {sec_type_of(record.contract)}"
