"""Requests for bars and ticks of the past, paced as a real gateway paces them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Quote
from simulation.broker.questions import Bar, ContractRecord
from simulation.tws.bar_feeds import BarOfNow, RealTimeBarFeed
from simulation.tws.client import Client
from simulation.tws.moments import bar_size_s, duration_s, moment
from simulation.tws.notices import text_of
from simulation.tws.pacing import RELAXED_BAR_S
from simulation.tws.replies import history as say
from simulation.tws.requests.market import HeadTime, HistoricalData, HistoricalTicks, RealTimeBars
from simulation.tws.state import GatewayState

BARS_MAX = 20_000
WORLD_S = 40 * 86_400  # the simulated world is younger than this
TICKS_MAX = 1_000
OPEN_REQUESTS_MAX = 50
WHATS = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")
HEAD_BEFORE = timedelta(days=365)
TICK_LOOK_BACK = timedelta(hours=8)


def real_time_bars(state: GatewayState, client: Client, request: RealTimeBars) -> None:
    record = _record(state, client, request.request_id, request)
    if record is None:
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
    record = _record(state, client, request.request_id, request)
    if record is None:
        return
    now = state.clock.now()
    form = say.BarForm(format_date=request.format_date, bar_s=bar_size_s(request.bar_size))
    end = min(moment("endDateTime", request.end) or now, now)
    seconds = duration_s(request.duration)
    if _is_paced(state, client, request, record, form.bar_s) or _is_wrong(client, request, seconds, form):
        return
    conid = record.contract.conid
    bars = _bars(state, conid, end, min(seconds, WORLD_S), form.bar_s, request.what)
    if not bars:
        reason = "HMDS query returned no data"
        client.error(request.request_id, 162, text_of(162, reason=f"{reason}: {record.contract.symbol}"))
        return
    start = end - timedelta(seconds=seconds)
    client.send(say.historical_bars(request.request_id, start, end, bars, form))
    if request.keeps_up_to_date and client.may_subscribe("history", request.request_id):
        feed = BarOfNow(request.request_id, conid, request.what, form, bars[-1], now)
        client.subscriptions.add("history", request.request_id, feed)


def historical_ticks(state: GatewayState, client: Client, request: HistoricalTicks) -> None:
    record = _record(state, client, request.request_id, request)
    if record is None:
        return
    start, end = moment("startDateTime", request.start), moment("endDateTime", request.end)
    if (start is None) == (end is None) or not 0 < request.count <= TICKS_MAX:
        reason = "Either start or end must be given, and 1 to 1000 ticks"
        client.error(request.request_id, 321, text_of(321, request="dA", reason=reason))
        return
    if _is_paced(state, client, request, record, bar_s=1):
        return
    now = state.clock.now()
    if request.what == "TRADES":
        _tell_trades(state, client, request, record, start, end)
        return
    _tell_quotes(state, client, request, record, start or (end or now) - TICK_LOOK_BACK, end or now)


def head_time(state: GatewayState, client: Client, request: HeadTime) -> None:
    record = _record(state, client, request.request_id, request)
    if record is not None:
        since = state.clock.now() - HEAD_BEFORE
        client.send(say.head_time(request.request_id, since.replace(microsecond=0), request.format_date))


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


def _tell_trades(
    state: GatewayState,
    client: Client,
    request: HistoricalTicks,
    record: ContractRecord,
    start: datetime | None,
    end: datetime | None,
) -> None:
    now = state.clock.now()
    until = min(end or now, now)
    since = max(start or until - TICK_LOOK_BACK, now - timedelta(seconds=WORLD_S))
    prints = list(state.broker.prints(record.contract.conid, since, until))
    chosen = prints[: request.count] if start else prints[-request.count :]
    client.send(say.historical_trades(request.request_id, chosen, is_whole=True))


def _tell_quotes(
    state: GatewayState,
    client: Client,
    request: HistoricalTicks,
    record: ContractRecord,
    start: datetime,
    end: datetime,
) -> None:
    """The touch once a second: the simulated market keeps no record of finer changes."""
    conid = record.contract.conid
    at = max(start, state.clock.now() - timedelta(seconds=WORLD_S)).replace(microsecond=0)
    quotes: list[Quote] = []
    until = min(end, state.clock.now())
    while at <= until and len(quotes) < request.count:
        quotes.append(state.broker.quote(conid, at))
        at += timedelta(seconds=1)
    if request.what == "MIDPOINT":
        mids = [(each.at, (each.bid + each.ask) / Decimal(2)) for each in quotes if each.bid and each.ask]
        client.send(say.historical_mids(request.request_id, mids, is_whole=True))
        return
    client.send(say.historical_quotes(request.request_id, quotes, is_whole=True))


def _record(
    state: GatewayState,
    client: Client,
    request_id: int,
    request: HistoricalData | HistoricalTicks | HeadTime | RealTimeBars,
) -> ContractRecord | None:
    record = state.one_contract(request.query)
    if record is None:
        client.error(request_id, 200)
    return record


def _is_paced(
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


def _is_wrong(client: Client, request: HistoricalData, seconds: int, form: say.BarForm) -> bool:
    """Whether the request asks for what no gateway gives, which has then been said (321, 162)."""
    reason = ""
    if request.what not in WHATS:
        reason = f"Invalid what to show {request.what!r}"
    elif request.keeps_up_to_date and request.what == "BID_ASK":
        reason = "BID_ASK is not supported with keepUpToDate"
    elif request.keeps_up_to_date and request.end:
        reason = "End date not supported with keepUpToDate"
    elif client.subscriptions.count("history") >= OPEN_REQUESTS_MAX:
        reason = f"Max number of {OPEN_REQUESTS_MAX} simultaneous requests reached"
    if reason:
        client.error(request.request_id, 321, text_of(321, request="bV", reason=reason))
        return True
    if seconds // form.bar_s > BARS_MAX:
        client.error(request.request_id, 162, text_of(162, reason="query would return too many bars"))
        return True
    return False
