"""Market data in ClickHouse, exactly once: entries of the outbox, and loads of whole sessions.

What goes wrong without this shape: an insert whose answer is lost is sent again and stands twice; a kill
between the tables leaves one of them behind; a roll-up that adds up what is inserted counts a repeat twice.
So an entry that may come again is looked for first, by its own hours and symbols, and only what is missing is
inserted; what two writers store at once is one row by its key, and the views read it once; the minutes of all
rows of a batch are computed again after the rows are there, or it is noted that they must be
(market_minutes). Only then does the drain acknowledge.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_batches import ClickHouseBatchLog
from adapters.clickhouse.market_columns import TABLES, KindTable
from adapters.clickhouse.market_loads import MarketLoads
from adapters.clickhouse.market_minutes import MarketMinutes
from adapters.clickhouse.market_refusals import (
    Letter,
    letter_of_misfit,
    letter_of_refused,
    letter_of_unreadable,
    store_letters,
)
from adapters.clickhouse.market_rows import (
    AS_TOLD,
    fitting,
    laid_out,
    origin_of,
    token_of,
    told_rows,
)
from trading.model.market import MarketEntry, MarketKind, MarketRow, RefusedRow
from trading.ports.batch_log import BatchNote
from trading.ports.market_store import LoadReport, MarketStore
from trading.ports.outbox import UnreadableEntry

NAMES_PER_QUERY = 2_000  # entries that are looked for by one query


class ClickHouseMarketStore(MarketStore):
    """The port on a real or embedded server; `now` is asked for when a load is heard.

    `minutes_wait`: a minute that runs is computed when it is over or settled, and not with each batch.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        minutes_wait: bool = False,
    ) -> None:
        self._warehouse = warehouse
        self._minutes = MarketMinutes(warehouse, waits=minutes_wait)
        self._loads = MarketLoads(warehouse)
        self._batches = ClickHouseBatchLog(warehouse)
        self._now = now

    def record(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        """Store entries of the outbox; entries that may be there already are looked for first."""
        letters = [letter_of_unreadable(entry) for entry in unreadable]
        by_kind: dict[MarketKind, list[MarketEntry]] = defaultdict(list)
        for entry in entries:
            by_kind[entry.block.kind].append(entry)
        reports = []
        for kind, told in by_kind.items():
            if kind is MarketKind.REFUSED:
                refused = [letter for entry in told for letter in _letters(entry)]
                reports.append(_report(kind, 0, 0, len(refused), None))
            else:
                report, refused = self._record_kind(kind, told, is_repeat=is_repeat)
                reports.append(report)
            letters += refused
        store_letters(self._warehouse, letters)
        return reports

    def load(self, kind: MarketKind, session: date, source: str, rows: Iterable[MarketRow]) -> LoadReport:
        """Store one session's rows of a source in place of what it said before, and note what that did."""
        began_at, began_s = self._now(), time.monotonic()
        report = self._loads.load(kind, session, source, rows, began_at)
        note = BatchNote(
            batch_id=uuid4().hex,
            origin=f"load {source} {kind} {session.isoformat()}",
            sources=(source,),
            rows=report.total,
            new=report.new,
            repeated=report.repeated,
            refused=report.refused,
            oldest_at=report.oldest_at,
            newest_at=report.newest_at,
            began_at=began_at,
            ended_at=self._now(),
            duration_ms=int((time.monotonic() - began_s) * 1000),
        )
        self._batches.record([note])
        return report

    def settle(self, *, at_once: bool = False) -> None:
        """Compute the minutes that wait, and those that a killed process left."""
        self._minutes.settle(at_once=at_once)

    def _record_kind(
        self, kind: MarketKind, entries: Sequence[MarketEntry], *, is_repeat: bool
    ) -> tuple[LoadReport, list[Letter]]:
        told = told_rows(kind, [(origin_of(entry), entry.block.rows) for entry in entries])
        tables, misfits = fitting(told)
        letters = [letter_of_misfit(misfit, f"{misfit.origin.name} {misfit.place}") for misfit in misfits]
        if not tables:
            return _report(kind, 0, 0, len(misfits), None), letters
        every = pa.concat_tables(tables)
        missing = self._missing(TABLES[kind], every) if is_repeat else every
        # A token that a kill left without its rows must not swallow them: what was looked for has a new one.
        token = f"market-{token_of(missing)}" + (f"-{uuid4().hex}" if is_repeat else "")
        self._warehouse.insert_arrow(f"core.{TABLES[kind].rows}", laid_out(kind, missing), token, AS_TOLD)
        self._minutes.rows_stored(kind, every, is_repeat=is_repeat)
        repeated = every.num_rows - missing.num_rows
        moments = every.column(TABLES[kind].at)
        return _report(kind, missing.num_rows, repeated, len(misfits), moments), letters

    def _missing(self, kind: KindTable, table: pa.Table) -> pa.Table:
        """The rows that are not stored yet."""
        known: set[tuple[Any, ...]] = set()
        entries = table.column("entry_ms").unique().to_pylist()
        asked = {
            "rows": kind.rows,
            "leading": kind.leading,
            "at": kind.at,
            "sessions": table.column("session").unique().to_pylist(),
            "names": table.column(kind.leading).unique().to_pylist(),
            "first": pc.min(table.column(kind.at)).as_py(),
            "last": pc.max(table.column(kind.at)).as_py(),
        }
        for part in _in_parts(entries):
            _, columns = self._warehouse.columns(sql.query("market_entries_known"), asked | {"entries": part})
            known.update(zip(*columns, strict=True))
        if not known:
            return table
        named = zip(
            *(table.column(name).to_pylist() for name in ("stream", "entry_ms", "entry_seq", "place")),
            strict=True,
        )
        return table.filter(pa.array([name not in known for name in named], pa.bool_()))


def _letters(entry: MarketEntry) -> Iterator[Letter]:
    for place, row in enumerate(entry.block.rows):
        if isinstance(row, RefusedRow):
            origin = f"{entry.stream} {entry.entry_id} {place}"
            yield letter_of_refused(row, entry.block.source, origin, entry.block.heard_at)


def _in_parts(names: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(names), NAMES_PER_QUERY):
        yield names[start : start + NAMES_PER_QUERY]


def _report(
    kind: MarketKind, new: int, repeated: int, refused: int, moments: pa.ChunkedArray | None
) -> LoadReport:
    return LoadReport(
        kind=kind,
        total=new + repeated + refused,
        new=new,
        repeated=repeated,
        refused=refused,
        oldest_at=None if moments is None else pc.min(moments).as_py(),
        newest_at=None if moments is None else pc.max(moments).as_py(),
    )
