"""A date as HTTP headers write it, which is foreign text. Keep out: what it is good for."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def http_date(text: str) -> datetime | None:
    """The moment; naive where the text names no zone, None where it is no date."""
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
