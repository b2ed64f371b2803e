"""What a run tells people of market data: rows by source with their ages, what was left out, files read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from trading.calendar import session_close
from trading.ports.market_audit import FilledBars, MarketAudit, SourceCount
from trading.ports.plots import Plots
from trading.services.load_market import MarketLoads

Metadata = dict[str, Any]
FILES_SHOWN_MAX = 200
LAST_HOUR = timedelta(hours=1)
SYMBOLS_DRAWN_MAX, EXPIRIES_DRAWN_MAX = 3, 4
COUNT_COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("kind", "string"),
        dg.TableColumn("source", "string"),
        dg.TableColumn("came", "string", description="live, or loaded from a source of past sessions"),
        dg.TableColumn("rows", "int"),
        dg.TableColumn("symbols", "int"),
        dg.TableColumn("instruments", "int"),
        dg.TableColumn("oldest", "string"),
        dg.TableColumn("newest", "string"),
        dg.TableColumn("age_hours", "float", description="of the newest row"),
    ]
)


def loads_metadata(loads: MarketLoads) -> Metadata:
    """What was read and what of it was new; lines that did not become rows, by reason."""
    files = sorted({file for load in loads.loads for file in load.files})
    return {
        "rows_told": loads.total,
        "rows_new": loads.new,
        "rows_repeated": loads.total - loads.new,
        "lines_left_out": sum(loads.left_out.values()),
        "left out, by reason": dg.MetadataValue.json(dict(sorted(loads.left_out.items()))),
        "sources": sorted({load.source for load in loads.loads}),
        "history": str(loads.standing),
        "files": files[:FILES_SHOWN_MAX],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the warehouse holds of some sessions: counts by kind, and of bars who has which."""

    counts: Sequence[tuple[str, SourceCount]]
    filled: Sequence[FilledBars] | None = None

    def has_rows(self, session: date) -> bool:
        """Whether there is anything of the session."""
        return any(count.session == session for _, count in self.counts)

    def of(self, session: date, now: datetime) -> Metadata:
        """Rows of one session by kind and source; for bars the gaps of the live capture that are filled."""
        counts = [(kind, count) for kind, count in self.counts if count.session == session]
        newest = max((count.newest_at for _, count in counts), default=None)
        found: Metadata = {
            "dagster/partition_row_count": sum(count.rows for _, count in counts),
            "rows_live": sum(count.rows for _, count in counts if count.is_live),
            "instruments": max((count.instruments for _, count in counts), default=0),
            "newest_at": newest.isoformat() if newest else "nothing",
            **({"newest_age_hours": _age_hours(newest, now)} if newest else {}),
            "rows by source": dg.MetadataValue.table(
                [_record(kind, count, now) for kind, count in counts], schema=COUNT_COLUMNS
            ),
        }
        return found | self._gaps(session)

    def _gaps(self, session: date) -> Metadata:
        if self.filled is None:
            return {}
        own = [item for item in self.filled if item.session == session]
        return {
            "bars_live_only": sum(item.live_only for item in own),
            "bars_filled_by_history": sum(item.filled for item in own),
            "bars_of_both": sum(item.both for item in own),
        }


def smile_metadata(audit: MarketAudit, plots: Plots, session: date) -> Metadata:
    """The smiles of a session's chains before its last hour, as a picture: what is left of a contract that
    expires at the close has no volatility to speak of.
    """
    until = session_close(session) - LAST_HOUR
    points = audit.smiles(session, until, SYMBOLS_DRAWN_MAX, EXPIRIES_DRAWN_MAX)
    picture = plots.smiles(points, f"Implied volatility by strike, {session}")
    return {"volatilities_drawn": len(points), "smile": dg.MetadataValue.md(picture)}


def _record(kind: str, count: SourceCount, now: datetime) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "kind": kind,
            "source": count.source,
            "came": "live" if count.is_live else "loaded",
            "rows": count.rows,
            "symbols": count.symbols,
            "instruments": count.instruments,
            "oldest": count.oldest_at.isoformat(),
            "newest": count.newest_at.isoformat(),
            "age_hours": _age_hours(count.newest_at, now),
        }
    )


def _age_hours(at: datetime, now: datetime) -> float:
    return round((now - at).total_seconds() / 3600, 2)
