"""Times: aware UTC with microseconds everywhere, zones only at the edges and for people."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from trading.errors import InvalidFieldError

NEW_YORK = ZoneInfo("America/New_York")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # no fill of ours is older
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 10**11  # an epoch number from here on is milliseconds: as seconds it would be year 5138
MICROSECONDS_FROM = 10**14
NANOSECONDS_FROM = 10**17


def aware_utc(field: str, value: datetime) -> datetime:
    """Return the moment in UTC; naive datetimes and moments outside 1990..2100 are refused."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidFieldError(field, "an aware datetime", value)
    moment = value.astimezone(UTC)
    if not EARLIEST <= moment < LATEST:
        raise InvalidFieldError(field, "a moment between 1990 and 2100", value)
    return moment


def from_epoch(field: str, value: int) -> datetime:
    """Read an epoch number; seconds, milliseconds, microseconds and nanoseconds are told apart by size."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidFieldError(field, "an integer epoch", value)
    seconds, divisor = value, 1
    if abs(value) >= NANOSECONDS_FROM:
        divisor = 10**9
    elif abs(value) >= MICROSECONDS_FROM:
        divisor = 10**6
    elif abs(value) >= MILLISECONDS_FROM:
        divisor = 10**3
    seconds, rest = divmod(value, divisor)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 10**6 // divisor)
    except (OverflowError, ValueError, OSError) as cause:
        raise InvalidFieldError(field, "an epoch between 1990 and 2100", value) from cause
    return aware_utc(field, moment)


def from_iso(field: str, text: str) -> datetime:
    """Read an ISO 8601 moment with an explicit zone (``Z`` or an offset)."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError) as cause:
        raise InvalidFieldError(field, "an ISO 8601 time with a zone", text) from cause
    return aware_utc(field, moment)


def parse_date(field: str, text: object) -> date:
    """Read YYYYMMDD or YYYY-MM-DD."""
    compact = text.replace("-", "") if isinstance(text, str) else ""
    if len(compact) != 8 or not compact.isascii() or not compact.isdigit() or len(str(text)) not in (8, 10):
        raise InvalidFieldError(field, "a date as YYYYMMDD or YYYY-MM-DD", text)
    try:
        return date(int(compact[:4]), int(compact[4:6]), int(compact[6:]))
    except ValueError as cause:
        raise InvalidFieldError(field, "a date as YYYYMMDD or YYYY-MM-DD", text) from cause
