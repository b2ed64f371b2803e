"""What the warehouse holds of the market: counts by source, findings of the checks, smiles to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_columns import TABLES
from trading.errors import ConfigurationError
from trading.model.market import MarketKind
from trading.ports.market_audit import (
    ColumnNote,
    FilledBars,
    Findings,
    MarketAudit,
    SmilePoint,
    SourceCount,
)
from trading.ports.model_runner import SessionRange


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A view of one kind of rows, with the columns that say when, of which symbol, of which instrument."""

    name: str
    at: str = "at"
    symbol: str = "symbol"
    instrument: str = "instrument_id"


VIEWS: Mapping[MarketKind, _View] = {
    MarketKind.QUOTE: _View(name="core.quotes"),
    MarketKind.TRADE: _View(name="core.trades"),
    MarketKind.BAR: _View(name="core.bars"),
    MarketKind.DEPTH: _View(name="core.depth"),
    MarketKind.CHAIN: _View(name="core.chains"),
    MarketKind.STATE: _View(name="core.instrument_states"),
    MarketKind.VOLATILITY: _View(name="core.volatility", symbol="index_name", instrument="index_name"),
    MarketKind.NEWS: _View(name="core.news", at="published_at", symbol="publisher", instrument="item_id"),
    MarketKind.SENTIMENT: _View(name="core.sentiment", instrument="symbol"),
    MarketKind.TECHNICAL: _View(name="core.technicals", instrument="concat(symbol, ' ', indicator)"),
}


NOT_JUDGED = " as not_judged"  # a column of the checks that cannot judge everything


class ClickHouseMarketAudit(MarketAudit):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._checks = {script.name: script.text for script in sql.market_checks()}

    def counts(self, kind: MarketKind, sessions: SessionRange) -> Sequence[SourceCount]:
        """Count one view's rows by source, live and loaded apart."""
        view = _view(kind)
        rows = self._warehouse.rows(
            f"select session, source, load_id = 0 as is_live, count() as rows, "
            f"uniqExact({view.symbol}) as symbols, uniqExact({view.instrument}) as instruments, "
            f"min({view.at}) as oldest_at, max({view.at}) as newest_at from {view.name} "
            "where session between {first:Date} and {last:Date} "
            "group by session, source, is_live order by session, source, is_live",
            {"first": sessions.first, "last": sessions.last},
        )
        return [SourceCount(**{**row, "is_live": bool(row["is_live"])}) for row in rows]

    def columns(self, kind: MarketKind) -> Sequence[ColumnNote]:
        """Describe the view; what its columns mean is said by the table under it."""
        shown = self._warehouse.rows(f"describe {_view(kind).name}")
        notes = {
            row["name"]: row["comment"] for row in self._warehouse.rows(f"describe core.{TABLES[kind].rows}")
        }
        return [
            ColumnNote(name=row["name"], type=row["type"], about=notes.get(row["name"], "")) for row in shown
        ]

    def filled(self, sessions: SessionRange) -> Sequence[FilledBars]:
        """Compare live and loaded bars."""
        asked = {"first": sessions.first, "last": sessions.last}
        return [FilledBars(**row) for row in self._warehouse.rows(sql.query("market_bars_filled"), asked)]

    def examine(
        self, check: str, sessions: SessionRange, parameters: Mapping[str, object], named_max: int
    ) -> Findings:
        """Run a statement of `sql/market_checks`."""
        if check not in self._checks:
            raise ConfigurationError(f"check: expected one of {sorted(self._checks)}, was {check!r}")
        text = self._checks[check].strip().rstrip(";")
        asked = {"first": sessions.first, "last": sessions.last, **parameters}
        has_notes = NOT_JUDGED in text
        (row,) = self._warehouse.rows(
            f"select {_findings(int(named_max), has_notes=has_notes)} from (\n{text}\n) as found",
            {name: value for name, value in asked.items() if f"{{{name}:" in text},
        )
        found = Findings(wrong=int(row["wrong"]), named=tuple(map(str, row["named"])))
        if not has_notes:
            return found
        return replace(
            found,
            judged=int(row["all_judged"]),
            not_judged=int(row["all_not_judged"]),
            notes=tuple(map(str, row["notes"])),
        )

    def smiles(
        self, session: date, until: datetime, symbols_max: int, expiries_max: int
    ) -> Sequence[SmilePoint]:
        """Read the chain."""
        rows = self._warehouse.rows(
            sql.query("market_smiles"),
            {"session": session, "until": until, "symbols_max": symbols_max, "expiries_max": expiries_max},
        )
        return [SmilePoint(**{**row, "is_call": bool(row["is_call"])}) for row in rows]


def _findings(named_max: int, *, has_notes: bool) -> str:
    """What is made of a check's rows: those that are not wrong say what was judged, and why not more."""
    if not has_notes:
        return f"sum(wrong) as wrong, groupArray({named_max})(what) as named"
    return (
        f"sum(found.wrong) as wrong, groupArrayIf({named_max})(what, found.wrong > 0) as named, "
        f"sum(judged) as all_judged, sum(not_judged) as all_not_judged, "
        f"groupArrayIf({named_max})(what, found.wrong = 0) as notes"
    )


def _view(kind: MarketKind) -> _View:
    if kind not in VIEWS:
        raise ConfigurationError(f"kind: expected one of {', '.join(VIEWS)}, was {kind}")
    return VIEWS[kind]
