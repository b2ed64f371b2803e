"""Which files of a folder are Lean's, and which of them tell what of a session.

Several data sets may lie under one folder. One archive of (layout, kind, resolution, root, day) is read: the
first by its path; another one like it is a refusal that names both.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from adapters.lean.archives import OpenArchive, member_names
from adapters.lean.names import FileKind, LeanFile, Resolution, read_name, read_share_member
from trading.errors import ConfigurationError, InvalidFieldError
from trading.model.symbology import parse_lean_member
from trading.model.times import parse_date

FILES_MAX = 1_000_000


class Layout(StrEnum):
    """Of what the lines are."""

    OPTION = "option"
    SHARE = "share"
    INDEX = "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive with what its first member says of all of them; `root` is the trading class of options."""

    path: Path
    layout: Layout
    kind: str
    resolution: Resolution
    root: str
    symbol: str
    day: date | None
    members: tuple[str, ...]


class Catalog:
    """The Lean files under a folder; looked for once, at the first question."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[Path, Archive] = {}  # a run over a range asks for each file more than once
        self._years: dict[Path, frozenset[date] | None] = {}

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    @cached_property
    def files(self) -> Sequence[LeanFile]:
        """All files whose names are understood, by path."""
        if not self._folder.is_dir():
            raise ConfigurationError(f"history.lean_folder: expected a folder, was {self._folder}")
        found = []
        for count, path in enumerate(self._folder.rglob("*.*")):
            if count >= FILES_MAX:
                raise ConfigurationError(f"history.lean_folder: more than {FILES_MAX} files")
            file = read_name(path)
            if file is not None:
                found.append(file)
        return tuple(sorted(found, key=lambda file: file.path))

    @cached_property
    def _by_day(self) -> Mapping[date, Sequence[LeanFile]]:
        days: dict[date, list[LeanFile]] = defaultdict(list)
        for file in self.files:
            if file.day is not None:
                days[file.day].append(file)
        return days

    @cached_property
    def _of_years(self) -> Sequence[LeanFile]:
        return tuple(file for file in self.files if file.is_a is FileKind.YEAR)

    def days(self, kinds: Sequence[str], *, with_universes: bool = False) -> frozenset[date]:
        """Days for which there is a file of one of the kinds; a year's archive is read to know its days."""
        named = {
            day
            for day, files in self._by_day.items()
            if any(file.kind in kinds or (with_universes and _is_universe(file)) for file in files)
        }
        years = [file.path for file in self._of_years if file.kind in kinds]
        return frozenset(named.union(*(self._days_of(path) or () for path in years)))

    def of_day(self, day: date, kind: str) -> Iterator[LeanFile]:
        """The archives of a day, then those of its year that have rows of that day."""
        yield from (file for file in self._by_day.get(day, ()) if file.kind == kind)
        for file in self._of_years:
            if file.kind == kind and file.year == day.year:
                days = self._days_of(file.path)
                if days is None or day in days:  # a broken one is asked, so that it is named
                    yield file

    def universes(self, day: date) -> Sequence[LeanFile]:
        """The chains at the end of a day."""
        return [file for file in self._by_day.get(day, ()) if _is_universe(file)]

    def factors(self) -> Sequence[LeanFile]:
        """The files of splits and dividends."""
        return [file for file in self.files if file.is_a is FileKind.FACTORS]

    def has_option_quotes(self, day: date) -> bool:
        """Whether a chain of the day can be made of its quotes."""
        return any(_is_option(file) for file in self.of_day(day, "quote"))

    def opened(self, file: LeanFile) -> Archive:
        """What the names in an archive say; raises InvalidFieldError where it is not what its name says."""
        if file.path not in self._opened:
            self._opened[file.path] = open_archive(file)
        return self._opened[file.path]

    def symbol_of(self, universe: LeanFile) -> str:
        """The symbol of a chain: its folder's name, else the one share or index of its data set."""
        if universe.symbol:
            return universe.symbol
        data_set = universe.path.parents[1]
        told = {
            self.opened(file).symbol
            for file in self.files
            if file.is_a is FileKind.DAY and data_set in file.path.parents and not _is_option(file)
        }
        if len(told) != 1:
            raise InvalidFieldError("symbol", "one share or index in the data set", sorted(told))
        return told.pop()

    def _days_of(self, path: Path) -> frozenset[date] | None:
        if path not in self._years:
            self._years[path] = _days_in(path)
        return self._years[path]


def open_archive(file: LeanFile) -> Archive:
    """Read the names in an archive; raises InvalidFieldError where it is not what its name says."""
    members = member_names(file.path)
    if not members:
        raise InvalidFieldError("file", "an archive with a member", file.path.name)
    archive = _option_archive(file, members) if _is_option(file) else _share_archive(file, members)
    if (archive.kind, archive.day) != (file.kind, file.day):
        raise InvalidFieldError("member", f"{file.kind} of {file.day}", members[0])
    return archive


def _option_archive(file: LeanFile, members: tuple[str, ...]) -> Archive:
    first = parse_lean_member(members[0])
    return Archive(
        path=file.path,
        layout=Layout.OPTION,
        kind=first.kind,
        resolution=Resolution(first.resolution or "hour"),
        root=first.option.trading_class,
        symbol=first.option.symbol,
        day=first.day,
        members=members,
    )


def _share_archive(file: LeanFile, members: tuple[str, ...]) -> Archive:
    first = read_share_member(members[0])
    return Archive(
        path=file.path,
        layout=Layout.INDEX if file.is_index else Layout.SHARE,
        kind=first.kind,
        resolution=first.resolution,
        root=first.root,
        symbol=first.root,
        day=first.day,
        members=members,
    )


def _is_option(file: LeanFile) -> bool:
    return file.path.stem.endswith(("_american", "_european"))


def _is_universe(file: LeanFile) -> bool:
    return file.is_a is FileKind.UNIVERSE


def _days_in(path: Path) -> frozenset[date] | None:
    """The days of a year's archive; None for one that cannot be read."""
    seen: set[str] = set()
    try:
        members = member_names(path)
        with OpenArchive(path) as archive:
            for member in members:
                seen.update(text[:8] for _, text in archive.lines(member))
    except InvalidFieldError:
        return None
    return frozenset(day for stamp in seen if (day := _day(stamp)))


def _day(stamp: str) -> date | None:
    try:
        return parse_date("time", stamp)
    except InvalidFieldError:
        return None
