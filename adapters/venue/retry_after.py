"""The header Retry-After in both of its forms: seconds, and a date, which is counted from the answer's own.

Bounded: a vendor that asks for days is asked again after an hour all the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from adapters.venue.http_date import http_date

WAIT_MAX_S = 3_600.0
DIGITS_MAX = 12


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; None where the header is not there or says nothing."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX:
        return min(float(text), WAIT_MAX_S)
    until = _moment(text)
    if until is None:
        return None
    told_at = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(0.0, (until - told_at).total_seconds()), WAIT_MAX_S)


def _moment(text: str) -> datetime | None:
    moment = http_date(text)
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)
