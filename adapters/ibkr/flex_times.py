"""Times as IBKR writes them, in statements and in messages, brought to UTC.

Statements: ``yyyyMMdd;HHmmss`` or ``yyyy-MM-dd;HH:mm:ss`` (each half in either form), a zone behind it or
none; old files split date and time. Messages: ``yyyymmdd hh:mm:ss`` with one or two blanks, a zone or
none, and the dashed form ``yyyymmdd-hh:mm:ss``, which is UTC. Anything else is refused: a guessed
day-and-month order is a wrong fill.

A local time that a daylight-saving change skips is refused, too; of one that it repeats the first is taken.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trading.errors import InvalidFieldError
from trading.model.times import EARLIEST, LATEST, NEW_YORK, aware_utc, parse_date

FLEX_MOMENT = re.compile(r"(\d{8}|\d{4}-\d\d-\d\d);(\d{6}|\d\d:\d\d:\d\d)(?: +(\S+))?", re.ASCII)
FLEX_CLOCK = re.compile(r"(\d{6}|\d\d:\d\d:\d\d)(?: +(\S+))?", re.ASCII)
TWS_MOMENT = re.compile(r"(\d{8}) {1,2}(\d\d:\d\d:\d\d)(?: +(\S+))?", re.ASCII)
TWS_UTC_MOMENT = re.compile(r"(\d{8})-(\d\d:\d\d:\d\d)", re.ASCII)
ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}", re.ASCII)
ZONE_CHARS_MAX = 40
CACHED_TIMES = 65_536  # a statement's rows share few seconds; bounded for a hostile file

FLEX_EXPECTED = "yyyyMMdd;HHmmss or yyyy-MM-dd;HH:mm:ss with an optional zone"
TWS_EXPECTED = "yyyymmdd hh:mm:ss with an optional zone, or yyyymmdd-hh:mm:ss in UTC"

FIRST_DAY, LAST_DAY = EARLIEST.date(), LATEST.date()  # no table's date column takes the year 9999

OFFSETS_HOURS = {"EST": -5, "EDT": -4, "UTC": 0, "GMT": 0, "Z": 0}  # abbreviations that statements carry
NEW_YORKS_CLOCK = "EDT"


@lru_cache(maxsize=CACHED_TIMES)
def read_flex_moment(field: str, text: str) -> datetime:
    """Read a statement's moment; without a zone it is New York's."""
    match = FLEX_MOMENT.fullmatch(text.strip())
    if match is None:
        raise InvalidFieldError(field, FLEX_EXPECTED, text)
    day, clock, zone = match.groups()
    return _moment(field, day, clock, _zone(field, zone, text) if zone else NEW_YORK, text)


def read_split_moment(field: str, day: str, clock: str) -> datetime:
    """Read a moment whose date and time are two attributes, as old statements have them."""
    match = FLEX_CLOCK.fullmatch(clock.strip())
    if match is None:
        raise InvalidFieldError(field, "HHmmss or HH:mm:ss with an optional zone", clock)
    zone = _zone(field, match.group(2), clock) if match.group(2) else NEW_YORK
    return _moment(field, day.strip(), match.group(1), zone, f"{day} {clock}")


def read_tws_moment(field: str, text: str, zone: tzinfo) -> datetime:
    """Read a message's moment; without a zone it is in `zone`, the one that the gateway is set to."""
    stripped = text.strip()
    match = TWS_UTC_MOMENT.fullmatch(stripped)
    if match is not None:
        return _moment(field, match.group(1), match.group(2), UTC, text)
    match = TWS_MOMENT.fullmatch(stripped)
    if match is None:
        raise InvalidFieldError(field, TWS_EXPECTED, text)
    day, clock, named = match.groups()
    return _moment(field, day, clock, _tws_zone(field, named, text) if named else zone, text)


@lru_cache(maxsize=CACHED_TIMES)
def read_day(field: str, text: str) -> date:
    """Read a date; where a moment stands (``yyyyMMdd;HHmmss``), its day as written."""
    day = parse_date(field, text.strip().partition(";")[0])
    if not FIRST_DAY <= day < LAST_DAY:
        raise InvalidFieldError(field, "a date between 1990 and 2100", text)
    return day


def zone_named(field: str, name: str) -> tzinfo:
    """The zone of an IANA name or of one of OFFSETS_HOURS; an unknown one is refused."""
    if name.upper() in OFFSETS_HOURS:
        return timezone(timedelta(hours=OFFSETS_HOURS[name.upper()]))
    if len(name) > ZONE_CHARS_MAX or not ZONE_NAME.fullmatch(name):
        raise InvalidFieldError(field, "a known time zone", name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise InvalidFieldError(field, "a known time zone", name) from cause


def _tws_zone(field: str, name: str, text: str) -> tzinfo:
    """A gateway says EDT for its clock in New York, in winter too: read as an offset, that is an hour off.

    A fill that is told with the word and again without it must have one time.
    """
    return NEW_YORK if name.upper() == NEW_YORKS_CLOCK else _zone(field, name, text)


def _zone(field: str, name: str, text: str) -> tzinfo:
    try:
        return zone_named(field, name)
    except InvalidFieldError as cause:
        raise InvalidFieldError(field, "a time in a known time zone", text) from cause


def _moment(field: str, day: str, clock: str, zone: tzinfo, text: str) -> datetime:
    digits = clock.replace(":", "")
    try:
        at = time(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError as cause:
        raise InvalidFieldError(field, "a time of day", text) from cause
    local = datetime.combine(parse_date(field, day), at, tzinfo=zone)
    try:
        moment = aware_utc(field, local)
    except OverflowError as cause:
        raise InvalidFieldError(field, "a moment between 1990 and 2100", text) from cause
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise InvalidFieldError(field, "a time that the zone's clocks show", text)
    return moment
