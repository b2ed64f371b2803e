"""The broker's model values as they were recorded, as a source of past chains.

The contracts take turns, so a snapshot of the chain is a round: counted from the end, it begins where a
contract would be told twice in it, and the last one is as full as the recording is. Every line is one
contract's row, none is carried over. A source of its own, since its values are the broker's; no bid or ask
was recorded, so none is told. Keep out: what a line says (`greeks_lines`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from adapters.lean.catalog import Catalog
from adapters.lean.greeks_lines import GreeksTick, days_in, ticks_of
from adapters.lean.names import FileKind, LeanFile
from adapters.lean.series import Origin
from trading.calendar import is_session
from trading.model.market import ChainContract, ChainSnapshot, MarketKind, MarketRow, RefusedRow
from trading.ports.market_history import MarketHistory

NAME = "ibkr_recorded"


class RecordedGreeks(MarketHistory):
    """The port over the files of a folder; each is read once to know its days."""

    def __init__(self, folder: Path) -> None:
        self._catalog = Catalog(folder)
        self._days: Mapping[Path, frozenset[date] | None] | None = None

    @property
    def name(self) -> str:
        """Under which rows are stored."""
        return NAME

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions with a line; of chains only."""
        if kind is not MarketKind.CHAIN:
            return ()
        told = {day for days in self._days_of_files().values() for day in days or ()}
        return sorted(day for day in told if is_session(day))

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """A snapshot for each round, and what could not be read; None where no file has the session."""
        if kind is not MarketKind.CHAIN or session not in self.sessions(kind):
            return None
        return self._read(session)

    def files(self, kind: MarketKind, session: date) -> Sequence[str]:
        """The files that tell of a session, by path under the folder."""
        if kind is not MarketKind.CHAIN:
            return ()
        folder = self._catalog.folder
        return [file.path.relative_to(folder).as_posix() for file in self._of(session)]

    def _of(self, session: date) -> Iterator[LeanFile]:
        """The files of a session; one that cannot be read is asked, so that it is named."""
        for file in self._files():
            days = self._days_of_files()[file.path]
            if days is None or session in days:
                yield file

    def _files(self) -> Iterator[LeanFile]:
        return (file for file in self._catalog.files if file.is_a is FileKind.GREEKS)

    def _days_of_files(self) -> Mapping[Path, frozenset[date] | None]:
        if self._days is None:
            self._days = {file.path: days_in(file.path) for file in self._files()}
        return self._days

    def _read(self, session: date) -> Iterator[MarketRow]:
        ticks: list[GreeksTick] = []
        for file in self._of(session):
            origin = Origin(folder=self._catalog.folder, path=file.path)
            for row in ticks_of(file, origin, session):
                if isinstance(row, RefusedRow):
                    yield row
                else:
                    ticks.append(row)
        ticks.sort(key=lambda tick: (tick.greeks.at, tick.option.occ))
        for symbol in sorted({tick.option.symbol for tick in ticks}):
            yield from _snapshots(symbol, [tick for tick in ticks if tick.option.symbol == symbol])


def _snapshots(symbol: str, ticks: Sequence[GreeksTick]) -> Iterator[ChainSnapshot]:
    """Rounds of ticks that are in the order of their time."""
    rounds: list[list[GreeksTick]] = [[]]
    told: set[str] = set()
    for tick in reversed(ticks):
        if tick.option.occ in told:
            rounds.append([])
            told = set()
        told.add(tick.option.occ)
        rounds[-1].append(tick)
    for newest_first in reversed(rounds):
        yield _snapshot(symbol, newest_first[::-1])


def _snapshot(symbol: str, ticks: Sequence[GreeksTick]) -> ChainSnapshot:
    ordered = sorted(ticks, key=lambda tick: (tick.option.expiry, tick.option.occ))
    return ChainSnapshot(
        symbol=symbol,
        at=ticks[-1].greeks.at,
        source=NAME,
        spot=ticks[-1].spot,
        contracts=tuple(
            ChainContract(option=tick.option, at=tick.greeks.at, greeks=tick.greeks) for tick in ordered
        ),
    )
