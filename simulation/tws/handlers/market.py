"""Requests for level 1, depth, tick by tick, and the calculators, with the limits of a real login."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from simulation.broker.model import VOLATILITY_MOST
from simulation.broker.questions import ContractQuery
from simulation.tws.client import LIVE_DATA, Client
from simulation.tws.contracts import sec_type_of
from simulation.tws.depth_feeds import KINDS, TRADE_KINDS, DepthFeed, QuoteFeed, TradeFeed
from simulation.tws.handlers.past_ticks import past_ticks
from simulation.tws.line import Line
from simulation.tws.market_feeds import MODEL_GREEKS, CombinationLevel1, Level1
from simulation.tws.notices import text_of
from simulation.tws.options import DataPermission
from simulation.tws.replies import market as say
from simulation.tws.replies.session import NO_REQUEST
from simulation.tws.requests.market import (
    Calculation,
    DepthExchanges,
    MarketData,
    MarketDataType,
    MarketDepth,
    TickByTick,
)
from simulation.tws.state import GatewayState

DELAYED_DATA: Final = 3
DATA_TYPES: Final = (1, 2, 3, 4)  # live, frozen, delayed, delayed and frozen
COMBINATION_TICK: Final = Decimal("0.01")
EXCHANGE_MAP: Final = "9c0001"
PERMISSIONS: Final = 3
LEGAL_GENERIC_TICKS: Final = frozenset(
    {100, 101, 104, 105, 106, 162, 165, 221, 225, 232, 233, 236, 256, 258, 292, 293, 294, 295, 318, 375}
    | {411, 456, 460, 499, 506, 511, 512, 513, 576, 577, 586, 587, 588, 595, 614, 619, 623}
)
DEPTH_ROWS_MAX: Final = 20
WITHOUT_A_BOOK: Final = ("IND", "CASH")  # nobody simulates the banks behind a currency's touch
MAKER_EXCHANGES: Final = ("ISLAND", "NASDAQ", "NYSE", "ARCA", "BATS", "IEX")  # they name whose size it is


def market_data(state: GatewayState, client: Client, request: MarketData) -> None:
    unknown = [*request.unknown_ticks, *map(str, sorted(request.generic_ticks - LEGAL_GENERIC_TICKS))]
    if unknown or (request.is_snapshot and request.generic_ticks):
        _refuse_ticks(client, request, unknown)
        return
    min_tick = _min_tick(state, client, request)
    if min_tick is None or not client.may_subscribe("level1", request.request_id):
        return
    if client.subscriptions.count("level1") >= state.options.market_data_lines:
        client.error(request.request_id, 101)
        return
    is_delayed = _delayed(state, client, request.request_id)
    if is_delayed is None:
        return
    kind = DELAYED_DATA if is_delayed else LIVE_DATA
    client.send(say.request_parameters(request.request_id, min_tick, EXCHANGE_MAP, PERMISSIONS))
    client.send(say.data_type(request.request_id, kind))
    feed = _level1(state, request, is_delayed=is_delayed)
    for message in feed.news(state, state.clock.now()):
        client.send(message)
    if not feed.is_over:
        client.subscriptions.add("level1", request.request_id, feed)


def _level1(state: GatewayState, request: MarketData, *, is_delayed: bool) -> Level1 | CombinationLevel1:
    line = Line(request.request_id, is_delayed=is_delayed)
    if request.legs:
        return CombinationLevel1(line, request.legs, is_snapshot=request.is_snapshot)
    (record,) = state.broker.contracts(request.query)
    return Level1(line, record.contract, request.generic_ticks, is_snapshot=request.is_snapshot)


def _min_tick(state: GatewayState, client: Client, request: MarketData) -> Decimal | None:
    """The increment of what is asked for; None (and error 200) when it, or a leg of it, is unknown."""
    if not request.legs:
        record = state.the_contract(client, request.request_id, request.query)
        return record.min_tick if record else None
    for leg in request.legs:
        if state.the_contract(client, request.request_id, ContractQuery(conid=leg.conid or -1)) is None:
            return None
    return COMBINATION_TICK


def market_data_type(state: GatewayState, client: Client, request: MarketDataType) -> None:
    if request.kind not in DATA_TYPES:
        client.error(NO_REQUEST, 321, text_of(321, request="c_", reason="Invalid market data type"))
        return
    client.data_type = request.kind


def market_depth(state: GatewayState, client: Client, request: MarketDepth) -> None:
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    exchange = request.query.exchange or "SMART"
    if sec_type_of(record.contract) in WITHOUT_A_BOOK or (exchange == "SMART" and not request.is_smart):
        client.error(request.request_id, 10092)
        return
    if state.options.permission is not DataPermission.LIVE:  # nobody has a delayed book
        client.error(request.request_id, 354)
        return
    if not client.may_subscribe("depth", request.request_id):
        return
    if client.subscriptions.count("depth") >= state.options.depth_lines:
        client.error(request.request_id, 309, text_of(309, limit=state.options.depth_lines))
        return
    feed = DepthFeed(
        request.request_id,
        record.contract.conid,
        max(1, min(request.rows, DEPTH_ROWS_MAX)),
        names_makers=request.is_smart or exchange in MAKER_EXCHANGES,
        is_smart=request.is_smart,
    )
    client.subscriptions.add("depth", request.request_id, feed)


def depth_exchanges(state: GatewayState, client: Client, request: DepthExchanges) -> None:
    rows = [(exchange, "STK", "", "Deep2", "1") for exchange in MAKER_EXCHANGES]
    client.send(["80", str(len(rows)), *(text for row in rows for text in row)])


def tick_by_tick(state: GatewayState, client: Client, request: TickByTick) -> None:
    if request.kind not in KINDS:
        text = text_of(321, request="dB", reason=f"Invalid tick type {request.kind!r}")
        client.error(request.request_id, 321, text)
        return
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    is_told = record.contract.asset == "STK" and sec_type_of(record.contract) != "IND"
    if not is_told or state.options.permission is not DataPermission.LIVE:
        place, kind = request.query.exchange or "SMART", sec_type_of(record.contract)
        reason = f"No market data permissions for {place} {kind}"
        client.error(request.request_id, 10189, text_of(10189, reason=reason))
        return
    if not client.may_subscribe("tick_by_tick", request.request_id):
        return
    if client.subscriptions.count("tick_by_tick") >= state.options.tick_by_tick_lines:
        client.error(request.request_id, 10190)
        return
    conid = record.contract.conid
    if request.count > 0:
        client.send(past_ticks(state, request.request_id, conid, request.kind, request.count))
    if request.kind in TRADE_KINDS:
        trades = TradeFeed(request.request_id, conid, request.kind, state.clock.now())
        client.subscriptions.add("tick_by_tick", request.request_id, trades)
    else:
        quotes = QuoteFeed(request.request_id, conid, request.kind, ignores_size=request.ignores_size)
        client.subscriptions.add("tick_by_tick", request.request_id, quotes)


def calculation(state: GatewayState, client: Client, request: Calculation) -> None:
    """From the model's own values: exact at the model's point, first order around it."""
    record = state.the_contract(client, request.request_id, request.query)
    if record is None:
        return
    if record.contract.asset != "OPT":
        text = text_of(321, request="cC", reason="Invalid option contract")
        client.error(request.request_id, 321, text)
        return
    greeks = state.broker.greeks(record.contract.conid, state.clock.now())
    if greeks is not None:
        moved = greeks.price + greeks.delta * (float(request.underlying) - greeks.underlying)
        value = float(request.value)
        if request.wants_price:
            price, volatility = moved + greeks.vega * 100 * (value - greeks.implied_volatility), value
        else:
            price = value
            slope = greeks.vega * 100
            volatility = greeks.implied_volatility + (value - moved) / slope if slope else math.nan
        is_possible = 0 < volatility < VOLATILITY_MOST and price >= 0
        greeks = replace(greeks, price=price, implied_volatility=volatility) if is_possible else None
    client.send(say.option_computation(request.request_id, MODEL_GREEKS, greeks))


def _delayed(state: GatewayState, client: Client, request_id: int) -> bool | None:
    """Whether the line gets delayed data; None when it gets none, which has been said."""
    permission = state.options.permission
    if permission is DataPermission.LIVE:
        return False
    if permission is DataPermission.NONE or client.data_type < DELAYED_DATA:
        client.error(request_id, 354)
        return None
    client.error(request_id, 10167)
    return True


def _refuse_ticks(client: Client, request: MarketData, unknown: Sequence[str]) -> None:
    reason = "Snapshot market data subscription is not applicable to generic ticks"
    if unknown:
        reason = f"Incorrect generic tick list of {','.join(unknown)}. Legal ones are {_legal_ticks()}"
    client.error(request.request_id, 321, text_of(321, request="bX", reason=reason))


def _legal_ticks() -> str:
    return ",".join(map(str, sorted(LEGAL_GENERIC_TICKS)))
