"""Updates that wait for Redis: joined, in order, bounded, and never lost without a word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kept_updates import rows_of

from adapters.ibkr.market.spool import ROWS_MAX, MarketSpool, joined
from trading.model.market import Bar, MarketBlock, MarketKind, Quote, RefusedRow, Trade
from trading.ports.market_state import BARS_KEPT, ROWS_PER_BLOCK_MAX, TRADES_KEPT, SymbolUpdate

AT = datetime(2026, 11, 13, 15, tzinfo=UTC)


def update(second: int, rows: int = 1, symbol: str = "SPY") -> SymbolUpdate:
    """One flush: quotes of a second, the last of them the ticker."""
    quotes = tuple(
        Quote(
            symbol=symbol,
            instrument_id="STK:1",
            at=AT + timedelta(seconds=second),
            bid=Decimal(second),
            ask=Decimal(second + 1),
            bid_size=Decimal(place),
        )
        for place in range(rows)
    )
    trade = Trade(
        symbol=symbol, instrument_id="STK:1", at=AT, price=Decimal(second + 1), size=Decimal(1)
    )  # fmt: skip
    block = MarketBlock(kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=AT, rows=quotes)
    return SymbolUpdate(symbol=symbol, ticker=quotes[-1], trades=(trade,), blocks=(block,))


def test_what_waits_is_joined_by_symbol_in_its_order() -> None:
    """The newest state, every row of every block."""
    spool = MarketSpool()
    spool.put([update(1), update(1, symbol="QQQ")])
    spool.put([update(2)])
    taken = spool.take(10, ROWS_MAX)
    assert [each.symbol for each in taken] == ["SPY", "QQQ"]
    assert taken[0].ticker is not None and taken[0].ticker.bid == 2
    assert [row.bid for row in rows_of(taken[:1], MarketKind.QUOTE)] == [1, 2]
    assert [trade.price for trade in taken[0].trades] == [2, 3]
    assert len(spool) == spool.rows == 0


def test_what_was_refused_goes_before_what_came_since() -> None:
    """A full outbox writes nothing of an update, so it may be joined with the next."""
    spool = MarketSpool()
    spool.put([update(1)])
    refused = spool.take(10, ROWS_MAX)
    spool.put([update(2)])
    spool.put_back(refused)
    (told,) = spool.take(10, ROWS_MAX)
    assert [row.bid for row in rows_of([told], MarketKind.QUOTE)] == [1, 2]


def test_what_is_taken_at_once_is_bounded_and_the_newest_state_goes_last() -> None:
    """However much waited, in its order; a state is not there before the rows that led to it."""
    spool = MarketSpool()
    for second in range(4):
        spool.put([update(second, rows=ROWS_PER_BLOCK_MAX)])
    spool.put([update(9, rows=10, symbol="QQQ"), update(9, rows=10, symbol="IWM")])
    taken = [spool.take(10, 2 * ROWS_PER_BLOCK_MAX + 15) for _ in range(3)]
    assert [[(each.symbol, len(rows_of([each], MarketKind.QUOTE))) for each in part] for part in taken] == [
        [("SPY", 2 * ROWS_PER_BLOCK_MAX)],
        [("SPY", 2 * ROWS_PER_BLOCK_MAX), ("QQQ", 10)],
        [("IWM", 10)],
    ]
    assert taken[0][0].ticker is None and not taken[0][0].trades
    assert taken[1][0].ticker is not None and taken[1][0].ticker.bid == 3
    assert [row.bid for row in rows_of([*taken[0], taken[1][0]], MarketKind.QUOTE)] == [
        bid for bid in range(4) for _ in range(ROWS_PER_BLOCK_MAX)
    ]
    assert len(spool) == spool.rows == 0


def test_a_block_goes_however_large_it_is() -> None:
    """Nothing waits for ever, and an update of a state alone takes no room."""
    spool = MarketSpool()
    spool.put([update(1, rows=50), replace(update(2, symbol="QQQ"), blocks=())])
    assert [[each.symbol for each in spool.take(10, 20)] for _ in range(2)] == [["SPY", "QQQ"], []]


def test_beyond_its_bound_the_oldest_rows_go_and_a_record_says_so() -> None:
    """How many, of what, from when to when; the newest state is there, and every row is told or recorded."""
    spool = MarketSpool(rows_max=3_000)
    for second in range(100):
        spool.put([update(second, rows=100)])
    assert spool.rows <= 3_000
    lost = sum(each.rows for each in spool.dropped)
    (told,) = spool.take(10, ROWS_MAX)
    kept = rows_of([told], MarketKind.QUOTE)
    records = [row for row in rows_of([told], MarketKind.REFUSED) if isinstance(row, RefusedRow)]
    assert told.ticker is not None and told.ticker.bid == 99
    assert lost > 0 and len(kept) + lost == 10_000
    assert sum(record.rows for record in records) == lost
    assert records[0].reason.startswith("dropped") and records[0].at == AT


def test_the_record_of_a_loss_holds_what_was_told_late_and_what_a_time_was_cut_of() -> None:
    """The first and the last row of a block need not be its oldest and its newest."""
    spool = MarketSpool(rows_max=1)
    (block,) = update(0, rows=3).blocks
    moments = [AT + timedelta(seconds=5), AT, AT + timedelta(seconds=2)]
    rows = tuple(replace(row, at=at) for row, at in zip(block.rows, moments, strict=True))  # type: ignore[call-arg]
    spool.put([replace(update(0), blocks=(replace(block, rows=rows),))])
    (record,) = rows_of(spool.take(10, ROWS_MAX), MarketKind.REFUSED)
    until = AT + timedelta(seconds=6)
    assert record.payload == f"3 rows from {AT.isoformat()} to {until.isoformat()}"
    assert record.at == AT


def test_a_record_of_a_loss_is_not_dropped_itself() -> None:
    """With nothing else to drop the spool is longer than its bound, by its records."""
    spool = MarketSpool(rows_max=1)
    for second in range(50):
        spool.put([update(second)])
    (told,) = spool.take(10, ROWS_MAX)
    records = rows_of([told], MarketKind.REFUSED)
    assert sum(row.rows for row in records if isinstance(row, RefusedRow)) == 50


def test_prints_for_the_live_state_are_bounded() -> None:
    """The newest thousand."""
    together = update(0)
    for second in range(1, TRADES_KEPT + 10):
        together = joined(together, update(second))
    assert len(together.trades) == TRADES_KEPT
    assert together.trades[-1].price == TRADES_KEPT + 10


def test_minutes_for_the_live_state_are_bounded() -> None:
    """The newest thousand."""
    minute = Bar(
        symbol="SPY", instrument_id="STK:1", at=AT, seconds=60, open=Decimal(1), high=Decimal(1),
        low=Decimal(1), close=Decimal(1),
    )  # fmt: skip
    together = update(0)
    for number in range(BARS_KEPT + 10):
        told = replace(minute, at=AT + timedelta(minutes=number))
        together = joined(together, replace(update(number), bars=(told,)))
    assert len(together.bars) == BARS_KEPT
    assert together.bars[-1].at == AT + timedelta(minutes=BARS_KEPT + 9)


def test_blocks_that_are_joined_have_a_bound_of_their_own() -> None:
    """One that is full begins another: no entry of the outbox is larger than its reader takes."""
    together = update(0, rows=ROWS_PER_BLOCK_MAX - 1)
    for second in (1, 2):
        together = joined(together, update(second))
    assert [len(block.rows) for block in together.blocks] == [ROWS_PER_BLOCK_MAX, 1]
