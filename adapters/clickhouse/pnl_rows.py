"""P&L rows: values to cells and back. The tables' columns in the order in which the cells are written."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.clickhouse.pnl_columns import CONTRACT_COLUMNS
from trading.model.fills import Venue
from trading.model.money import canonical
from trading.pnl.book import (
    Book,
    CashEntry,
    DailyPnl,
    Direction,
    HeldContract,
    Lot,
    LotMatch,
    MatchKind,
    Origin,
    PendingPremium,
)
from trading.pnl.parcels import Parcel
from trading.ports.pnl_store import PnlRun, SessionOutcome

Cells = list[object]


def run_cells(outcome: SessionOutcome, version: int) -> Cells:
    """One pointer."""
    run = outcome.run
    return [
        *_key(run),
        run.previous_run_id,
        run.inputs_hash,
        run.settings_hash,
        run.fills,
        run.base_currency,
        dict(outcome.book.cash),
        pending_text(outcome.book.pending),
        version,
        run.computed_at,
    ]


def withdrawn_cells(venue: str, account: str, session: date, at: datetime, version: int) -> Cells:
    """A pointer to nothing."""
    return [venue, account, session, "", "", "", "", 0, "", {}, "[]", version, at]


def lot_cells(run: PnlRun, lots: Sequence[Lot]) -> list[Cells]:
    """The open lots of a session."""
    return [_lot_cells(run, place, lot) for place, lot in enumerate(lots)]


def _lot_cells(run: PnlRun, place: int, lot: Lot) -> Cells:
    left = lot.left
    return [
        *_key(run),
        *_contract(lot.contract),
        lot.lot_id,
        place,
        lot.strategy,
        str(lot.direction),
        lot.signed_quantity,
        lot.parcel.quantity,
        lot.contract.multiplier,
        lot.contract.inverse,
        lot.open_price,
        lot.parcel.value,
        lot.parcel.fee,
        left.value * lot.direction.sign,
        left.fee,
        lot.parcel.premium,
        left.premium,
        str(lot.origin),
        lot.open_fill_id,
        lot.open_ts,
        lot.open_session,
        run.computed_at,
    ]


def lot_of_row(row: Mapping[str, Any]) -> Lot:
    """Rebuild an open lot."""
    opened = Decimal(row["quantity_opened"])
    return Lot(
        lot_id=row["lot_id"],
        contract=_contract_of(row, Decimal(row["multiplier"]), bool(row["inverse"])),
        strategy=row["strategy"],
        direction=Direction(row["direction"]),
        parcel=Parcel(
            quantity=opened, value=row["value_opened"], fee=row["fee_opened"], premium=row["premium_opened"]
        ),
        closed=opened - abs(row["quantity"]),
        open_price=row["open_price"],
        open_fill_id=row["open_fill_id"],
        open_ts=row["open_ts"],
        open_session=row["open_session"],
        origin=Origin(row["origin"]),
    )


def match_cells(run: PnlRun, match: LotMatch) -> Cells:
    """One match."""
    return [
        *_key(run),
        *_contract(match.contract),
        match.match_id,
        match.strategy,
        str(match.direction),
        str(match.kind),
        match.open_fill_id,
        match.close_fill_id,
        match.open_ts,
        match.close_ts,
        match.open_session,
        match.quantity,
        match.contract.multiplier,
        match.open_price,
        match.close_price,
        match.open_fee,
        match.close_fee,
        match.gross_realized,
        match.realized,
        match.premium_moved,
        run.computed_at,
    ]


def match_of_row(row: Mapping[str, Any]) -> LotMatch:
    """Rebuild a match."""
    copied = (
        "match_id",
        "session",
        "strategy",
        "open_fill_id",
        "close_fill_id",
        "open_ts",
        "close_ts",
        "open_session",
        "quantity",
        "open_price",
        "close_price",
        "open_fee",
        "close_fee",
        "gross_realized",
        "realized",
        "premium_moved",
    )
    return LotMatch(
        **{name: row[name] for name in copied},
        contract=_contract_of(row, Decimal(row["multiplier"]), False),
        direction=Direction(row["direction"]),
        kind=MatchKind(row["kind"]),
    )


def daily_cells(run: PnlRun, row: DailyPnl) -> Cells:
    """One daily row."""
    return [
        *_key(run),
        *_contract(row.contract),
        row.strategy,
        row.quantity_bought,
        row.quantity_sold,
        row.position_end,
        row.gross_realized,
        row.fees,
        row.realized,
        row.unrealized,
        row.mark_price,
        row.fx_rate_to_base,
        row.realized_base,
        run.computed_at,
    ]


def daily_of_row(row: Mapping[str, Any]) -> DailyPnl:
    """Rebuild a daily row; its contract's multiplier is not kept there and is 0."""
    copied = (
        "session",
        "strategy",
        "quantity_bought",
        "quantity_sold",
        "position_end",
        "gross_realized",
        "fees",
        "realized",
        "unrealized",
        "mark_price",
        "fx_rate_to_base",
        "realized_base",
    )
    return DailyPnl(**{name: row[name] for name in copied}, contract=_contract_of(row, Decimal(0), False))


def cash_cells(run: PnlRun, place: int, entry: CashEntry) -> Cells:
    """One cash entry."""
    return [
        *_key(run),
        entry.currency,
        place,
        entry.entry_id,
        entry.kind,
        entry.amount,
        entry.balance,
        entry.instrument_id,
        entry.fill_id,
        entry.description,
        run.computed_at,
    ]


def cash_of_row(row: Mapping[str, Any]) -> CashEntry:
    """Rebuild a cash entry."""
    copied = (
        "entry_id",
        "currency",
        "kind",
        "amount",
        "balance",
        "instrument_id",
        "fill_id",
        "description",
    )
    return CashEntry(**{name: row[name] for name in copied})


def run_of_row(row: Mapping[str, Any]) -> PnlRun:
    """Rebuild a run."""
    copied = (
        "account",
        "session",
        "run_id",
        "previous_run_id",
        "inputs_hash",
        "settings_hash",
        "fills",
        "base_currency",
        "computed_at",
    )
    return PnlRun(venue=Venue(row["venue"]), **{name: row[name] for name in copied})


def pending_text(pending: Sequence[PendingPremium]) -> str:
    """Premiums on their way, as JSON with numbers as text."""
    return json.dumps(
        [
            {
                "fill_id": item.fill_id,
                "action_id": item.action_id,
                "underlying": item.underlying,
                "strike": canonical(item.strike),
                "shares": canonical(item.shares),
                "premium": canonical(item.premium),
                "session": item.session.isoformat(),
            }
            for item in pending
        ],
        sort_keys=True,
    )


def pending_of(text: str) -> tuple[PendingPremium, ...]:
    """Premiums on their way, out of JSON."""
    return tuple(
        PendingPremium(
            fill_id=item["fill_id"],
            action_id=item["action_id"],
            underlying=item["underlying"],
            strike=Decimal(item["strike"]),
            shares=Decimal(item["shares"]),
            premium=Decimal(item["premium"]),
            session=date.fromisoformat(item["session"]),
        )
        for item in json.loads(text)
    )


def book_of(venue: Any, account: str, run: Mapping[str, Any], lots: Sequence[Lot]) -> Book:
    """Rebuild a book from its run's row and its lots."""
    return Book(
        venue=venue,
        account=account,
        session=run["session"],
        lots=tuple(lots),
        cash={str(currency): Decimal(amount) for currency, amount in dict(run["cash"]).items()},
        pending=pending_of(run["pending"]),
    )


def _key(run: PnlRun) -> tuple[object, ...]:
    return (str(run.venue), run.account, run.session, run.run_id)


def _contract(contract: HeldContract) -> tuple[object, ...]:
    return (
        contract.instrument_id,
        contract.conid,
        contract.symbol,
        contract.underlying,
        contract.asset_class,
        contract.currency,
    )


def _contract_of(row: Mapping[str, Any], multiplier: Decimal, inverse: bool) -> HeldContract:
    return HeldContract(
        **{name: row[name] for name in CONTRACT_COLUMNS}, multiplier=multiplier, inverse=inverse
    )
