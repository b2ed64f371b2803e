"""Requests for market data: level 1, depth, tick by tick, bars, history, and the calculators."""

from dataclasses import dataclass, replace
from decimal import Decimal

from simulation.broker.model import Leg
from simulation.broker.questions import ContractQuery
from simulation.tws.contracts import contract_query
from simulation.tws.fields import Cursor

COMBINATION = "BAG"
NO_MARKET = "mdoff"  # in the place of a generic tick: news only, no quotes
TICK_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketData:
    """Level 1 of one contract; generic ticks as numbers in a list."""

    request_id: int
    query: ContractQuery
    legs: tuple[Leg, ...]
    generic_ticks: frozenset[int]
    is_snapshot: bool
    unknown_ticks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketDataType:
    """1 live, 2 frozen, 3 delayed, 4 delayed and frozen; for the requests that follow."""

    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDepth:
    """The book of one contract."""

    request_id: int
    query: ContractQuery
    rows: int
    is_smart: bool


@dataclass(frozen=True, slots=True)
class DepthExchanges:
    """Which exchanges offer depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickByTick:
    """Every trade or every change of the touch: Last, AllLast, BidAsk, MidPoint."""

    request_id: int
    query: ContractQuery
    kind: str
    count: int = 0
    ignores_size: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How much was traded at which price over a time such as `3 days`."""

    request_id: int
    query: ContractQuery
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTimeBars:
    """Five-second bars from now on."""

    request_id: int
    query: ContractQuery
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalData:
    """Past bars, and the bar of now when kept up to date."""

    request_id: int
    query: ContractQuery
    end: str
    bar_size: str
    duration: str
    what: str
    format_date: int
    keeps_up_to_date: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalTicks:
    """Past trades or quotes between two moments, of which one may be empty."""

    request_id: int
    query: ContractQuery
    start: str
    end: str
    count: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTime:
    """Since when there is data."""

    request_id: int
    query: ContractQuery
    what: str
    format_date: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """An implied volatility from a price, or a price from a volatility."""

    request_id: int
    query: ContractQuery
    value: Decimal
    underlying: Decimal
    wants_price: bool


def market_data(cursor: Cursor, version: int) -> MarketData:
    cursor.integer("version")
    request_id = cursor.integer("reqId")
    query = contract_query(cursor)
    legs = _legs(cursor, query)
    if cursor.flag("deltaNeutralContract"):
        cursor.texts("deltaNeutralContract", 3)
    names = [name.split(":")[0].strip() for name in cursor.text("genericTickList").split(",")]
    is_snapshot = cursor.flag("snapshot")
    is_snapshot |= cursor.flag("regulatorySnapshot")
    cursor.text("options")
    return MarketData(
        request_id=request_id,
        query=query,
        legs=legs,
        generic_ticks=frozenset(int(name) for name in names if _is_number(name)),
        is_snapshot=is_snapshot,
        unknown_ticks=tuple(name for name in names if name and name != NO_MARKET and not _is_number(name)),
    )


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= TICK_DIGITS_MAX


def market_data_type(cursor: Cursor, version: int) -> MarketDataType:
    cursor.integer("version")
    return MarketDataType(cursor.integer("marketDataType"))


def market_depth(cursor: Cursor, version: int) -> MarketDepth:
    cursor.integer("version")
    request_id = cursor.integer("reqId")
    query = contract_query(cursor)
    rows, is_smart = cursor.integer("numRows"), cursor.flag("isSmartDepth")
    cursor.text("mktDepthOptions")
    return MarketDepth(request_id=request_id, query=query, rows=rows, is_smart=is_smart)


def depth_exchanges(cursor: Cursor, version: int) -> DepthExchanges:
    return DepthExchanges()


def tick_by_tick(cursor: Cursor, version: int) -> TickByTick:
    request_id = cursor.integer("reqId")
    query = contract_query(cursor)
    kind = cursor.text("tickType")
    count, ignores_size = cursor.integer("numberOfTicks"), cursor.flag("ignoreSize")
    return TickByTick(request_id=request_id, query=query, kind=kind, count=count, ignores_size=ignores_size)


def histogram(cursor: Cursor, version: int) -> Histogram:
    request_id = cursor.integer("reqId")
    query = replace(contract_query(cursor), include_expired=cursor.flag("includeExpired"))
    cursor.text("useRTH")
    return Histogram(request_id=request_id, query=query, period=cursor.text("timePeriod"))


def real_time_bars(cursor: Cursor, version: int) -> RealTimeBars:
    cursor.integer("version")
    request_id = cursor.integer("reqId")
    query = contract_query(cursor)
    cursor.integer("barSize")
    what = cursor.text("whatToShow")
    cursor.texts("useRTH, options", 2)
    return RealTimeBars(request_id=request_id, query=query, what=what)


def historical_data(cursor: Cursor, version: int) -> HistoricalData:
    request_id = cursor.integer("reqId")
    query = replace(contract_query(cursor), include_expired=cursor.flag("includeExpired"))
    end, bar_size, duration = cursor.texts("endDateTime, barSizeSetting, durationStr", 3)
    cursor.text("useRTH")
    what, format_date = cursor.text("whatToShow"), cursor.integer("formatDate")
    _legs(cursor, query)
    keeps_up_to_date = cursor.flag("keepUpToDate")
    cursor.text("chartOptions")
    return HistoricalData(
        request_id=request_id,
        query=query,
        end=end,
        bar_size=bar_size,
        duration=duration,
        what=what,
        format_date=format_date,
        keeps_up_to_date=keeps_up_to_date,
    )


def historical_ticks(cursor: Cursor, version: int) -> HistoricalTicks:
    request_id = cursor.integer("reqId")
    query = replace(contract_query(cursor), include_expired=cursor.flag("includeExpired"))
    start, end = cursor.texts("startDateTime, endDateTime", 2)
    count, what = cursor.integer("numberOfTicks"), cursor.text("whatToShow")
    cursor.texts("useRth, ignoreSize, miscOptions", 3)
    return HistoricalTicks(request_id=request_id, query=query, start=start, end=end, count=count, what=what)


def head_time(cursor: Cursor, version: int) -> HeadTime:
    request_id = cursor.integer("reqId")
    query = replace(contract_query(cursor), include_expired=cursor.flag("includeExpired"))
    _, what = cursor.texts("useRTH, whatToShow", 2)
    form = cursor.integer("formatDate")
    return HeadTime(request_id=request_id, query=query, what=what, format_date=form)


def implied_volatility(cursor: Cursor, version: int) -> Calculation:
    return _calculation(cursor, wants_price=False)


def option_price(cursor: Cursor, version: int) -> Calculation:
    return _calculation(cursor, wants_price=True)


def _calculation(cursor: Cursor, *, wants_price: bool) -> Calculation:
    cursor.integer("version")
    request_id = cursor.integer("reqId")
    query = contract_query(cursor)
    value = cursor.decimal("value") or Decimal(0)
    underlying = cursor.decimal("underPrice") or Decimal(0)
    cursor.texts("option count and options", cursor.left)
    return Calculation(
        request_id=request_id, query=query, value=value, underlying=underlying, wants_price=wants_price
    )


def _legs(cursor: Cursor, query: ContractQuery) -> tuple[Leg, ...]:
    """The legs of a combination, four texts each; nothing else has any."""
    if query.sec_type != COMBINATION:
        return ()
    return tuple(
        Leg(
            conid=cursor.integer("leg.conId"),
            ratio=cursor.integer("leg.ratio"),
            action=cursor.text("leg.action"),
            exchange=cursor.text("leg.exchange"),
        )
        for _ in range(cursor.count("comboLegs"))
    )
