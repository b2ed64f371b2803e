"""The journal: the truth about the month as plain rows, to be compared with the warehouse row for row.

Rows are mappings of text, numbers as exact decimal text, so the journal survives JSON unchanged. `planted`
holds what was made wrong on purpose and every break that must be found because of it. Column names are
those of the warehouse.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from simulation.sample_desk.activity import mark_of
from simulation.sample_desk.books import Effect, opened_lot
from simulation.sample_desk.contracts import Contract, plain
from simulation.sample_desk.month import Evening, Month
from simulation.sample_desk.sources import Sources
from simulation.sample_desk.trades import Trade

JOURNAL_NAME = "journal.json"
Rows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """All that is true of the sample desk, and all that was planted.

    fills: one row per fill as it stands, fees by currency, true time; corrected, busted: fill ids.
    pnl_daily: account, session, conid: bought, sold, position_end, fees, realized, mark. cash: account,
    session, currency: starting, ending. files: name, account, session, source, and how many trade rows
    arrive in it.
    """

    seed: int
    accounts: Rows
    sessions: tuple[str, ...]
    contracts: Rows
    fills: Rows
    pnl_daily: Rows
    cash: Rows
    cash_flows: Rows
    files: Rows
    planted: Rows

    @property
    def corrected(self) -> frozenset[str]:
        """Fill ids whose quantity or price was replaced."""
        return frozenset(row["fill_id"] for row in self.fills if row["corrected"])

    @property
    def busted(self) -> frozenset[str]:
        """Fill ids that were taken back for good."""
        return frozenset(row["fill_id"] for row in self.fills if row["busted"])

    @property
    def arrivals(self) -> int:
        """Trade rows in all files: how often fills (and cancels) arrive."""
        return sum(int(row["trade_rows"]) for row in self.files)

    @property
    def expected_breaks(self) -> Rows:
        """Every break that must be found, and no other."""
        return tuple(row for planted in self.planted for row in planted["breaks"])

    def write(self, path: Path) -> None:
        """Write as JSON, one row a line; the same journal gives the same bytes."""
        parts = [f"{json.dumps(item.name)}: {_json(getattr(self, item.name))}" for item in fields(self)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: _frozen(value) for name, value in told.items()})


def month_rows(month: Month, told: Sequence[Sources]) -> dict[str, Any]:
    """The journal's rows about the month itself, by the journal's field names.

    What the book of record says beyond the truth (a fill booked twice) is in them, since the desk must
    believe it.
    """
    evenings = [_believed(sources) for sources in told]
    return {
        "seed": month.seed,
        "accounts": tuple(asdict(account) for account in month.accounts),
        "sessions": tuple(session.isoformat() for session in month.sessions),
        "contracts": tuple(_contract_row(contract) for contract in _all_contracts(month)),
        "fills": tuple(fill_row(trade) for evening in evenings for trade in evening.trades),
        "pnl_daily": tuple(row for evening in evenings for row in daily_rows(evening, month)),
        "cash": tuple(row for evening in evenings for row in _cash_rows(evening)),
        "cash_flows": tuple(row for evening in evenings for row in _flow_rows(evening)),
    }


def _believed(sources: Sources) -> Evening:
    evening, more = sources.evening, sources.told_effects
    cash = dict(evening.ending_cash)
    lots = list(evening.lots)
    for effect in more:
        trade = effect.trade
        cash[trade.contract.currency] += effect.net_cash
        lots.append(opened_lot(trade, trade.signed_quantity, effect.net_cash))
    return replace(evening, effects=(*evening.effects, *more), lots=tuple(lots), ending_cash=cash)


def fill_row(trade: Trade) -> dict[str, Any]:
    """A fill as it stands in the end."""
    return {
        "venue": "ibkr",
        "account": trade.account,
        "session": trade.session.isoformat(),
        "fill_id": trade.fill_id,
        "kind": "booking" if trade.kind.is_booking else "trade",
        "conid": trade.contract.conid,
        "instrument_id": trade.contract.instrument_id,
        "side": "BUY" if trade.side > 0 else "SELL",
        "quantity": plain(trade.quantity),
        "price": plain(trade.last.price),
        "multiplier": plain(trade.contract.multiplier),
        "currency": trade.contract.currency,
        "fees": {trade.fee_currency: plain(trade.fee)} if trade.fee else {},
        "fill_ts": moment_text(trade.executed_at),
        "busted": trade.busted,
        "corrected": trade.corrected,
    }


def daily_rows(evening: Evening, month: Month) -> Iterable[dict[str, Any]]:
    """One row per contract traded or held; conversions hold cash, not positions, and are left out."""
    for conid, contract in evening.contracts.items():
        if contract.asset == "CASH":
            continue
        effects = [effect for effect in evening.effects if effect.trade.contract.conid == conid]
        position = evening.position(conid)
        mark = mark_of(contract, evening, month.market) if position else None
        yield {
            "venue": "ibkr",
            "account": evening.account.name,
            "session": evening.session.isoformat(),
            "conid": conid,
            "instrument_id": contract.instrument_id,
            "symbol": contract.underlying.symbol if contract.underlying else contract.symbol,
            "currency": contract.currency,
            **day_figures(effects),
            "position_end": plain(position),
            "mark_price": None if mark is None else plain(mark),
        }


def day_figures(effects: Iterable[Effect]) -> dict[str, str]:
    """Bought, sold, fees and net realized of one contract and day."""
    told = tuple(effects)
    quantities = [effect.trade.signed_quantity for effect in told]
    return {
        "quantity_bought": plain(sum((item for item in quantities if item > 0), Decimal(0))),
        "quantity_sold": plain(-sum((item for item in quantities if item < 0), Decimal(0))),
        "fees": plain(sum((effect.trade.fee for effect in told), Decimal(0))),
        "realized": plain(sum((effect.realized for effect in told), Decimal(0))),
    }


def moment_text(moment: datetime) -> str:
    """A time as the journal writes it: UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _contract_row(contract: Contract) -> dict[str, Any]:
    return {
        "conid": contract.conid,
        "instrument_id": contract.instrument_id,
        "multiplier": contract.multiplier,
        "currency": contract.currency,
        "settles_in_cash": contract.settles_in_cash,
    }


def _all_contracts(month: Month) -> list[Contract]:
    seen = {conid: item for evening in month.evenings for conid, item in evening.contracts.items()}
    return [seen[conid] for conid in sorted(seen)]


def _cash_rows(evening: Evening) -> Iterable[dict[str, Any]]:
    for currency in sorted(evening.ending_cash):
        yield {
            "venue": "ibkr",
            "account": evening.account.name,
            "session": evening.session.isoformat(),
            "currency": currency,
            "starting": plain(evening.starting_cash.get(currency, Decimal(0))),
            "ending": plain(evening.ending_cash[currency]),
        }


def _flow_rows(evening: Evening) -> Iterable[dict[str, Any]]:
    for event in evening.events:
        yield {
            "account": event.account,
            "session": event.session.isoformat(),
            "currency": event.currency,
            "amount": plain(event.amount),
            "kind": event.kind,
            "transaction_id": str(event.transaction_id),
        }


def _json(value: Any) -> str:
    if not isinstance(value, tuple):
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in value) + "\n]"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
