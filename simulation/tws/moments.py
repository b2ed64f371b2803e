"""Moments and lengths as clients write them in requests."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulation.tws.fields import MalformedRequest, RefusedRequest
from simulation.tws.notices import INVALID_MOMENT, text_of
from trading.calendar import TradingCalendar
from trading.model.times import NEW_YORK

MOMENT = re.compile(r"^(?:(\d{8})([ -]{1,2}))?(\d{2}:\d{2}:\d{2})(?: ([\w/+-]{1,40}))?$")
ABBREVIATED = {"EST": "US/Eastern", "EDT": "US/Eastern", "CST": "US/Central", "CDT": "US/Central"}
ABBREVIATED |= {"MST": "US/Mountain", "PST": "US/Pacific", "PDT": "US/Pacific", "JST": "Asia/Tokyo"}
UNITS_S = {"S": 1, "D": 86_400, "W": 7 * 86_400, "M": 30 * 86_400, "Y": 365 * 86_400}
LONGEST = timedelta(days=400)
SESSIONS_MOST = 300
BAR_SIZES_S = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1_200,
    "30 mins": 1_800,
    "1 hour": 3_600,
    "2 hours": 7_200,
    "3 hours": 10_800,
    "4 hours": 14_400,
    "8 hours": 28_800,
    "1 day": 86_400,
    "1W": 7 * 86_400,
    "1 week": 7 * 86_400,
    "1M": 30 * 86_400,
    "1 month": 30 * 86_400,
}


def moment(name: str, text: str) -> datetime | None:
    """A moment; dashed is UTC, one without a zone New York; None for empty."""
    if not text:
        return None
    match = MOMENT.match(text)
    if match is None or match[1] is None:
        raise MalformedRequest(f"{name}: expected yyyymmdd hh:mm:ss and a known zone, was {text[:40]!r}")
    zone = UTC if match[2] == "-" else _zone(match[4])
    try:
        if zone is None:
            raise ValueError
        return datetime.strptime(match[1] + match[3], "%Y%m%d%H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise MalformedRequest(f"{name}: expected a moment and a known zone, was {text!r}") from None


def asked_moment(name: str, text: str) -> datetime | None:
    """The same in a request for the past, which a real gateway refuses by a code of its own (10314)."""
    try:
        return moment(name, text)
    except MalformedRequest:
        raise RefusedRequest(10314, INVALID_MOMENT.format(text=text[:40])) from None


def _zone(name: str | None) -> tzinfo | None:
    """New York where none is named; None for an unknown one."""
    if not name:
        return NEW_YORK
    try:
        return ZoneInfo(ABBREVIATED.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def duration_s(text: str) -> int:
    """Seconds of a duration such as `2 D`."""
    amount, _, unit = text.strip().partition(" ")
    if not amount.isascii() or not amount.isdecimal() or len(amount) > 6 or unit not in UNITS_S:
        reason = f"Invalid duration, must be: integer{{SPACE}}unit (S|D|W|M|Y), was {text[:40]!r}"
        raise RefusedRequest(321, text_of(321, request="bV", reason=reason))
    return int(amount) * UNITS_S[unit]


def begin_of(text: str, end: datetime, calendar: TradingCalendar) -> datetime:
    """Where a duration before an end begins: days count sessions, longer ones begin with a day."""
    seconds = duration_s(text)
    amount, _, unit = text.strip().partition(" ")
    if unit == "S":
        return end - timedelta(seconds=seconds)
    local = end.astimezone(NEW_YORK)
    day = (end - min(timedelta(seconds=seconds), LONGEST)).astimezone(NEW_YORK).date() + timedelta(days=1)
    if unit == "D":
        day = calendar.session_on_or_before(local.date())
        if datetime.combine(day, time(), NEW_YORK) >= end:
            day = calendar.previous_session(day)
        for _ in range(min(int(amount), SESSIONS_MOST) - 1):
            day = calendar.previous_session(day)
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def bar_size_s(text: str) -> int:
    """Seconds of a bar size such as `5 mins`."""
    if text not in BAR_SIZES_S:
        reason = "Historical data bar size setting is invalid. Legal ones are: "
        reason += f"{', '.join(BAR_SIZES_S)}, was {text[:40]!r}"
        raise RefusedRequest(321, text_of(321, request="bV", reason=reason))
    return BAR_SIZES_S[text]
