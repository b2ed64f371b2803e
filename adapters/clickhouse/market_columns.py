"""Market rows as columns: which table each kind lies in, and how a row's fields become its cells.

Column by column, no dictionary per row. A chain snapshot is flattened here: one cell row for each contract.
What stands in no column exactly (a price with nine decimals) raises one of UNFIT_ERRORS and is never rounded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa

from adapters.clickhouse.fill_rows import UNFIT_ERRORS
from trading.model.market import ChainContract, ChainSnapshot, DepthLevel, MarketKind, MarketRow

PRICE = pa.decimal128(18, 8)  # decisions/0009
STRIKE = pa.decimal128(18, 4)
WIDE = pa.decimal128(38, 12)
MOMENT = pa.timestamp("us", tz="UTC")
LEVELS = pa.list_(pa.struct([("price", PRICE), ("size", PRICE), ("maker", pa.string())]))
TICKERS = pa.list_(
    pa.struct(
        [
            ("symbol", pa.string()),
            ("score", pa.float64()),
            ("relevance", pa.float64()),
            ("label", pa.string()),
        ]
    )
)
NAMES = ("symbol", "instrument_id", "source", "stream", "trading_class", "told_by", "exchange")
WORDS = ("conditions", "aggressor", "signed_by", "option_right", "greeks_source")
REPEATED_TEXTS = frozenset((*NAMES, *WORDS))  # few values in many rows: LowCardinality in the warehouse


class Cell(NamedTuple):
    """One column: its type, how it is read of a flat row, and whether there may be nothing in it."""

    type: pa.DataType
    read: Callable[[Any], object]
    may_miss: bool = False


class ChainRow(NamedTuple):
    """One contract of a snapshot, and the snapshot."""

    snapshot: ChainSnapshot
    contract: ChainContract


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTable:
    """Where the rows of a kind lie.

    `leading` is the first column of the key; `is_parted` says that each load has a partition of its own;
    `is_hourly` that symbol, hour and instrument begin the key; `has_versions` that a row which is told again
    replaces itself; `minutes` names the roll-up.
    """

    rows: str
    cells: Mapping[str, Cell]
    leading: str = "symbol"
    at: str = "at"
    is_parted: bool = False
    is_hourly: bool = False
    has_versions: bool = False
    minutes: str | None = None


def flat_rows(kind: MarketKind, rows: Sequence[MarketRow]) -> Sequence[Any]:
    """The rows as they are stored: a chain snapshot becomes its contracts, all others stay."""
    if kind is not MarketKind.CHAIN:
        return rows
    return [
        ChainRow(row, contract)
        for row in rows
        if isinstance(row, ChainSnapshot)
        for contract in row.contracts
    ]


def content_table(kind: MarketKind, rows: Sequence[Any]) -> pa.Table:
    """The cells of flat rows, without those that say where they come from; raises one of UNFIT_ERRORS."""
    columns = {}
    for name, cell in TABLES[kind].cells.items():
        try:
            columns[name] = pa.array(list(map(cell.read, rows)), cell.type)
        except (AttributeError, TypeError, *UNFIT_ERRORS) as cause:
            raise ValueError(f"{name}: {cause}") from cause
        if columns[name].null_count and not cell.may_miss:
            raise ValueError(f"{name}: expected a value, was none")
    return pa.table(columns)


def _same(names: str, type_: pa.DataType) -> dict[str, Cell]:
    return {name: Cell(type_, attrgetter(name)) for name in names.split()}


def _maybe(names: str, type_: pa.DataType, of: str = "") -> dict[str, Cell]:
    return {name: Cell(type_, attrgetter(of + name), may_miss=True) for name in names.split()}


def _levels(side: str) -> Callable[[Any], object]:
    read = attrgetter(side)

    def cells(row: Any) -> object:
        levels: Sequence[DepthLevel] = read(row)
        return [{"price": level.price, "size": level.size, "maker": level.maker} for level in levels]

    return cells


def _tickers(row: Any) -> object:
    return [
        {"symbol": one.symbol, "score": one.score, "relevance": one.relevance, "label": one.label}
        for one in row.tickers
    ]


def _of_greeks(name: str) -> Callable[[Any], object]:
    def cell(row: ChainRow) -> object:
        return None if row.contract.greeks is None else getattr(row.contract.greeks, name)

    return cell


_NAMED: Mapping[str, Cell] = _same("symbol instrument_id", pa.string()) | _same("at", MOMENT)
_CONID: Mapping[str, Cell] = _maybe("conid", pa.int64())

_QUOTE = {**_NAMED, **_maybe("bid ask bid_size ask_size last last_size volume", PRICE), **_CONID}
_TRADE = {
    **_NAMED,
    **_same("ordinal", pa.uint32()),
    **_same("price size", PRICE),
    **_same("exchange conditions aggressor signed_by", pa.string()),
    **_maybe("bid ask", PRICE),
    **_CONID,
}
_BAR = {
    **_NAMED,
    **_same("seconds", pa.uint32()),
    "bar_of": Cell(pa.string(), attrgetter("of")),
    **_same("open high low close", WIDE),
    **_maybe("volume average", WIDE),
    **_maybe("trades", pa.uint64()),
    **_CONID,
    **_same("origin", pa.string()),
}
_DEPTH = {
    **_NAMED,
    "bids": Cell(LEVELS, _levels("bids")),
    "asks": Cell(LEVELS, _levels("asks")),
    **_same("is_synthetic", pa.bool_()),
    **_CONID,
}
_CHAIN: dict[str, Cell] = {
    "symbol": Cell(pa.string(), attrgetter("snapshot.symbol")),
    "at": Cell(MOMENT, attrgetter("snapshot.at")),
    "expiry": Cell(pa.date32(), attrgetter("contract.option.expiry")),
    "strike": Cell(STRIKE, attrgetter("contract.option.strike")),
    "option_right": Cell(pa.string(), attrgetter("contract.option.right")),
    "instrument_id": Cell(pa.string(), attrgetter("contract.option.instrument_id")),
    "trading_class": Cell(pa.string(), attrgetter("contract.option.trading_class")),
    "multiplier": Cell(pa.uint32(), attrgetter("contract.option.multiplier")),
    **_maybe("conid", pa.int64(), of="contract.option."),
    "quoted_at": Cell(MOMENT, attrgetter("contract.at")),
    **_maybe("bid ask bid_size ask_size last volume", PRICE, of="contract."),
    **_maybe("open_interest", pa.int64(), of="contract."),
    **_maybe("open_interest_date", pa.date32(), of="contract."),
    "greeks_at": Cell(MOMENT, _of_greeks("at"), may_miss=True),
    "greeks_source": Cell(pa.string(), lambda row: row.contract.greeks.source if row.contract.greeks else ""),
    **{
        name: Cell(pa.float64(), _of_greeks(name), may_miss=True)
        for name in ["implied_volatility", "delta", "gamma", "vega", "theta", "rho", "underlying_price"]
    },
    "model_price": Cell(pa.float64(), _of_greeks("price"), may_miss=True),
    **_maybe("spot", PRICE, of="snapshot."),
    **_maybe("listed watched", pa.uint32(), of="snapshot."),
    "contracts": Cell(pa.uint32(), lambda row: len(row.snapshot.contracts)),
    "told_by": Cell(pa.string(), attrgetter("snapshot.source")),
}
_STATE = {**_NAMED, **_same("state reason", pa.string())}
_VOLATILITY = {
    "index_name": Cell(pa.string(), attrgetter("index")),
    **_same("at judged_at", MOMENT),
    **_same("value", PRICE),
    **_maybe("change_5m change_1h", PRICE),
    "told_by": Cell(pa.string(), attrgetter("source")),
    **_same("regime reason", pa.string()),
    **_maybe("z_score", pa.float64()),
    **_same("samples", pa.uint32()),
}
_NEWS = {
    **_same("item_id title url publisher label", pa.string()),
    **_same("published_at", MOMENT),
    **_same("score", pa.float64()),
    "topics": Cell(pa.list_(pa.string()), lambda row: list(row.topics)),
    "tickers": Cell(TICKERS, _tickers),
}
_SENTIMENT = {
    **_same("symbol label", pa.string()),
    **_same("at", MOMENT),
    **_same("window_s articles", pa.uint32()),
    **_maybe("score", pa.float64()),
}
_TECHNICAL = {
    **_same("symbol indicator", pa.string()),
    "bar_interval": Cell(pa.string(), attrgetter("interval")),
    **_same("at", MOMENT),
    "figures": Cell(pa.map_(pa.string(), pa.float64()), lambda row: list(row.values.items())),
    "told_by": Cell(pa.string(), attrgetter("source")),
}

TABLES: Mapping[MarketKind, KindTable] = {
    MarketKind.QUOTE: KindTable(
        rows="quote_rows", cells=_QUOTE, is_parted=True, is_hourly=True, minutes="quote_minute"
    ),
    MarketKind.TRADE: KindTable(
        rows="trade_rows", cells=_TRADE, is_parted=True, is_hourly=True, minutes="trade_minute"
    ),
    MarketKind.BAR: KindTable(rows="bar_rows", cells=_BAR, has_versions=True),
    MarketKind.DEPTH: KindTable(rows="depth_rows", cells=_DEPTH, is_parted=True),
    MarketKind.CHAIN: KindTable(rows="chain_rows", cells=_CHAIN, is_parted=True),
    MarketKind.STATE: KindTable(rows="state_rows", cells=_STATE),
    MarketKind.VOLATILITY: KindTable(rows="volatility_rows", cells=_VOLATILITY, leading="index_name"),
    MarketKind.NEWS: KindTable(
        rows="news_rows", cells=_NEWS, leading="item_id", at="published_at", has_versions=True
    ),
    MarketKind.SENTIMENT: KindTable(rows="sentiment_rows", cells=_SENTIMENT),
    MarketKind.TECHNICAL: KindTable(rows="technical_rows", cells=_TECHNICAL, has_versions=True),
}

__all__ = ["REPEATED_TEXTS", "TABLES", "UNFIT_ERRORS", "ChainRow", "KindTable", "content_table", "flat_rows"]
