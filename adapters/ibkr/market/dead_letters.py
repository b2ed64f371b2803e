"""Records of what nobody heard, and of what nobody could read: rows of the dead letter.

Keep out: what was heard and refused (`trading/market` says why), and when such a record is due.
"""

from collections.abc import Sequence
from datetime import datetime

from trading.model.market import RefusedRow

PAYLOAD_CHARS_MAX = 2_000


def gap(symbol: str, feed: str, since: datetime, until: datetime, reason: str) -> RefusedRow:
    """The record of what nobody heard."""
    return RefusedRow(
        symbol=symbol,
        feed=feed,
        at=since,
        field="gap",
        reason=reason,
        payload=f"from {since.isoformat()} to {until.isoformat()}",
    )


def unreadable(symbol: str, feed: str, at: datetime, fields: Sequence[str], error: str) -> RefusedRow:
    """The record of a message that nobody can read."""
    return RefusedRow(
        symbol=symbol,
        feed=feed,
        at=at,
        field="message",
        reason=error,
        payload="|".join(fields)[:PAYLOAD_CHARS_MAX],
    )
