"""What the name of a Lean file or of a member of its archive says: asset, kind, resolution, root, day.

Both the original tree (`option/usa/minute/goog/20151224_quote_american.zip`) and folders that renamed its
levels (`option_minute/…`) are understood, because the name of the file and of its first member say what it
is. Keep out: opening files.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from trading.errors import InvalidFieldError
from trading.model.times import parse_date

DAY_ARCHIVE = re.compile(
    r"(?:[a-z0-9.]+_)?(?P<day>\d{8})_(?P<kind>quote|trade|openinterest)(?:_(?:american|european))?\.zip",
    re.ASCII,
)
YEAR_ARCHIVE = re.compile(
    r"[a-z0-9.]+_(?P<year>\d{4})_(?P<kind>quote|trade|openinterest)_(?:american|european)\.zip", re.ASCII
)
UNIVERSE = re.compile(r"(?P<day>\d{8})\.csv(?:\.gz)?", re.ASCII)
FACTOR_FILE = re.compile(r"(?:factor_file_)?(?P<symbol>[a-z0-9.]+)\.csv", re.ASCII)
RECORDED_GREEKS = re.compile(r"[a-z0-9.]{1,6}\d{6}[cp]\d{8}\.csv", re.ASCII)
SHARE_MEMBER = re.compile(
    r"(?P<day>\d{8})_(?P<root>[a-z0-9.]{1,12})_"
    r"(?:(?P<resolution>minute|second|tick)_(?P<kind>trade|quote)|(?P<tick_kind>trade|quote)_tick)\.csv",
    re.ASCII,
)
UNIVERSE_FOLDERS = ("universe", "universes")
INDEX_FOLDERS = ("index", "index_minute")
FACTOR_FOLDERS = ("factor_files", "reference")


class FileKind(StrEnum):
    """What a file is, by its name alone."""

    DAY = "day"  # an archive of one day
    YEAR = "year"  # an archive of one year, a member for each contract
    UNIVERSE = "universe"  # a chain at the end of a day
    FACTORS = "factors"  # splits and dividends
    GREEKS = "greeks"  # the broker's model values of one contract


class Resolution(StrEnum):
    """How fine rows are."""

    TICK = "tick"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"


FINEST_FIRST = (Resolution.TICK, Resolution.SECOND, Resolution.MINUTE, Resolution.HOUR)
LENGTHS = {
    Resolution.SECOND: timedelta(seconds=1),
    Resolution.MINUTE: timedelta(minutes=1),
    Resolution.HOUR: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanFile:
    """One file; `kind` is quote, trade, openinterest, or empty; `day` None for a year or for factors."""

    path: Path
    is_a: FileKind
    kind: str = ""
    day: date | None = None
    year: int | None = None
    symbol: str = ""

    @property
    def is_index(self) -> bool:
        """Whether its folder says that it is about an index."""
        return any(part in INDEX_FOLDERS for part in self.path.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareMember:
    """The CSV of a share or an index: what it holds, of which one."""

    root: str
    kind: str
    resolution: Resolution
    day: date


def read_name(path: Path) -> LeanFile | None:
    """Say what a file is; None for a file of another kind, and for a name with an impossible date."""
    name = path.name.lower()
    try:
        if found := DAY_ARCHIVE.fullmatch(name):
            day = parse_date("file", found["day"])
            return LeanFile(path=path, is_a=FileKind.DAY, kind=found["kind"], day=day)
        if found := YEAR_ARCHIVE.fullmatch(name):
            return LeanFile(path=path, is_a=FileKind.YEAR, kind=found["kind"], year=int(found["year"]))
        if (found := UNIVERSE.fullmatch(name)) and {*UNIVERSE_FOLDERS} & {*path.parts}:
            symbol = "" if path.parent.name in UNIVERSE_FOLDERS else path.parent.name.upper()
            day = parse_date("file", found["day"])
            return LeanFile(path=path, is_a=FileKind.UNIVERSE, day=day, symbol=symbol)
        if (found := FACTOR_FILE.fullmatch(name)) and path.parent.name in FACTOR_FOLDERS:
            return LeanFile(path=path, is_a=FileKind.FACTORS, symbol=found["symbol"].upper())
        if RECORDED_GREEKS.fullmatch(name):
            return LeanFile(path=path, is_a=FileKind.GREEKS)
    except InvalidFieldError:
        return None
    return None


def read_share_member(name: str) -> ShareMember:
    """Read names such as ``20151224_goog_minute_trade.csv`` and ``20131008_bac_Quote_Tick.csv``."""
    found = SHARE_MEMBER.fullmatch(name.lower())
    if found is None:
        raise InvalidFieldError("member", "the name of a Lean file of a share or an index", name)
    return ShareMember(
        root=found["root"].upper(),
        kind=found["kind"] or found["tick_kind"],
        resolution=Resolution(found["resolution"] or "tick"),
        day=parse_date("day", found["day"]),
    )
