"""A minute that runs waits and is computed when it is over; whoever is killed leaves it to the next one."""

from datetime import date, timedelta
from typing import Any

import pytest
from market_samples import HEARD, OPEN, SESSION, entry, quote, trade

from adapters.clickhouse import market_minutes
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_minutes import SPANS_MAX, MarketMinutes, Minute, spans
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.errors import WarehouseUnavailableError
from trading.model.market import MarketEntry, MarketKind

WAITING = "select count() from core.market_minutes_waiting final where not is_computed"


def drain_store(warehouse: Warehouse) -> ClickHouseMarketStore:
    """The store as one life of the drain has it."""
    return ClickHouseMarketStore(warehouse, now=lambda: HEARD, minutes_wait=True)


def told(number: int, *seconds: float, source: str = "ibkr") -> MarketEntry:
    """A block with a quote at each of these."""
    return entry(MarketKind.QUOTE, *map(quote, seconds), number=number, source=source)


def minutes(warehouse: Warehouse) -> dict[int, int]:
    """Quotes by the number of their minute."""
    rows = warehouse.rows("select minute, quotes from core.quote_minutes order by minute")
    return {int((row["minute"] - OPEN).total_seconds()) // 60: row["quotes"] for row in rows}


def computed(warehouse: Warehouse) -> int:
    """How often any minute was computed; nothing is merged meanwhile."""
    return int(warehouse.value("select count() from core.quote_minute_rows"))


def test_a_minute_is_computed_when_it_is_over_and_not_with_each_batch(warehouse: Warehouse) -> None:
    """Of twenty batches none computes it; the first of the next minute does; what waits is noted once."""
    warehouse.command("system stop merges core.quote_minute_rows")
    store = drain_store(warehouse)
    for number in range(20):
        store.record([told(number, number, number + 0.5)], (), is_repeat=False)
    assert minutes(warehouse) == {}
    assert warehouse.value("select count() from core.market_minutes_waiting") == 1
    store.record([told(20, 61), told(21, 62)], (), is_repeat=False)
    assert minutes(warehouse) == {0: 40}
    store.settle(at_once=True)
    assert minutes(warehouse) == {0: 40, 1: 2}
    assert (computed(warehouse), warehouse.value(WAITING)) == (2, 0)
    store.settle(at_once=True)
    assert computed(warehouse) == 2
    warehouse.command("system start merges core.quote_minute_rows")


def test_a_minute_that_runs_is_shown_every_few_seconds(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is computed when it is time, and waits again with the next row."""
    clock = [0.0]
    store = drain_store(warehouse)
    store._minutes = MarketMinutes(warehouse, waits=True, monotonic=lambda: clock[0])
    for number, shown in ((1, {}), (2, {0: 2}), (3, {0: 2}), (4, {0: 4})):
        store.record([told(number, number)], (), is_repeat=False)
        clock[0] += market_minutes.SETTLE_S * 0.6
        store.settle()
        assert minutes(warehouse) == shown


def test_a_late_row_is_computed_at_once_and_sources_run_by_their_own_clocks(warehouse: Warehouse) -> None:
    """A minute is over for a source whose next one has begun, whatever another source plays."""
    store = drain_store(warehouse)
    store.record([told(1, 1), told(2, 61)], (), is_repeat=False)
    assert minutes(warehouse) == {0: 1}
    store.record([told(3, 2)], (), is_repeat=False)
    assert minutes(warehouse) == {0: 2}
    store.record([told(4, 3600, source="replay")], (), is_repeat=False)
    assert minutes(warehouse) == {0: 2}
    store.settle(at_once=True)
    assert minutes(warehouse) == {0: 2, 1: 1, 60: 1}


def test_what_a_killed_drain_left_is_computed_by_the_next(warehouse: Warehouse) -> None:
    """Its rows were acknowledged and come never again; quotes and trades alike."""
    store = drain_store(warehouse)
    store.record([told(1, 1, 2), entry(MarketKind.TRADE, trade(3), number=2)], (), is_repeat=False)
    after_it = drain_store(warehouse)
    after_it.settle()
    assert minutes(warehouse) == {0: 2}
    assert warehouse.value("select trades from core.trade_minutes") == 1
    assert warehouse.value(WAITING) == 2, "it may live, and store more: its note stands"


def test_the_notes_of_the_dead_are_answered_after_an_hour(warehouse: Warehouse) -> None:
    """So that they are not computed for ever."""
    store = drain_store(warehouse)
    store.record([told(1, 1)], (), is_repeat=False)
    warehouse.command(
        "insert into core.market_minutes_waiting "
        "select * replace ('dead' as writer, now() - interval 2 hour as told_at) "
        "from core.market_minutes_waiting"
    )
    store.settle()
    assert warehouse.rows("select writer from core.market_minutes_waiting final where is_computed") == [
        {"writer": "dead"}
    ]
    assert warehouse.value(WAITING) == 1


def test_a_writer_that_slept_notes_again(warehouse: Warehouse) -> None:
    """Its note may have been answered by another meanwhile: its new row is not in the minute."""
    clock = [0.0]
    store = drain_store(warehouse)
    store._minutes = MarketMinutes(warehouse, waits=True, monotonic=lambda: clock[0])
    store.record([told(1, 1)], (), is_repeat=False)
    warehouse.command(
        "insert into core.market_minutes_waiting "
        "select * replace (number + 1 as number, true as is_computed) from core.market_minutes_waiting"
    )
    clock[0] += market_minutes.NOTE_LIFE_S
    store.record([told(2, 2)], (), is_repeat=False)
    assert warehouse.value(WAITING) == 1
    drain_store(warehouse).settle()
    assert minutes(warehouse) == {0: 2}


def test_rows_whose_minute_could_not_be_noted_come_again_and_are_computed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note is before the acknowledgement; a repeat waits for nothing."""

    def away(*_: Any) -> None:
        raise WarehouseUnavailableError("gone")

    store = drain_store(warehouse)
    with monkeypatch.context() as killed, pytest.raises(WarehouseUnavailableError):
        killed.setattr(MarketMinutes, "_write", away)
        store.record([told(1, 1)], (), is_repeat=False)
    assert warehouse.value("select count() from core.quotes") == 1
    drain_store(warehouse).record([told(1, 1)], (), is_repeat=True)
    assert minutes(warehouse) == {0: 1}


def minute(day: date, start: int) -> Minute:
    """Of one teller."""
    return Minute(day, "SPY", "ibkr", 0, start)


def test_minutes_are_named_in_spans_without_long_gaps_and_of_bounded_number() -> None:
    """A late row of yesterday does not have the night between read; no minute is lost or named twice."""
    today = [minute(SESSION, 86_400 + 60 * number) for number in range(5)]
    late = minute(SESSION - timedelta(days=1), 0)
    assert list(spans([*today, late])) == [[late], today]
    assert list(spans([])) == []
    scattered = [minute(SESSION, 7_200 * number) for number in range(100)]
    found = list(spans(scattered))
    assert len(found) == SPANS_MAX
    assert [one for span in found for one in span] == scattered
