"""A folder of Lean's data files: which series and sessions are in it, and the rows of each when asked.

The names are read at once, the rows of a contract and session when somebody wants them. Of several
resolutions the finest is taken. Hours of a whole year carry their days in the rows and are read at once. Keep
out: what quotes and trades are made of the rows (`replay_tapes`), and any other layout.
"""

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from simulation.market import lean_rows as rows
from simulation.market.lean_names import (
    INDEX_SYMBOLS,
    Kind,
    Member,
    Resolution,
    Series,
    factors_symbol,
    is_played,
    member_of,
    universe_day,
)
from simulation.market.lean_rows import Remarks
from simulation.market.lean_universe import UniverseRow, universe_rows
from trading.model.symbols import occ_root, symbol_of_lean
from trading.model.times import NEW_YORK

ARCHIVES_MOST = 20_000
MEMBERS_MOST = 2_000_000
INDEX_CLOCK_BEHIND = timedelta(hours=1)  # index files are stamped in Chicago time, all others in New York's
INDEXES_IN_NEW_YORK = frozenset({"NDX"})  # computed by Nasdaq, and stamped there
FINEST_FIRST = tuple(Resolution)
GZIP_MARK = b"\x1f\x8b"
SAMPLED_MEMBERS, SAMPLED_LINES = 5, 40  # of an archive, to know how its prices are written
CANNOT_BE_UNPACKED = (  # damaged, encrypted, compressed in a way we do not know, gone
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    EOFError,
    OSError,
)
LONGEST_WEEKEND = timedelta(days=4)  # from a factor's last day to the session on which the next one holds
Row = TypeVar("Row")


class RecordingError(ValueError):
    """A folder or a session that cannot be played."""


Place = tuple[Kind, str, date]  # what, the contract's symbol, session


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of one kind, contract and session are; `lines` where they are read already."""

    member: Member
    lines: str | None = None


@dataclass(slots=True)
class LeanFolder:
    """What a folder holds. `places` says where; `series` and `symbols` who; `remarks` what is odd in it."""

    path: Path
    places: dict[Place, Source] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    spots: set[str] = field(default_factory=set)
    universes: dict[tuple[str, date], Path] = field(default_factory=dict)  # class, empty where not told
    factors: dict[str, Path] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=Remarks)
    _archives: dict[Path, zipfile.ZipFile] = field(default_factory=dict)
    _scaled: dict[Path, bool] = field(default_factory=dict)

    def sessions(self) -> tuple[date, ...]:
        """Days on which there are quotes or trades of anything, in order."""
        return tuple(sorted({day for kind, _, day in self.places if kind is not Kind.OPEN_INTEREST}))

    def rows(self, kind: Kind, key: str, session: date, read: Callable[[list[str]], Row]) -> list[Row]:
        """The rows of one kind of a contract on a session; none where there is no file of it."""
        source = self.places.get((kind, key, session))
        if source is None:
            return []
        text = self._text(source.member) if source.lines is None else source.lines
        if not self._is_scaled(source.member):
            text = rows.scaled(text, kind)
        return rows.rows_of(text, read, where_of(source.member), self.remarks)

    def resolution(self, kind: Kind, key: str, session: date) -> Resolution | None:
        """How fine the rows are; None where there are none."""
        source = self.places.get((kind, key, session))
        return None if source is None else source.member.resolution

    def universe_path(self, root: str, session: date) -> Path | None:
        """Where the end-of-day chain of a class lies; a file that names no class is everybody's."""
        return self.universes.get((root, session)) or self.universes.get(("", session))

    def universe(self, path: Path) -> list[UniverseRow]:
        """The end-of-day chain of a class and session."""
        try:
            data = path.read_bytes()
            is_packed = path.suffix == ".gz" or data.startswith(GZIP_MARK)
            text = rows.text_of(gzip.decompress(data) if is_packed else data)
        except CANNOT_BE_UNPACKED as error:
            self.remarks.note(shown(path), "cannot be unpacked", error)
            return []
        return universe_rows(text, _class_of(path), shown(path), self.remarks)

    def split(self, symbol: str, session: date) -> float | None:
        """New shares for an old one on this session (7.0), by the factor file; None for no split."""
        path = self.factors.get(symbol)
        if path is None:
            return None
        factors = rows.rows_of(rows.text_of(path.read_bytes()), rows.factor_row, shown(path), self.remarks)
        for (last_day, before), (_, after) in pairwise(factors):
            if before != after and timedelta() < session - last_day <= LONGEST_WEEKEND:
                return after / before
        return None

    def close(self) -> None:
        """Let the archives go."""
        for archive in self._archives.values():
            archive.close()
        self._archives.clear()

    def _is_scaled(self, member: Member) -> bool:
        """Whether prices are ten-thousandths: those of options on an index are published both ways."""
        if (
            not member.is_european
            or member.kind is Kind.OPEN_INTEREST
            or member.resolution is Resolution.TICK
        ):
            return True
        if member.archive not in self._scaled:
            names = [name for name in _names(member.archive, Remarks()) if member_of(member.archive, name)]
            texts = (self._text(replace(member, name=name)) for name in sorted(names)[:SAMPLED_MEMBERS])
            lines = [line for text in texts for line in text.splitlines()[:SAMPLED_LINES]]
            self._scaled[member.archive] = rows.is_scaled(lines)
        return self._scaled[member.archive]

    def _text(self, member: Member) -> str:
        """A member's text; of one that cannot be unpacked nothing, and that is said."""
        try:
            if member.archive not in self._archives:
                self._archives[member.archive] = zipfile.ZipFile(member.archive)
            return rows.text_of(self._archives[member.archive].read(member.name))
        except CANNOT_BE_UNPACKED as error:
            self.remarks.note(where_of(member), "members that cannot be unpacked", f"{member.name}: {error}")
            return ""

    def _add(self, member: Member) -> None:
        if member.series is not None:
            self.series.setdefault(member.key, member.series)
        else:
            self.spots.add(member.symbol)
        if member.day is not None:
            self._place((member.kind, member.key, member.day), Source(member))
            return
        days: dict[date, list[str]] = {}
        rows.with_days(self._text(member), days)
        if bad := days.pop(date.min, None):
            self.remarks.note(where_of(member), "rows that cannot be read", bad[0])
        for day, lines in days.items():
            if member.kind is not Kind.OPEN_INTEREST and all(line.startswith("0,") for line in lines):
                self.remarks.note(where_of(member), "rows of whole days, not played", lines[0])
            else:
                self._place((member.kind, member.key, day), Source(member, "\n".join(lines)))

    def _place(self, place: Place, source: Source) -> None:
        known = self.places.get(place)
        if known is None or _finer(source.member, known.member):
            self.places[place] = source
        elif known.member.resolution is source.member.resolution:
            self.remarks.note(where_of(source.member), "the same series and session twice; the first stands")


def read_folder(path: Path) -> LeanFolder:
    """Everything that the names say; a folder without a single file of Lean's is an error that names it."""
    if not path.is_dir():
        raise RecordingError(f"data: expected a folder of Lean files, was {path}")
    folder = LeanFolder(path=path)
    for member in _members(path, folder.remarks):
        folder._add(member)
    for file in sorted(path.rglob("*.csv*")):
        if not is_played(file, path):
            continue
        day, symbol = universe_day(file), factors_symbol(file)
        if day is not None:
            folder.universes[_class_of(file), day] = file
        elif symbol is not None:
            folder.factors[symbol] = file
    if not folder.sessions():
        broken = "".join(f"; {text}" for text in folder.remarks.texts()[:1])
        raise RecordingError(f"data: expected Lean quote or trade files in {path}, was none{broken}")
    return folder


def where_of(member: Member) -> str:
    """How remarks name a file: its archive; single members would be thousands of lines."""
    return shown(member.archive)


def is_index(symbol: str) -> bool:
    """Whether a symbol is an index: it has values, and nobody trades it."""
    return symbol in INDEX_SYMBOLS


def midnight_ms(session: date, index: str = "") -> int:
    """Where the milliseconds of a file, or of an index's file, begin, as epoch milliseconds."""
    midnight = datetime.combine(session, time(), NEW_YORK)
    behind = INDEX_CLOCK_BEHIND if index and index not in INDEXES_IN_NEW_YORK else timedelta()
    return int((midnight + behind).timestamp() * 1000)


def _members(path: Path, remarks: Remarks) -> Iterator[Member]:
    archives = sorted(path.rglob("*.zip"))
    if len(archives) > ARCHIVES_MOST:
        raise RecordingError(f"data: expected at most {ARCHIVES_MOST} archives, was {len(archives)}")
    count = 0
    for archive in archives:
        if not is_played(archive, path):
            remarks.note(shown(archive.parent), "files of another asset or market, not played")
            continue
        for name in _names(archive, remarks):
            member = member_of(archive, name)
            if member is None:
                remarks.note(shown(archive), "members whose names say nothing to us", name)
                continue
            count += 1
            if count > MEMBERS_MOST:
                raise RecordingError(f"data: expected at most {MEMBERS_MOST} files, was more")
            yield member


def _names(archive: Path, remarks: Remarks) -> Iterable[str]:
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist()
    except CANNOT_BE_UNPACKED as error:
        remarks.note(shown(archive), "is no archive", error)
        return ()


def _finer(member: Member, than: Member) -> bool:
    return FINEST_FIRST.index(member.resolution) < FINEST_FIRST.index(than.resolution)


def _class_of(universe: Path) -> str:
    """The class whose chain a universe file is: its folder's name below `universes`, if it has one."""
    folder = universe.parent.name
    return "" if folder.startswith("univers") else occ_root(symbol_of_lean(folder))


def shown(path: Path) -> str:
    """How remarks name a path."""
    return f"{path.parent.name}/{path.name}"
