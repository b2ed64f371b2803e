"""Recorded files as a source of past market data: quotes, trades, bars and chains by session.

Quotes of an instrument are read at the finest resolution that there is, bars at every one. Files are read in
the order of their paths, an archive's members in the order of their names: the same folder gives the same
rows.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from adapters.lean.catalog import Archive, Catalog
from adapters.lean.chains import chain_rows, has_chain
from adapters.lean.choice import choose_archives, finest
from adapters.lean.names import Resolution
from adapters.lean.readers import archive_rows, signed_rows
from adapters.lean.splits import read_splits
from trading.calendar import is_session, session_open
from trading.model.contract_master import Split
from trading.model.market import MarketKind, MarketRow, RefusedRow
from trading.ports.market_history import MarketHistory

FILE_KINDS = {MarketKind.QUOTE: "quote", MarketKind.BAR: "trade", MarketKind.TRADE: "trade"}


class LeanHistory(MarketHistory):
    """The Lean files under one folder; none is opened before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._catalog = Catalog(folder)

    @property
    def name(self) -> str:
        """Under which rows are stored."""
        return "lean"

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions with a file of the kind."""
        if kind is MarketKind.CHAIN:
            days = self._catalog.days(("openinterest", "quote"), with_universes=True)
        elif kind in FILE_KINDS:
            days = self._catalog.days((FILE_KINDS[kind],))
        else:
            return ()
        return [day for day in sorted(days) if self._tells(kind, day)]

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """Rows of the session; None where no file tells of it."""
        if not self._tells(kind, session):
            return None
        if kind is MarketKind.CHAIN:
            return chain_rows(self._catalog, session)
        return self._read(*self._archives(kind, session), session)

    def files(self, kind: MarketKind, session: date) -> Sequence[str]:
        """The files that tell of a session, by path under the folder."""
        if not self._tells(kind, session):
            return ()
        if kind is MarketKind.CHAIN:
            at = session_open(session)
            paths = {file.path for file in self._catalog.universes(session)}
            for name in ("openinterest", "quote", "trade"):
                paths.update(
                    item.path for item in finest(choose_archives(self._catalog, session, name, at)[0])
                )
        else:
            paths = {archive.path for archive in self._archives(kind, session)[0]}
        return sorted(path.relative_to(self._catalog.folder).as_posix() for path in paths)

    def splits(self) -> Sequence[Split]:
        """Splits of the shares that have a factor file."""
        return read_splits(self._catalog)

    def _tells(self, kind: MarketKind, session: date) -> bool:
        if not is_session(session):
            return False
        if kind is MarketKind.CHAIN:
            return has_chain(self._catalog, session)
        return kind in FILE_KINDS and any(self._archives(kind, session))

    def _read(
        self, archives: Sequence[Archive], refused: Sequence[RefusedRow], session: date
    ) -> Iterator[MarketRow]:
        yield from refused
        quotes = self._archives(MarketKind.QUOTE, session)[0]
        tapes = {(item.layout, item.root): item for item in quotes}
        for archive in archives:
            if archive.kind == "trade" and archive.resolution is Resolution.TICK:
                yield from signed_rows(
                    self._catalog.folder, archive, tapes.get((archive.layout, archive.root)), session
                )
            else:
                yield from archive_rows(self._catalog.folder, archive, session)

    def _archives(self, kind: MarketKind, session: date) -> tuple[Sequence[Archive], Sequence[RefusedRow]]:
        """Archives to read for a kind. Prints are ticks, bars are not, quotes are whatever is finest."""
        at = session_open(session)
        archives, refused = choose_archives(self._catalog, session, FILE_KINDS[kind], at)
        if kind is MarketKind.QUOTE:
            return finest(archives), refused
        is_ticks = kind is MarketKind.TRADE
        return [item for item in archives if (item.resolution is Resolution.TICK) is is_ticks], refused
