"""Moments and lengths as clients write them in requests."""

import re
from datetime import UTC, datetime

from simulation.tws.fields import MalformedRequest
from trading.model.times import NEW_YORK

MOMENT = re.compile(r"^(\d{8})([ -]{1,2})(\d{2}:\d{2}:\d{2})(?: ([\w/+-]+))?$")
NEW_YORK_NAMES = ("US/Eastern", "America/New_York", "EST", "EST5EDT")
UNITS_S = {"S": 1, "D": 86_400, "W": 7 * 86_400, "M": 30 * 86_400, "Y": 365 * 86_400}
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
    """A moment; dashed or `UTC` is UTC, all else New York; None for empty."""
    if not text:
        return None
    match = MOMENT.match(text)
    if match is None or (match[4] and match[4] not in (*NEW_YORK_NAMES, "UTC")):
        raise MalformedRequest(f"{name}: expected yyyymmdd hh:mm:ss and a known zone, was {text[:40]!r}")
    zone = UTC if match[2] == "-" or match[4] == "UTC" else NEW_YORK
    try:
        return datetime.strptime(match[1] + match[3], "%Y%m%d%H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise MalformedRequest(f"{name}: expected a moment, was {text!r}") from None


def duration_s(text: str) -> int:
    """Seconds of a duration such as `2 D`."""
    amount, _, unit = text.strip().partition(" ")
    if not amount.isascii() or not amount.isdecimal() or len(amount) > 6 or unit not in UNITS_S:
        raise MalformedRequest(f"durationStr: expected '<n> S|D|W|M|Y', was {text[:40]!r}")
    return int(amount) * UNITS_S[unit]


def bar_size_s(text: str) -> int:
    """Seconds of a bar size such as `5 mins`."""
    if text not in BAR_SIZES_S:
        raise MalformedRequest(f"barSizeSetting: expected one of {', '.join(BAR_SIZES_S)}, was {text[:40]!r}")
    return BAR_SIZES_S[text]
