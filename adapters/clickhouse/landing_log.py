"""What became of each file of the inbox, in `audit.landing_events`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from hashlib import sha1
from typing import Any

import sql
from adapters.clickhouse.client import Warehouse
from trading.ports.inbox import InboxFile, Landing, LandingLog, LandingState

TABLE = "audit.landing_events"
COLUMNS = (
    "sha256",
    "event_at",
    "name",
    "state",
    "reason",
    "size_bytes",
    "venue",
    "kind",
    "accounts",
    "first_session",
    "last_session",
    "total_rows",
    "new_rows",
    "duplicates_filtered",
    "corrected",
    "rejected",
    "first_fill_at",
    "last_fill_at",
    "archived_as",
)


class ClickHouseLandingLog(LandingLog):
    """The log in the warehouse; appended to, never changed."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, landings: Sequence[Landing]) -> None:
        """Append events in one insert."""
        rows = [_row(landing) for landing in landings]
        token = sha1(repr(rows).encode(), usedforsecurity=False).hexdigest()
        self._warehouse.insert(TABLE, COLUMNS, rows, token=f"landing:{token}")

    def latest(self, sha256s: Collection[str]) -> Mapping[str, LandingState]:
        """Return the newest state of each known content."""
        if not sha256s:
            return {}
        rows = self._warehouse.rows(sql.query("landing_states"), {"sha256s": sorted(sha256s)})
        return {row["sha256"]: LandingState(row["state"]) for row in rows}

    def unreconciled(self) -> Sequence[Landing]:
        """Return files whose newest event is that they landed."""
        return [_landing(row) for row in self._warehouse.rows(sql.query("landings_unreconciled"))]

    def covering(self, first: date, last: date) -> Sequence[Landing]:
        """Return readable files that touch these sessions."""
        bounds = {"first": first, "last": last}
        return [_landing(row) for row in self._warehouse.rows(sql.query("landings_covering"), bounds)]


def _row(landing: Landing) -> list[object]:
    file = landing.file
    return [
        file.sha256,
        landing.at,
        file.name,
        str(landing.state),
        landing.reason,
        file.size_bytes,
        landing.venue,
        landing.kind,
        list(landing.accounts),
        landing.first_session,
        landing.last_session,
        landing.total_rows,
        landing.new_rows,
        landing.duplicates_filtered,
        landing.corrected,
        landing.rejected,
        landing.first_fill_at,
        landing.last_fill_at,
        landing.archived_as,
    ]


def _landing(row: Mapping[str, Any]) -> Landing:
    return Landing(
        file=InboxFile(name=row["name"], sha256=row["sha256"], size_bytes=row["size_bytes"]),
        state=LandingState(row["state"]),
        at=row["event_at"],
        reason=row["reason"],
        venue=row["venue"],
        kind=row["kind"],
        accounts=tuple(row["accounts"]),
        first_session=row["first_session"],
        last_session=row["last_session"],
        total_rows=row["total_rows"],
        new_rows=row["new_rows"],
        duplicates_filtered=row["duplicates_filtered"],
        corrected=row["corrected"],
        rejected=row["rejected"],
        first_fill_at=row["first_fill_at"],
        last_fill_at=row["last_fill_at"],
        archived_as=row["archived_as"],
    )
