"""What the name of a Lean file or of a member of its archive says: asset, kind, resolution, root, day.

Both the original tree (`option/usa/minute/goog/20151224_quote_american.zip`) and folders that renamed its
levels (`option_minute/…`) are understood, because the name of the file and of its first member say what it
is. Folders of assets that the desk does not carry (`forex`, `crypto`, `future`, …) and of markets outside of
the United States (`equity/india/…`, `index/eurex/…`) are left alone: their lines look like those of shares
and mean other clocks, hours and currencies. So are universes of shares, which name no contracts. Keep out:
opening files.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from trading.errors import InvalidFieldError
from trading.model.symbols import symbol_of_lean
from trading.model.times import parse_date

ZIP = r"(?:\.zip){1,2}"  # some are published with the ending doubled
DAY_ARCHIVE = re.compile(
    rf"(?:[a-z0-9.]+_)?(?P<day>\d{{8}})_(?P<kind>quote|trade|openinterest)(?:_(?P<style>american|european))?{ZIP}",
    re.ASCII,
)
YEAR_ARCHIVE = re.compile(
    rf"[a-z0-9.]+?_(?:(?P<year>\d{{4}})_)?(?P<kind>quote|trade|openinterest)_(?:american|european){ZIP}",
    re.ASCII,
)
SERIES_ARCHIVE = re.compile(rf"[a-z0-9.]+?(?:_(?P<kind>quote|trade))?{ZIP}", re.ASCII)
UNIVERSE = re.compile(r"(?P<day>\d{8})\.csv(?:\.gz)?", re.ASCII)
FACTOR_FILE = re.compile(r"(?:factor_file_)?(?P<symbol>[a-z0-9.]+)\.csv", re.ASCII)
RECORDED_GREEKS = re.compile(r"[a-z0-9.]{1,6}\d{6}[cp]\d{8}\.csv", re.ASCII)
SHARE_MEMBER = re.compile(
    r"(?P<day>\d{8})_(?P<root>[a-z0-9.]{1,12})_"
    r"(?:(?P<resolution>minute|second|tick)_(?P<kind>trade|quote)|(?P<tick_kind>trade|quote)_tick)\.csv",
    re.ASCII,
)
SERIES_MEMBER = re.compile(r"(?P<root>[a-z0-9.]{1,12})\.csv", re.ASCII)
UNIVERSE_FOLDERS = ("universe", "universes")
INDEX_FOLDERS = ("index",)
FACTOR_FOLDERS = ("factor_files", "reference")
FACTOR_ARCHIVE = re.compile(r"factor_files_\d{8}\.zip", re.ASCII)
COARSE = re.compile(r"(?:^|[_-])(?:hour|daily)(?:$|[_-])")  # in the name of a folder
SHARE_FOLDER = "equity"
ASSET_FOLDERS = frozenset((SHARE_FOLDER, "option", "index", "indexoption"))
MARKETS = ("usa", "cboe")  # the second holds indexes that only that exchange computes
BELOW_A_MARKET = frozenset(
    ("tick", "second", "minute", "hour", "daily", "factor_files", "map_files", "universes", "universe")
)
OTHER_ASSETS = frozenset(
    ("alternative", "base", "cfd", "commodity", "crypto", "cryptofuture", "forex", "future", "futureoption")
)


class FileKind(StrEnum):
    """What a file is, by its name alone."""

    DAY = "day"  # an archive of one day
    YEAR = "year"  # an archive of one year or of all, by the hour or day, a member for each contract
    SERIES = "series"  # an archive of all days of a share or an index, by the hour or day
    UNIVERSE = "universe"  # a chain at the end of a day
    FACTORS = "factors"  # splits and dividends
    GREEKS = "greeks"  # the broker's model values of one contract


class Resolution(StrEnum):
    """How fine rows are."""

    TICK = "tick"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAILY = "daily"


FINEST_FIRST = tuple(Resolution)
COARSE_ONES = (Resolution.HOUR, Resolution.DAILY)  # a line says its day; all others are of their file's
LENGTHS = {
    Resolution.SECOND: timedelta(seconds=1),
    Resolution.MINUTE: timedelta(minutes=1),
    Resolution.HOUR: timedelta(hours=1),
    Resolution.DAILY: timedelta(days=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanFile:
    """One file; `kind` is quote, trade, openinterest, or empty; `day` None for many days or for factors.

    `folders` are those under the folder of all files, `year` None for an archive of all years.
    """

    path: Path
    is_a: FileKind
    folders: tuple[str, ...] = ()
    is_option: bool = False
    kind: str = ""
    day: date | None = None
    year: int | None = None
    symbol: str = ""

    @property
    def is_index(self) -> bool:
        """Whether its folder says that it is about an index."""
        return any(part in INDEX_FOLDERS or part.startswith("index_") for part in self.folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareMember:
    """The CSV of a share or an index: what it holds, of which one."""

    root: str
    kind: str
    resolution: Resolution
    day: date | None


def read_name(path: Path, folder: Path) -> LeanFile | None:
    """Say what a file under the folder is; None for one of another kind, or with an impossible date."""
    name = path.name.lower()
    folders = tuple(part.lower() for part in path.relative_to(folder).parts[:-1])
    if is_left_alone(path, folder):
        return None
    try:
        told = _archive(path, name, folders) or _text_file(path, name, folders)
    except InvalidFieldError:
        return None
    return None if told is None else replace(told, folders=folders)


def is_left_alone(path: Path, folder: Path) -> bool:
    """Whether its folders name an asset, or in the original tree (asset, market, resolution) a market, that
    the desk does not carry.
    """
    parts = [part.lower() for part in path.relative_to(folder).parts[:-1]]
    return bool(OTHER_ASSETS & {*parts}) or any(
        asset in ASSET_FOLDERS and below in BELOW_A_MARKET and market not in (*MARKETS, *BELOW_A_MARKET)
        for asset, market, below in zip(parts, parts[1:], parts[2:], strict=False)
    )


def _archive(path: Path, name: str, folders: tuple[str, ...]) -> LeanFile | None:
    if found := DAY_ARCHIVE.fullmatch(name):
        is_option = found["style"] is not None
        day = parse_date("file", found["day"])
        return LeanFile(path=path, is_a=FileKind.DAY, kind=found["kind"], day=day, is_option=is_option)
    if found := YEAR_ARCHIVE.fullmatch(name):
        year = int(found["year"]) if found["year"] else None
        return LeanFile(path=path, is_a=FileKind.YEAR, kind=found["kind"], year=year, is_option=True)
    if FACTOR_ARCHIVE.fullmatch(name):
        return LeanFile(path=path, is_a=FileKind.FACTORS)
    if (found := SERIES_ARCHIVE.fullmatch(name)) and any(COARSE.search(part) for part in folders):
        return LeanFile(path=path, is_a=FileKind.SERIES, kind=found["kind"] or "trade")
    return None


def _text_file(path: Path, name: str, folders: tuple[str, ...]) -> LeanFile | None:
    parent = folders[-1] if folders else path.parent.name.lower()
    is_of_chains = {*UNIVERSE_FOLDERS} & {*folders, parent} and SHARE_FOLDER not in folders
    if (found := UNIVERSE.fullmatch(name)) and is_of_chains:
        symbol = "" if parent in UNIVERSE_FOLDERS else symbol_of_lean(parent)
        return LeanFile(
            path=path, is_a=FileKind.UNIVERSE, day=parse_date("file", found["day"]), symbol=symbol
        )
    if (found := FACTOR_FILE.fullmatch(name)) and parent in FACTOR_FOLDERS:
        return LeanFile(path=path, is_a=FileKind.FACTORS, symbol=symbol_of_lean(found["symbol"]))
    if RECORDED_GREEKS.fullmatch(name):
        return LeanFile(path=path, is_a=FileKind.GREEKS)
    return None


def read_share_member(member: str, kind: str = "", coarse: Resolution | None = None) -> ShareMember:
    """Read names such as ``20151224_goog_minute_trade.csv`` and ``20131008_bac_Quote_Tick.csv``.

    Of an archive by the hour or day, `coarse`, the name is ``aapl.csv``, and the archive says the kind.
    """
    name = base_name(member)
    if coarse is not None:
        found = SERIES_MEMBER.fullmatch(name)
        if found is None:
            raise InvalidFieldError("member", "the symbol of a share or an index and .csv", member)
        return ShareMember(root=symbol_of_lean(found["root"]), kind=kind, resolution=coarse, day=None)
    found = SHARE_MEMBER.fullmatch(name)
    if found is None:
        raise InvalidFieldError("member", "the name of a Lean file of a share or an index", member)
    return ShareMember(
        root=symbol_of_lean(found["root"]),
        kind=found["kind"] or found["tick_kind"],
        resolution=Resolution(found["resolution"] or "tick"),
        day=parse_date("day", found["day"]),
    )


def base_name(member: str) -> str:
    """The name of a member without the folders that it may lie in (of Windows, too), in small letters."""
    return member.replace("\\", "/").rpartition("/")[2].lower()
