"""What was recorded, by contract and session: tapes made of a folder's rows when they are first asked for.

Here a file becomes something that has a contract and hours. What is odd in the files (series listed twice,
open interest of strikes that a split has ended) is named in the folder's remarks. Keep out: answers to the
broker (`replay_sources`).
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from simulation.broker.model import Greeks
from simulation.market.hours import EARLY_OPEN, TradingHours, local
from simulation.market.lean import LeanFolder, is_index, midnight_ms, shown, where_of
from simulation.market.lean_names import Kind, Resolution
from simulation.market.lean_rows import (
    index_row,
    interest_row,
    quote_row,
    quote_tick,
    trade_row,
    trade_tick,
)
from simulation.market.lean_universe import UniverseRow
from simulation.market.replay_tapes import (
    PrintTape,
    Span,
    TouchTape,
    prints_of_bars,
    prints_of_ticks,
    touches_of_bars,
    touches_of_ticks,
    values_of_bars,
)
from simulation.sample_desk.contracts import Contract, Underlying, share_of

TAPES_KEPT = 30_000  # of each sort, ten kilobytes for a contract's session; made again when needed
Tape = TypeVar("Tape", TouchTape, PrintTape)
Chain = dict[tuple[date, Decimal, str], Greeks | None]


@dataclass(slots=True)
class Recording:
    """Tapes of every contract and session of a folder; each is made when asked for and kept."""

    folder: LeanFolder
    hours: TradingHours
    days: tuple[date, ...]
    touch_tapes: dict[tuple[int, date], TouchTape] = field(default_factory=dict)
    print_tapes: dict[tuple[int, date], PrintTape] = field(default_factory=dict)
    value_tapes: dict[tuple[str, date], TouchTape] = field(default_factory=dict)
    interests: dict[tuple[int, date], int | None] = field(default_factory=dict)
    chains: dict[Path, Chain] = field(default_factory=dict)
    spots: dict[Path, Decimal] = field(default_factory=dict)
    begins_ms: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begins_ms = [int(local(day, EARLY_OPEN).timestamp() * 1000) for day in self.days]

    def session_at(self, at_ms: int) -> date:
        """The recorded session whose prices stand: the one that began last, at four in the morning."""
        return self.days[max(0, bisect_right(self.begins_ms, at_ms) - 1)]

    def later(self, session: date) -> Iterator[date]:
        """The recorded sessions after one."""
        return (day for day in self.days if day > session)

    def touches(self, contract: Contract, session: date) -> TouchTape:
        """States of the touch."""
        found = self.touch_tapes.get((contract.conid, session))
        if found is None:
            found = self._touches(contract, session)
            _keep(self.touch_tapes, (contract.conid, session), found)
        return found

    def prints(self, contract: Contract, session: date) -> PrintTape:
        """Prints of the session."""
        found = self.print_tapes.get((contract.conid, session))
        if found is None:
            found = self._prints(contract, session)
            _keep(self.print_tapes, (contract.conid, session), found)
        return found

    def values(self, underlying: Underlying, session: date) -> TouchTape:
        """Values of an index; empty for what is traded."""
        key = (underlying.symbol, session)
        if key not in self.value_tapes:
            self.value_tapes[key] = self._values(underlying, session)
        return self.value_tapes[key]

    def interest(self, contract: Contract, session: date) -> int | None:
        """Contracts open on the session's morning; None where nobody told."""
        key = (contract.conid, session)
        if key not in self.interests:
            rows = self.folder.rows(Kind.OPEN_INTEREST, contract.symbol, session, interest_row)
            self.interests[key] = rows[-1][1] if rows else None
        return self.interests[key]

    def greeks(self, contract: Contract, session: date) -> Greeks | None:
        """The end-of-day values of the session's universe file; None where it has none."""
        if contract.expiry is None or contract.strike is None or contract.underlying is None:
            return None
        chain = self.chain(contract.underlying.option_root, session)
        return chain.get((contract.expiry, contract.strike, contract.right))

    def universe_spot(self, underlying: Underlying, session: date) -> Decimal | None:
        """The underlying's close by the universe file."""
        self.chain(underlying.option_root, session)
        path = self.folder.universe_path(underlying.option_root, session)
        return None if path is None else self.spots.get(path)

    def span(self, contract: Contract, session: date) -> Span:
        """The contract's hours."""
        hours = self.hours.of(contract, session)
        return Span(int(hours.opens.timestamp() * 1000), int(hours.closes.timestamp() * 1000))

    def _touches(self, contract: Contract, session: date) -> TouchTape:
        place = (Kind.QUOTE, contract.symbol, session)
        source, midnight = self.folder.places.get(place), midnight_ms(session)
        if source is None:
            return TouchTape()
        span, where, remarks = self.span(contract, session), where_of(source.member), self.folder.remarks
        resolution = source.member.resolution
        if resolution is Resolution.TICK:
            ticks = self.folder.rows(*place, quote_tick)
            return touches_of_ticks(ticks, midnight, span, where, remarks)
        bars = self.folder.rows(*place, quote_row)
        return touches_of_bars(bars, midnight, resolution.milliseconds, span, where, remarks)

    def _prints(self, contract: Contract, session: date) -> PrintTape:
        place = (Kind.TRADE, contract.symbol, session)
        source, midnight = self.folder.places.get(place), midnight_ms(session)
        if source is None or is_index(contract.symbol):
            return PrintTape()
        span, where, remarks = self.span(contract, session), where_of(source.member), self.folder.remarks
        resolution = source.member.resolution
        if resolution is Resolution.TICK:
            ticks = self.folder.rows(*place, trade_tick)
            return prints_of_ticks(ticks, midnight, span, where, remarks)
        bars = self.folder.rows(*place, trade_row)
        return prints_of_bars(bars, midnight, resolution.milliseconds, span, where, remarks)

    def _values(self, underlying: Underlying, session: date) -> TouchTape:
        resolution = self.folder.resolution(Kind.TRADE, underlying.symbol, session)
        if not underlying.is_index or resolution is None:
            return TouchTape()
        bars = self.folder.rows(Kind.TRADE, underlying.symbol, session, index_row)
        span = self.span(share_of(underlying), session)
        return values_of_bars(bars, midnight_ms(session, underlying.symbol), resolution.milliseconds, span)

    def chain(self, root: str, session: date) -> Chain:
        """The end-of-day chain of a class by expiry, strike and right; empty where there is no file."""
        path = self.folder.universe_path(root, session)
        if path is None:
            return {}
        if path not in self.chains:
            self.chains[path] = self._read_chain(path)
        return self.chains[path]

    def _read_chain(self, path: Path) -> Chain:
        rows = self.folder.universe(path)
        spots = [row.close for row in rows if row.expiry is None]
        if spots:
            self.spots[path] = Decimal(str(spots[0]))
        chain: Chain = {}
        for row in rows:
            if row.expiry is None:
                continue
            key = (row.expiry, row.strike.normalize(), row.right)
            if key in chain:
                example = f"{row.expiry} {row.strike} {row.right}"
                self.folder.remarks.note(shown(path), "series listed twice", example)
            chain[key] = _greeks(row, spots[0]) if spots else None
        return chain


def _keep(tapes: dict[tuple[int, date], Tape], key: tuple[int, date], tape: Tape) -> None:
    """Keep a tape; the one that was made first goes where there are too many."""
    if len(tapes) >= TAPES_KEPT:
        del tapes[next(iter(tapes))]
    tapes[key] = tape


def _greeks(row: UniverseRow, spot: float) -> Greeks | None:
    """A line's values; None where no volatility was found for it."""
    if row.volatility <= 0:
        return None
    return Greeks(
        implied_volatility=row.volatility,
        delta=row.delta,
        gamma=row.gamma,
        vega=row.vega,
        theta=row.theta,
        price=row.close,
        underlying=spot,
    )
