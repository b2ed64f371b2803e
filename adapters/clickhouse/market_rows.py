"""Market rows with where they come from, made ready for one insert.

A row's identity is (stream, entry id, place in the entry) for what was heard live, (load, part, place in the
part) for what was loaded. Rows that no column holds are parted off here, so that one of them never holds the
others up. The session is the exchange's for the row's time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha1
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adapters.clickhouse.market_columns import (
    REPEATED_TEXTS,
    TABLES,
    UNFIT_ERRORS,
    content_table,
    flat_rows,
)
from trading.calendar import CALENDAR_START, POST_MARKET, TradingCalendar
from trading.model.market import MarketEntry, MarketKind

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
EDGE = timedelta(days=10)  # no holiday is longer
VERSION_SHIFT = 20  # a version is the entry's milliseconds and, below them, its number
HEARD = pa.timestamp("ms", tz="UTC")
# A batch is written as it is, without merging it with itself first, which takes half of an insert's CPU: what
# may lie there twice is read once by the views, and merged later anyway.
AS_TOLD = {"optimize_on_insert": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run of rows comes from: an entry of the outbox, or a part of a load."""

    source: str
    heard_at: datetime
    load_id: int = 0
    stream: str = ""
    entry_ms: int = 0
    entry_seq: int = 0
    symbol: str = ""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.stream} {self.entry_ms}-{self.entry_seq}" if self.stream else f"load {self.load_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRows:
    """Flat rows of one kind; `owners` are places in `origins`, `places` those within their origin."""

    kind: MarketKind
    rows: Sequence[Any]
    origins: Sequence[Origin]
    owners: "np.ndarray[Any, np.dtype[np.int64]]"
    places: "np.ndarray[Any, np.dtype[np.int64]]"

    def part(self, start: int, end: int) -> "ToldRows":
        """The rows from `start` to before `end`."""
        return ToldRows(
            kind=self.kind,
            rows=self.rows[start:end],
            origins=self.origins,
            owners=self.owners[start:end],
            places=self.places[start:end],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A row that no column holds."""

    row: Any
    origin: Origin
    place: int
    reason: str


def told_rows(kind: MarketKind, blocks: Sequence[tuple[Origin, Sequence[Any]]]) -> ToldRows:
    """Lay the rows of several origins behind one another."""
    flat = [flat_rows(kind, rows) for _, rows in blocks]
    counts = np.fromiter(map(len, flat), np.int64, len(flat))
    ends = np.cumsum(counts)
    return ToldRows(
        kind=kind,
        rows=list(chain.from_iterable(flat)),
        origins=[origin for origin, _ in blocks],
        owners=np.repeat(np.arange(len(blocks), dtype=np.int64), counts),
        places=np.arange(counts.sum(), dtype=np.int64) - np.repeat(ends - counts, counts),
    )


def origin_of(entry: MarketEntry) -> Origin:
    """Where the rows of an entry come from."""
    milliseconds, _, number = entry.entry_id.partition("-")
    return Origin(
        source=entry.block.source,
        heard_at=entry.block.heard_at,
        stream=entry.stream,
        entry_ms=int(milliseconds),
        entry_seq=int(number or 0),
        symbol=entry.block.symbol,
    )


def fitting(told: ToldRows) -> tuple[list[pa.Table], list[Misfit]]:
    """The rows as columns of their table, and apart from them those that no column holds."""
    try:
        return ([_table(told)] if len(told.rows) else []), []
    except UNFIT_ERRORS as error:
        if len(told.rows) == 1:
            return [], [_misfit(told, error)]
    middle = len(told.rows) // 2
    first, first_misfits = fitting(told.part(0, middle))
    second, second_misfits = fitting(told.part(middle, len(told.rows)))
    return first + second, first_misfits + second_misfits


def token_of(table: pa.Table) -> str:
    """Name of exactly these rows: the same rows have the same one, a part of them another."""
    named = sha1(usedforsecurity=False)
    for stream in table.column("stream").unique().to_pylist():
        named.update(stream.encode())
    for name in ("load_id", "entry_ms", "entry_seq", "place"):
        named.update(table.column(name).to_numpy().tobytes())
    return named.hexdigest()


def laid_out(kind: MarketKind, table: pa.Table) -> pa.Table:
    """The same rows, such that the engine takes them with half the CPU (200,000 quotes: 170 ms to 80).

    Texts that repeat go as numbers of a dictionary. Where the key begins with the hour and the instrument,
    the rows go in that order, and keep that of their telling in it, which is nearly always that of the key:
    the engine looks whether they are sorted, and sorts what is not.
    """
    table = table.combine_chunks()
    for place, name in enumerate(table.column_names):
        if name in REPEATED_TEXTS:
            table = table.set_column(place, name, table.column(name).dictionary_encode())
    return table.take(_order(table)) if TABLES[kind].is_hourly and table.num_rows else table


def minutes_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The (session, symbol, source, load_id, minute) that the rows lie in, each once."""
    minute = table.column("at").cast(pa.int64()).to_numpy() // 60_000_000 * 60
    named = table.select(["session", "symbol", "source", "load_id"]).append_column("minute", pa.array(minute))
    for row in named.group_by(named.column_names).aggregate([]).to_pylist():
        yield row["session"], row["symbol"], row["source"], row["load_id"], row["minute"]


def _table(told: ToldRows) -> pa.Table:
    kind = TABLES[told.kind]
    table = content_table(told.kind, told.rows)
    owners = pa.array(told.owners, pa.int32())

    def repeated(values: Sequence[object], type_: pa.DataType) -> pa.Array:
        return pa.array(values, type_).take(owners)

    origins = told.origins
    table = table.append_column("source", repeated([one.source for one in origins], pa.string()))
    table = table.append_column("session", _sessions(table.column(kind.at)))
    table = table.append_column("heard_at", repeated([_in_ms(one.heard_at) for one in origins], HEARD))
    table = table.append_column("load_id", repeated([one.load_id for one in origins], pa.uint64()))
    table = table.append_column("stream", repeated([one.stream for one in origins], pa.string()))
    table = table.append_column("entry_ms", repeated([one.entry_ms for one in origins], pa.uint64()))
    table = table.append_column("entry_seq", repeated([one.entry_seq for one in origins], pa.uint32()))
    table = table.append_column("place", pa.array(told.places, pa.uint32()))
    if kind.has_versions:
        version = [(one.entry_ms << VERSION_SHIFT) + one.entry_seq for one in origins]
        table = table.append_column("version", repeated(version, pa.uint64()))
    return table


def _order(table: pa.Table) -> pa.Array:
    """Places of the rows by symbol, hour and instrument; equal ones keep their order."""
    at = table.column("at").cast(pa.int64()).to_numpy()
    hours = at // HOUR_US
    symbols, _ = _ranks(table.column("symbol"))
    instruments, named = _ranks(table.column("instrument_id"))
    width = int(hours.max() - hours.min()) + 1
    return pa.array(np.argsort((symbols * width + hours - hours.min()) * named + instruments, kind="stable"))


def _ranks(texts: pa.ChunkedArray) -> tuple[Any, int]:
    """The place of each text among all in their order, and how many there are."""
    (chunk,) = texts.chunks
    ranks = np.empty(len(chunk.dictionary), np.int64)
    ranks[pc.sort_indices(chunk.dictionary).to_numpy()] = np.arange(len(ranks))
    return ranks[chunk.indices.to_numpy()], len(ranks)


def _sessions(moments: pa.ChunkedArray) -> pa.Array:
    """The session of each moment: sessions end with their post-market, and the next begins there."""
    at = moments.cast(pa.int64()).to_numpy()
    days, ends = _ends(int(at.min()) // DAY_US, int(at.max()) // DAY_US)
    places = np.searchsorted(ends, at, side="right")
    if not len(days) or int(places.max()) >= len(days):
        raise ValueError(f"at: expected a time before the calendar's end, was {moments[int(at.argmax())]}")
    return pa.array(days[places], pa.date32())


@lru_cache(maxsize=64)
def _ends(first_day: int, last_day: int) -> tuple[Any, Any]:
    """Sessions around these days (since 1970), and the microsecond in which each ends."""
    calendar = TradingCalendar()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    first = max(CALENDAR_START, (epoch + timedelta(days=first_day) - EDGE).date())
    last = min(calendar.end, (epoch + timedelta(days=last_day) + EDGE).date())
    sessions = calendar.sessions_between(first, last)
    ends = [calendar.session_close(session) + POST_MARKET for session in sessions]
    microseconds = [(end - epoch) // timedelta(microseconds=1) for end in ends]
    return np.array(sessions, dtype="datetime64[D]"), np.array(microseconds, dtype=np.int64)


def _in_ms(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _misfit(told: ToldRows, error: Exception) -> Misfit:
    return Misfit(
        row=told.rows[0],
        origin=told.origins[int(told.owners[0])],
        place=int(told.places[0]),
        reason=f"{told.kind}: {error}",
    )
