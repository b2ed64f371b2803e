"""Names of Lean's data files: what a member of an archive holds, read from its name.

The names are those of the Lean project's data folder (github.com/QuantConnect/Lean, `Data/`): kind and
resolution, symbol, and for an option its right, strike x 10,000 and expiry. Folders of other assets and of
markets outside of the United States hold names of the same form that mean other clocks and currencies; they
are not played. What a name says is all that is known here; keep out what stands in the files.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from trading.model.options import underlying_of_root
from trading.model.symbols import occ_root, symbol_of_lean

SCALE = 10_000  # prices and strikes are dollars times this
INDEX_SYMBOLS = frozenset({"SPX", "XSP", "NDX", "RUT", "VIX", "DJX", "OEX"})
_OPTION = re.compile(
    r"(?:(?P<day>\d{8})_)?(?P<symbol>[a-z0-9.]{1,12})_(?:(?P<resolution>tick|second|minute|hour)_)?"
    r"(?P<kind>quote|trade|openinterest)_(?P<style>american|european)_"
    r"(?P<right>call|put)_(?P<strike>\d+)_(?P<expiry>\d{8})\.csv"
)
_SPOT = re.compile(
    r"(?P<day>\d{8})_(?P<symbol>[a-z0-9.]{1,12})_"
    r"(?:(?P<resolution>tick|second|minute)_(?P<kind>quote|trade)|(?P<tick_kind>quote|trade)_tick)\.csv"
)
_UNIVERSE = re.compile(r"(?P<day>\d{8})\.csv(\.gz)?")
_FACTORS = re.compile(r"(?:factor_file_)?(?P<symbol>[a-z0-9.]+)\.csv")
_ASSETS = frozenset({"equity", "option", "index", "indexoption"})
_OTHER_ASSETS = frozenset(
    ("alternative", "base", "cfd", "commodity", "crypto", "cryptofuture", "forex", "future", "futureoption")
)
_MARKETS = ("usa", "cboe")
_BELOW_A_MARKET = frozenset(
    ("tick", "second", "minute", "hour", "daily", "factor_files", "map_files", "universes", "universe")
)


class Kind(StrEnum):
    """What the rows of a file are."""

    QUOTE = "quote"
    TRADE = "trade"
    OPEN_INTEREST = "openinterest"


class Resolution(StrEnum):
    """How fine the rows are; the finest that is there is played."""

    TICK = "tick"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"

    @property
    def milliseconds(self) -> int:
        """The span of one row; 0 for a tick."""
        return {"tick": 0, "second": 1_000, "minute": 60_000, "hour": 3_600_000}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Series:
    """One option series as a name tells it: class (a share's with its mark), expiry, right C or P, strike in
    dollars.
    """

    root: str
    expiry: date
    right: str
    strike: Decimal

    @property
    def symbol(self) -> str:
        """The 21 characters by which the clearing house names it."""
        return f"{occ_root(self.root):<6}{self.expiry:%y%m%d}{self.right}{int(self.strike * 1000):08d}"

    @property
    def underlying(self) -> str:
        """What it is on: an index class may have another name than its index."""
        return underlying_of_root(self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive. `day` is None where each row carries its own (hours of a whole year)."""

    archive: Path
    name: str
    kind: Kind
    resolution: Resolution
    symbol: str
    day: date | None = None
    series: Series | None = None
    is_european: bool = False

    @property
    def key(self) -> str:
        """The contract's symbol: that of the series, or of the share or index."""
        return self.symbol if self.series is None else self.series.symbol


def is_played(path: Path, folder: Path) -> bool:
    """Whether the folders under `folder` are of an asset and a market that are played."""
    parts = [part.lower() for part in path.relative_to(folder).parts[:-1]]
    return not _OTHER_ASSETS & {*parts} and not any(
        asset in _ASSETS and below in _BELOW_A_MARKET and market not in (*_MARKETS, *_BELOW_A_MARKET)
        for asset, market, below in zip(parts, parts[1:], parts[2:], strict=False)
    )


def member_of(archive: Path, name: str) -> Member | None:
    """What a member's name says; None for a name that is none of Lean's."""
    text = name.replace("\\", "/").rpartition("/")[2].lower()
    if (found := _OPTION.fullmatch(text)) is not None:
        return _option_member(archive, name, found)
    found = _SPOT.fullmatch(text)
    day = None if found is None else day_of(found["day"])
    if found is None or day is None:
        return None
    return Member(
        archive=archive,
        name=name,
        kind=Kind(found["kind"] or found["tick_kind"]),
        resolution=Resolution(found["resolution"] or "tick"),
        symbol=symbol_of_lean(found["symbol"]),
        day=day,
    )


def universe_day(path: Path) -> date | None:
    """The day of a universe file (`universe/20151224.csv.gz`); None for another file."""
    found = _UNIVERSE.fullmatch(path.name)
    is_universe = any(part.startswith("univers") for part in path.parts)
    return day_of(found["day"]) if found is not None and is_universe else None


def factors_symbol(path: Path) -> str | None:
    """The symbol of a factor file; None for another file."""
    found = _FACTORS.fullmatch(path.name)
    is_factors = path.parent.name == "factor_files" or path.name.startswith("factor_file_")
    return symbol_of_lean(found["symbol"]) if found is not None and is_factors else None


def day_of(text: str) -> date | None:
    """A day from its eight digits; None when there is no such day."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 — a day, no moment
    except ValueError:
        return None


def _option_member(archive: Path, name: str, found: re.Match[str]) -> Member | None:
    day = day_of(found["day"]) if found["day"] else None
    expiry = day_of(found["expiry"])
    if expiry is None or (found["day"] and day is None):
        return None
    symbol = symbol_of_lean(found["symbol"])
    right = found["right"][0].upper()
    series = Series(root=symbol, expiry=expiry, right=right, strike=Decimal(int(found["strike"])) / SCALE)
    return Member(
        archive=archive,
        name=name,
        kind=Kind(found["kind"]),
        resolution=Resolution(found["resolution"] or (Resolution.MINUTE if day else Resolution.HOUR)),
        symbol=symbol,
        day=day,
        series=series,
        is_european=found["style"] == "european",
    )
