"""Records of what nobody heard, and of what nobody could read: rows of the dead letter.

Keep out: what was heard and refused (`trading/market` says why), and when such a record is due.
"""

from collections.abc import Sequence
from datetime import datetime

from trading.model.market import RefusedRow

PAYLOAD_CHARS_MAX = 2_000
NUMBER_DIGITS_MAX = 10  # of a request; the language refuses to read thousands of digits


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


def number_of(text: str) -> int:
    """The request that a field may name; -1 where it cannot."""
    is_number = text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if is_number else -1
