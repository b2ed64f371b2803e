"""What the market-data session sends, and how each request is written with the client library."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.session.client_library import new_contract
from adapters.ibkr.session.pacing import Request, Send, Urgency

SMART = "SMART"
BAR_SECONDS = 5
LIVE, DELAYED = 1, 3  # kinds of market data
REGULAR_HOURS, AS_SECONDS = 1, 2  # of bars of the past: no others, and how their times are told


class MarketSend(StrEnum):
    """What can be sent; the texts differ from those of `Send`, which stand in the same tables."""

    DATA_KIND = "market_data_kind"
    DESCRIBE = "market_describe"
    CHAIN = "market_chain"
    OPEN = "market_open"
    END = "market_end"
    HISTORY = "market_history"
    HISTORY_END = "market_history_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A contract to be described: an underlying, or all options of an expiry and class."""

    symbol: str
    sec_type: str
    expiry: date | None = None
    trading_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAsked:
    """An underlying whose expiries and strikes are asked for."""

    symbol: str
    sec_type: str
    conid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked:
    """Minutes of trades that are asked of the past."""

    contract: KnownContract
    since: datetime
    until: datetime


def open_line(number: int, line: Line, rank: Urgency = Urgency.QUESTION) -> Request:
    """Ask for a line."""
    return Request(send=MarketSend.OPEN, number=number, content=line, rank=rank)


def end_line(number: int, line: Line) -> Request:
    """End a line; it goes first, since it makes room."""
    return Request(send=MarketSend.END, number=number, content=line, rank=Urgency.CANCEL)


def _native(line: Line) -> Any:
    return new_contract(conId=line.contract.conid, exchange=line.contract.exchange)


def _level1(client: Any, number: int, line: Line) -> None:
    is_snapshot = line.kind is LineKind.SNAPSHOT and not line.ticks
    client.reqMktData(number, _native(line), line.ticks, is_snapshot, False, [])


def _rows(client: Any, number: int, line: Line) -> None:
    client.reqMktDepth(number, _native(line), int(line.ticks), True, [])


OPENERS: Mapping[LineKind, Callable[[Any, int, Line], None]] = {
    LineKind.LEVEL1: _level1,
    LineKind.OPTION: _level1,
    LineKind.SNAPSHOT: _level1,
    LineKind.DEPTH: _rows,
    LineKind.PRINTS: lambda client, number, line: client.reqTickByTickData(
        number, _native(line), "AllLast", 0, False
    ),
    LineKind.TOUCHES: lambda client, number, line: client.reqTickByTickData(
        number, _native(line), "BidAsk", 0, False
    ),
    LineKind.BARS: lambda client, number, line: client.reqRealTimeBars(
        number, _native(line), BAR_SECONDS, "TRADES", False, []
    ),
}
ENDERS: Mapping[LineKind, Callable[[Any, int], None]] = {
    LineKind.LEVEL1: lambda client, number: client.cancelMktData(number),
    LineKind.OPTION: lambda client, number: client.cancelMktData(number),
    LineKind.SNAPSHOT: lambda client, number: client.cancelMktData(number),
    LineKind.DEPTH: lambda client, number: client.cancelMktDepth(number, True),
    LineKind.PRINTS: lambda client, number: client.cancelTickByTickData(number),
    LineKind.TOUCHES: lambda client, number: client.cancelTickByTickData(number),
    LineKind.BARS: lambda client, number: client.cancelRealTimeBars(number),
}


def _describe(client: Any, request: Request) -> None:
    asked: Described = request.content
    exchange = SMART if asked.sec_type != "IND" else ""
    contract = new_contract(
        symbol=asked.symbol,
        secType=asked.sec_type,
        exchange=exchange,
        currency="USD",
        lastTradeDateOrContractMonth=f"{asked.expiry:%Y%m%d}" if asked.expiry else "",
        tradingClass=asked.trading_class,
    )
    client.reqContractDetails(request.number, contract)


def _chain(client: Any, request: Request) -> None:
    asked: ChainAsked = request.content
    client.reqSecDefOptParams(request.number, asked.symbol, "", asked.sec_type, asked.conid)


def _history(client: Any, request: Request) -> None:
    asked: HistoryAsked = request.content
    contract = new_contract(conId=asked.contract.conid, exchange=asked.contract.exchange)
    end = f"{asked.until.astimezone(UTC):%Y%m%d-%H:%M:%S}"  # with a dash it is UTC
    length = f"{int((asked.until - asked.since).total_seconds())} S"
    client.reqHistoricalData(
        request.number, contract, end, length, "1 min", "TRADES", REGULAR_HOURS, AS_SECONDS, False, []
    )


SENDERS: Mapping[StrEnum, Callable[[Any, Request], None]] = {
    Send.TIME: lambda client, _: client.reqCurrentTime(),
    MarketSend.DATA_KIND: lambda client, request: client.reqMarketDataType(request.content),
    MarketSend.DESCRIBE: _describe,
    MarketSend.CHAIN: _chain,
    MarketSend.OPEN: lambda client, request: OPENERS[request.content.kind](
        client, request.number, request.content
    ),
    MarketSend.HISTORY: _history,
    MarketSend.HISTORY_END: lambda client, request: client.cancelHistoricalData(request.number),
    MarketSend.END: lambda client, request: ENDERS[request.content.kind](client, request.number),
}
