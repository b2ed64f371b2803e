"""What batches of the market did is in the audit: one row each, many in one insert, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from market_samples import HEARD, OPEN, SESSION, entry, quote, trade

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_batches import ClickHouseBatchLog
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.errors import InvalidFieldError, WarehouseUnavailableError
from trading.model.market import MarketKind
from trading.ports.batch_log import BATCHES_PER_CALL_MAX, BatchLog, BatchNote
from trading.ports.market_outbox import MarketBatch
from trading.ports.outbox import UnreadableEntry
from trading.services.note_batches import BatchNotes

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "dbt_like_models" / "models" / "staging" / "stg_ingestion_batches.sql"
BAD = UnreadableEntry(stream="s", entry_id="9-0", epoch="e", sequence=9, text="?", reason="no JSON")
FIGURES = (
    "select venue, total_rows, new_rows, duplicates_filtered, rejected, first_fill_at, last_fill_at, "
    "duration_ms from audit.ingestion_batches where source = 'market' order by recorded_at"
)


@dataclass(slots=True)
class Deaf(BatchLog):
    """Stores what it is told, and loses its first answers."""

    log: BatchLog
    answers_lost: int
    bundles: list[int] = field(default_factory=list)

    def record(self, notes: Sequence[BatchNote]) -> None:
        """Store, then maybe say nothing."""
        self.bundles.append(len(notes))
        self.log.record(notes)
        if len(self.bundles) <= self.answers_lost:
            raise WarehouseUnavailableError("no answer")


def stored(store: ClickHouseMarketStore, notes: BatchNotes, number: int, *, is_repeat: bool = False) -> None:
    """A batch of two quotes and a print, and of an entry that is no block, which took 40 ms."""
    quotes = entry(MarketKind.QUOTE, quote(1), quote(2), number=2 * number)
    prints = entry(MarketKind.TRADE, trade(5), number=2 * number + 1)
    told = replace(prints, block=replace(prints.block, source="lean"))
    batch = MarketBatch(entries=(quotes, told), unreadable=(BAD,), is_repeat=is_repeat)
    reports = store.record(batch.entries, batch.unreadable, is_repeat=is_repeat)
    began = HEARD + timedelta(seconds=2 * number + is_repeat)
    notes.add(batch, reports, began, began + timedelta(milliseconds=40))


def test_each_batch_is_a_row_and_many_are_one_insert_whose_answer_may_be_lost(warehouse: Warehouse) -> None:
    """Rows, repeats, refusals, market times, duration, sources; a bundle that is told again is known."""
    store, deaf = ClickHouseMarketStore(warehouse), Deaf(ClickHouseBatchLog(warehouse), answers_lost=2)
    notes = BatchNotes(deaf)
    stored(store, notes, 1)
    stored(store, notes, 1, is_repeat=True)
    notes.tell()
    stored(store, notes, 2)
    notes.tell()
    notes.tell()
    notes.tell()
    assert deaf.bundles == [2, 2, 2, 1], "what waits behind a lost answer does not change what is told again"
    first, last = OPEN + timedelta(seconds=1), OPEN + timedelta(seconds=5)
    assert [tuple(row.values()) for row in warehouse.rows(FIGURES)] == [
        ("ibkr,lean", 4, 3, 0, 1, first, last, 40),
        ("ibkr,lean", 4, 0, 3, 1, first, last, 40),
        ("ibkr,lean", 4, 3, 0, 1, first, last, 40),
    ]
    of_one = warehouse.rows("select batch_id from audit.ingestion_batches where source = 'market'")
    assert len({row["batch_id"] for row in of_one}) == 2, "the repeat is an attempt at the same batch"
    for name in ("batches_that_do_not_add_up", "repeated_batches_that_added"):
        text = (ROOT / "sql" / "invariants" / f"{name}.sql").read_text(encoding="utf-8")
        assert warehouse.rows(text) == []


def test_each_load_is_a_row(warehouse: Warehouse) -> None:
    """Loaded again, nothing of it is new; how long it took is told."""
    store = ClickHouseMarketStore(warehouse)
    for _ in range(2):
        store.load(MarketKind.QUOTE, SESSION, "lean", [quote(1), quote(2)])
    rows = warehouse.rows(FIGURES)
    assert [tuple(row.values())[:5] for row in rows] == [("lean", 2, 2, 0, 0), ("lean", 2, 0, 2, 0)]
    assert all(row["duration_ms"] > 0 for row in rows)
    assert warehouse.value("select any(origin) from audit.ingestion_batches") == f"load lean quote {SESSION}"


def test_those_of_fills_are_told_apart(warehouse: Warehouse) -> None:
    """The model of fills' batches, and with it what is said of repeated fills, has none of the market's."""
    ClickHouseMarketStore(warehouse).load(MarketKind.QUOTE, SESSION, "lean", [quote(1)])
    text = MODEL.read_text(encoding="utf-8").replace(
        "{{ source('audit', 'ingestion_batches') }}", "audit.ingestion_batches"
    )
    assert warehouse.rows(text) == []


def test_more_notes_than_one_call_takes_are_refused_by_name(warehouse: Warehouse) -> None:
    """A bundle has a bound."""
    note = BatchNote(
        batch_id="b", origin="o", sources=(), rows=1, new=1, repeated=0, refused=0,
        oldest_at=None, newest_at=None, began_at=HEARD, ended_at=HEARD, duration_ms=0,
    )  # fmt: skip
    with pytest.raises(InvalidFieldError, match="notes"):
        ClickHouseBatchLog(warehouse).record([note] * (BATCHES_PER_CALL_MAX + 1))
