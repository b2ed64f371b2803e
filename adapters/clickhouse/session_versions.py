"""Versions of what stands once for each session of an account: of its P&L pointer, and of the word on it.

The highest version counts. It is the time of the machine, and above the one before whatever the clock says:
under a clock that was set back, or that read the same twice, what was computed last would be stored, and what
was computed before would go on to count.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime

import sql
from adapters.clickhouse.client import Warehouse
from trading.model.fills import Venue

MICROSECONDS = 1_000_000

SessionKey = tuple[Venue, str, date]  # venue, account, session


def versions_before(
    warehouse: Warehouse, query: str, keys: Collection[SessionKey]
) -> Mapping[SessionKey, int]:
    """The versions that count now of some sessions; a session that nothing was told of is not there."""
    if not keys:
        return {}
    sessions = [session for _, _, session in keys]
    asked = {
        "venues": sorted({str(venue) for venue, _, _ in keys}),
        "accounts": sorted({account for _, account, _ in keys}),
        "first": min(sessions),
        "last": max(sessions),
    }
    rows = warehouse.rows(sql.query(query), asked)
    return {(Venue(row["venue"]), row["account"], row["session"]): int(row["version"]) for row in rows}


def next_version(at: datetime, before: int | None) -> int:
    """Microseconds since 1970, and higher than the version before."""
    by_clock = int(at.timestamp()) * MICROSECONDS + at.microsecond
    return by_clock if before is None else max(by_clock, before + 1)
