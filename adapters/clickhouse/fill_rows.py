"""Fills as columns: the hot path from values to Arrow and back. Column by column, no dictionary per row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any

import pyarrow as pa

from adapters.clickhouse.instruments import instrument_text, instrument_value
from trading.model.fills import CommissionFact, Fill, FillKind, FillRevision, Side, Source, Venue
from trading.model.instruments import Instrument, Option
from trading.model.money import EXACT, MONEY_PLACES

PRICE = pa.decimal128(38, 12)
MONEY = pa.decimal128(38, 9)
MOMENT = pa.timestamp("us", tz="UTC")
NAME = pa.dictionary(pa.int32(), pa.string())  # few values, many rows: sent once
NANO = Decimal(1).scaleb(-MONEY_PLACES)
SESSION_UNKNOWN = date(1970, 1, 1)  # of a fee whose source names no day
UNFIT_ERRORS = (
    pa.ArrowException,
    ArithmeticError,
    ValueError,
    OverflowError,
)  # of a value that no column holds

# Column of the table -> its Arrow type and the attribute of FillRevision that it copies.
COPIED: Mapping[str, pa.DataType] = {
    "account": NAME,
    "session": pa.date32(),
    "fill_id": pa.string(),
    "revision": pa.uint32(),
    "conid": pa.int64(),
    "multiplier": PRICE,
    "exchange": NAME,
    "quantity": PRICE,
    "price": PRICE,
    "currency": NAME,
    "fill_ts": MOMENT,
    "trade_date": pa.date32(),
    "report_date": pa.date32(),
    "exec_id": pa.string(),
    "order_id": pa.string(),
    "order_ref": pa.string(),
    "perm_id": pa.string(),
    "trade_id": pa.string(),
    "transaction_id": pa.string(),
    "cancels_trade_id": pa.string(),
    "action_id": pa.string(),
    "description": pa.string(),
    "liquidity": NAME,
    "open_close": NAME,
    "notes": pa.list_(pa.string()),
    "strategy": pa.string(),
    "signal_id": pa.string(),
    "provisional": pa.bool_(),
    "broker_realized": MONEY,
    "broker_cost": MONEY,
    "broker_net_cash": MONEY,
    "fx_rate_to_base": PRICE,
    "raw": pa.string(),
}
JUDGED = ("account", "session", "fill_id", "revision", "quantity", "price")
ENUMERATED = ("venue", "source", "kind", "side")
# Column -> Arrow type and what of the instrument it shows.
OF_INSTRUMENT: Mapping[str, tuple[pa.DataType, Callable[[Instrument], object]]] = {
    "instrument_id": (pa.string(), lambda contract: contract.instrument_id),
    "instrument": (pa.string(), instrument_text),
    "asset_class": (pa.string(), lambda contract: contract.asset_class),
    "symbol": (pa.string(), lambda contract: contract.symbol),
    "underlying": (pa.string(), lambda contract: contract.underlying),
    "expiry": (pa.date32(), lambda contract: getattr(contract, "expiry", None)),
    "strike": (PRICE, lambda contract: contract.strike if isinstance(contract, Option) else None),
    "option_right": (
        pa.string(),
        lambda contract: str(contract.right) if isinstance(contract, Option) else "",
    ),
}


def revisions_table(
    revisions: Sequence[FillRevision], hashes: Sequence[str], batch: str | pa.Array, received_at: datetime
) -> pa.Table:
    """Return the revisions as columns of core.fill_revisions; `hashes` are their content hashes, `batch` is
    the id of their batch, or one for each row.
    """
    columns: dict[str, pa.Array] = {}
    for name, kind in COPIED.items():
        columns[name] = pa.array(list(map(attrgetter(name), revisions)), kind)
    for name in ENUMERATED:
        columns[name] = _enumerated(name, revisions)
    columns.update(_instrument_columns(revisions))
    columns["notional"] = pa.array(list(map(notional, revisions)), MONEY)
    columns["content_hash"] = pa.array(hashes, pa.string())
    columns["batch_id"] = _constant(batch, len(revisions)) if isinstance(batch, str) else batch
    columns["received_at"] = pa.array([received_at], MOMENT).take(_zeros(len(revisions)))
    return pa.table(columns)


def keys_table(revisions: Sequence[FillRevision], hashes: Sequence[str], batches: pa.Array) -> pa.Table:
    """Return only the columns by which a revision is found and judged, and its batch."""
    columns = {name: pa.array(list(map(attrgetter(name), revisions)), COPIED[name]) for name in JUDGED}
    columns |= {name: _enumerated(name, revisions) for name in ENUMERATED}
    columns["content_hash"] = pa.array(hashes, pa.string())
    columns["batch_id"] = batches
    return pa.table(columns)


def commissions_table(
    facts: Sequence[CommissionFact], hashes: Sequence[str], batches: pa.Array, received_at: datetime
) -> pa.Table:
    """Return the fees as columns of core.commission_facts; `hashes` and `batches` are of each row."""
    texts = ("account", "commission_key", "fill_id", "currency", "raw")
    columns = {name: pa.array(list(map(attrgetter(name), facts)), pa.string()) for name in texts}
    columns["content_hash"] = pa.array(hashes, pa.string())
    columns["venue"] = pa.array([str(fact.venue) for fact in facts], pa.string())
    columns["source"] = pa.array([str(fact.source) for fact in facts], pa.string())
    columns["session"] = pa.array([fact.session or SESSION_UNKNOWN for fact in facts], pa.date32())
    columns["amount"] = pa.array([fact.amount for fact in facts], MONEY)
    columns["batch_id"] = batches
    columns["received_at"] = pa.array([received_at], MOMENT).take(_zeros(len(facts)))
    return pa.table(columns)


def batch_column(batch_ids: Sequence[str], owners: Sequence[int]) -> pa.Array:
    """Return the id of each row's batch; `owners` are places in `batch_ids`."""
    distinct = {batch_id: place for place, batch_id in enumerate(dict.fromkeys(batch_ids))}
    places = pa.array([distinct[batch_id] for batch_id in batch_ids], pa.int32())
    return pa.DictionaryArray.from_arrays(
        places.take(pa.array(owners, pa.int32())), pa.array(list(distinct), pa.string())
    )


def with_constant(table: pa.Table, name: str, value: str) -> pa.Table:
    """Return the table with one more text column that holds the same value in every row."""
    return table.append_column(name, _constant(value, table.num_rows))


def notional(revision: FillRevision) -> Decimal:
    """Quantity x price x multiplier, in money's places."""
    with localcontext(EXACT):
        return (revision.quantity * revision.price * revision.multiplier).quantize(NANO)


def fits(revision: FillRevision) -> bool:
    """Say whether the warehouse's columns hold the revision exactly."""
    try:
        revisions_table([revision], [revision.content_hash], "", revision.fill_ts)
    except UNFIT_ERRORS:
        return False
    return True


def fill_of(row: Mapping[str, Any]) -> Fill:
    """Rebuild a fill from a row of core.fills."""
    return Fill(
        revision=revision_of(row),
        fees=dict(row["fees"]),
        fifo_ts=row["fifo_ts"],
        fifo_key=row["fifo_key"],
        busted=bool(row["busted"]),
    )


def revision_of(row: Mapping[str, Any]) -> FillRevision:
    """Rebuild a revision from a row of core.fill_revisions or core.fills."""
    plain = {name: row[name] for name in COPIED if name != "notes"}
    return FillRevision(
        **plain,
        venue=Venue(row["venue"]),
        source=Source(row["source"]),
        kind=FillKind(row["kind"]),
        side=Side(row["side"]),
        instrument=instrument_value(row["instrument"]),
        notes=tuple(row["notes"]),
    )


def _instrument_columns(revisions: Sequence[FillRevision]) -> dict[str, pa.Array]:
    """Work each contract out once, and repeat it by index."""
    places: dict[str, int] = {}
    contracts: list[Instrument] = []
    indexes: list[int] = []
    for contract in map(attrgetter("instrument"), revisions):
        text = instrument_text(contract)
        place = places.get(text)
        if place is None:
            place = places[text] = len(contracts)
            contracts.append(contract)
        indexes.append(place)
    chosen = pa.array(indexes, pa.int32())
    return {
        name: pa.array([show(contract) for contract in contracts], kind).take(chosen)
        for name, (kind, show) in OF_INSTRUMENT.items()
    }


def _enumerated(name: str, revisions: Sequence[FillRevision]) -> pa.Array:
    return pa.array([value.value for value in map(attrgetter(name), revisions)], NAME)


def _constant(value: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(_zeros(count), pa.array([value], pa.string()))


def _zeros(count: int) -> pa.Array:
    return pa.repeat(pa.scalar(0, pa.int32()), count)
