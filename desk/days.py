"""Sessions as people type them, and the bounds of "all"."""

from datetime import date
from typing import Annotated

import typer

from trading.calendar import CALENDAR_END, session_on_or_after
from trading.errors import InvalidFieldError

EARLIEST = date(1990, 1, 2)
LATEST = CALENDAR_END

Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="A session.")]


def day_of(text: str, option: str) -> date:
    """Read a day; the message names the option."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidFieldError(option, "a day like 2026-11-20", text) from error


def session_of(text: str, option: str) -> date:
    """Read a session; another day is refused with the next session, or nothing would be done in silence."""
    day = day_of(text, option)
    following = session_on_or_after(day)
    if following != day:
        raise InvalidFieldError(option, f"a session of the exchange (the next one is {following})", text)
    return day
