"""Which files of a folder are Lean's, and which of them tell what of a session.

Several data sets may lie under one folder. One archive of (layout, kind, resolution, root, day) is read: the
first by its path; another one like it is a refusal that names both.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import islice
from pathlib import Path

from adapters.lean.archives import OpenArchive, member_names
from adapters.lean.names import (
    FileKind,
    LeanFile,
    Resolution,
    base_name,
    is_left_alone,
    read_name,
    read_share_member,
)
from trading.errors import ConfigurationError, InvalidFieldError
from trading.model.symbology import parse_lean_member
from trading.model.times import parse_date

FILES_MAX = 1_000_000
SAMPLED_MEMBERS, SAMPLED_LINES = 5, 40  # of an archive, to know how its lines are written
MIDNIGHT = " 00:00"
EUROPEAN = "european"  # the style of options on an index
ARCHIVE = ".zip"

_log = logging.getLogger(__name__)


class Layout(StrEnum):
    """Of what the lines are."""

    OPTION = "option"
    SHARE = "share"
    INDEX = "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive with what its first member says of all of them; `root` is the trading class of options.

    `is_scaled`: prices are in ten-thousandths. Those of an index never are, those of shares and their options
    always; those of options on an index where most lines are without a decimal point.
    """

    path: Path
    layout: Layout
    kind: str
    resolution: Resolution
    root: str
    symbol: str
    day: date | None
    members: tuple[str, ...]
    is_scaled: bool = True


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
        found, left_alone = [], []
        for count, path in enumerate(self._folder.rglob("*.*")):
            if count >= FILES_MAX:
                raise ConfigurationError(f"history.lean_folder: more than {FILES_MAX} files")
            file = read_name(path, self._folder)
            if file is not None:
                found.append(file)
            elif path.suffix.lower() == ARCHIVE and is_left_alone(path, self._folder):
                left_alone.append(path)
        if left_alone:
            first = min(left_alone).relative_to(self._folder)
            _log.warning("left_alone archives=%d first=%s other assets or markets", len(left_alone), first)
        return tuple(sorted(found, key=lambda file: file.path))

    @cached_property
    def _by_day(self) -> Mapping[date, Sequence[LeanFile]]:
        days: dict[date, list[LeanFile]] = defaultdict(list)
        for file in self.files:
            if file.day is not None:
                days[file.day].append(file)
        return days

    @cached_property
    def _of_many_days(self) -> Sequence[LeanFile]:
        return tuple(file for file in self.files if file.is_a in (FileKind.YEAR, FileKind.SERIES))

    def days(self, kinds: Sequence[str], *, with_universes: bool = False) -> frozenset[date]:
        """Days for which there is a file of one of the kinds; one of many days is read to know them."""
        named = {
            day
            for day, files in self._by_day.items()
            if any(file.kind in kinds or (with_universes and _is_universe(file)) for file in files)
        }
        years = [file.path for file in self._of_many_days if file.kind in kinds]
        return frozenset(named.union(*(self._days_of(path) or () for path in years)))

    def of_day(self, day: date, kind: str) -> Iterator[LeanFile]:
        """The archives of a day, then those of many days that have rows of that day."""
        yield from (file for file in self._by_day.get(day, ()) if file.kind == kind)
        for file in self._of_many_days:
            if file.kind == kind and file.year in (None, day.year):
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
        return any(file.is_option for file in self.of_day(day, "quote"))

    def opened(self, file: LeanFile) -> Archive:
        """What the names in an archive say; raises InvalidFieldError where it is not what its name says."""
        if file.path not in self._opened:
            self._opened[file.path] = open_archive(file)
        return self._opened[file.path]

    def symbol_of(self, universe: LeanFile) -> str:
        """The class of a chain: its folder's name, else the one share or index of its data set."""
        if universe.symbol:
            return universe.symbol
        data_set = universe.path.parents[1]
        told = {
            self.opened(file).symbol
            for file in self.files
            if file.is_a is FileKind.DAY and data_set in file.path.parents and not file.is_option
        }
        if len(told) != 1:
            raise InvalidFieldError("symbol", "one share or index in the data set", sorted(told))
        return told.pop()

    def _days_of(self, path: Path) -> frozenset[date] | None:
        if path not in self._years:
            self._years[path] = _days_in(path)
        return self._years[path]


def open_archive(file: LeanFile) -> Archive:
    """Read the names in an archive; raises InvalidFieldError where it is not what its name says.

    Its first member that is what the file's name says speaks for all; a stranger before it does not.
    """
    members = member_names(file.path)
    with OpenArchive(file.path) as opened:
        sample = [line for member in members[:SAMPLED_MEMBERS] for line in _first_lines(opened, member)]
    read = _option_archive if file.is_option else _share_archive
    wrong: InvalidFieldError | None = None
    for first in members:
        try:
            archive = read(file, first, members, sample)
        except InvalidFieldError as error:
            wrong = wrong or error
            continue
        if (archive.kind, archive.day) == (file.kind, file.day):
            return archive
        wrong = wrong or InvalidFieldError("member", f"{file.kind} of {file.day}", first)
    raise wrong or InvalidFieldError("member", "an archive with a member", file.path.name)


def _option_archive(file: LeanFile, first: str, members: tuple[str, ...], sample: Sequence[str]) -> Archive:
    told = parse_lean_member(base_name(first))
    return Archive(
        path=file.path,
        layout=Layout.OPTION,
        kind=told.kind,
        resolution=Resolution(told.resolution) if told.resolution else _coarse(sample),
        root=told.option.trading_class,
        symbol=told.option.symbol,
        day=told.day,
        members=members,
        is_scaled=told.style != EUROPEAN or _is_scaled(sample),
    )


def _share_archive(file: LeanFile, first: str, members: tuple[str, ...], sample: Sequence[str]) -> Archive:
    told = read_share_member(first, file.kind, _coarse(sample) if file.is_a is FileKind.SERIES else None)
    return Archive(
        path=file.path,
        layout=Layout.INDEX if file.is_index else Layout.SHARE,
        kind=told.kind,
        resolution=told.resolution,
        root=told.root,
        symbol=told.root,
        day=told.day,
        members=members,
        is_scaled=not file.is_index,
    )


def _first_lines(archive: OpenArchive, member: str) -> Sequence[str]:
    """Some lines of a member, to see how its numbers are written; none of one that cannot be read."""
    try:
        return [text for _, text in islice(archive.lines(member), SAMPLED_LINES)]
    except InvalidFieldError:
        return ()


def _is_scaled(sample: Sequence[str]) -> bool:
    """Whether prices are ten-thousandths: most lines have none with a point; a stray one proves nothing."""
    with_point = sum("." in text.partition(",")[2] for text in sample)
    return 2 * with_point < len(sample) or not sample


def _coarse(sample: Sequence[str]) -> Resolution:
    """Daily where lines begin at midnight: no session has an hour then."""
    first = next(iter(sample), "").partition(",")[0]
    return Resolution.DAILY if first.endswith(MIDNIGHT) else Resolution.HOUR


def _is_universe(file: LeanFile) -> bool:
    return file.is_a is FileKind.UNIVERSE


def _days_in(path: Path) -> frozenset[date] | None:
    """The days of an archive of many; None for one that cannot be read."""
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
