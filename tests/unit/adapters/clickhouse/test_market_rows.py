"""Market rows made ready for one insert: session, identity, minutes, and those that fit nowhere."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
from market_samples import SAMPLES, SESSION, chain, entry, quote, sample_entries, trade

from adapters.clickhouse.market_columns import TABLES
from adapters.clickhouse.market_refusals import payload_of
from adapters.clickhouse.market_rows import fitting, laid_out, minutes_of, origin_of, token_of, told_rows
from trading.calendar import POST_MARKET, TradingCalendar
from trading.model.market import MarketEntry, MarketKind

CALENDAR = TradingCalendar()


def table_of(*entries: MarketEntry) -> pa.Table:
    """The columns of entries of one kind."""
    kind = entries[0].block.kind
    tables, misfits = fitting(told_rows(kind, [(origin_of(one), one.block.rows) for one in entries]))
    assert not misfits
    return pa.concat_tables(tables)


def test_a_rows_session_is_the_calendars() -> None:
    """At random, and at the edges of post-markets, weekends, an early close and the turns of summer time."""
    rng = random.Random(4)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(seconds=rng.randrange(365 * 86_400)) for _ in range(300)]
    for day in (
        date(2026, 11, 13),
        date(2026, 11, 27),
        date(2026, 3, 6),
        date(2026, 10, 30),
        date(2026, 12, 24),
    ):
        end = CALENDAR.session_close(day) + POST_MARKET
        moments += [end - timedelta(microseconds=1), end, end + timedelta(microseconds=1)]
    table = table_of(entry(MarketKind.QUOTE, *(quote(at=at) for at in moments)))
    assert table.column("session").to_pylist() == [CALENDAR.trading_session(at) for at in moments]


def test_every_kind_has_the_columns_of_its_table_and_an_identity() -> None:
    """Nothing that is required is missing, and a row knows its entry and its place in it."""
    for one in sample_entries():
        table = table_of(one)
        assert set(TABLES[one.block.kind].cells) < set(table.column_names)
        assert table.column("place").to_pylist() == list(range(table.num_rows))
        assert set(table.column("stream").to_pylist()) == {one.stream}
        assert f"{table.column('entry_ms')[0]}-{table.column('entry_seq')[0]}" == one.entry_id
    assert set(SAMPLES) == set(TABLES)


def test_the_same_rows_have_one_name_and_a_part_of_them_another() -> None:
    """The name is what an insert is told apart by: a part under the name of the whole would be dropped."""
    entries = [entry(MarketKind.TRADE, trade(n), trade(n, ordinal=1), number=n) for n in range(1, 4)]
    whole = table_of(*entries)
    assert token_of(whole) == token_of(table_of(*entries))
    names = {
        token_of(whole),
        token_of(whole.slice(0, 5)),
        token_of(whole.slice(1)),
        token_of(table_of(entries[0])),
    }
    assert len(names) == 4


def test_rows_go_in_the_order_of_their_key_and_each_goes() -> None:
    """By symbol, hour, instrument, then as they were told; texts that repeat as numbers of a dictionary."""
    rows = [
        quote(n * 700, symbol=f"S{n % 2}", instrument_id=f"OPT:{n * 7 % 5}", bid=str(n + 1))
        for n in range(40)
    ]
    table = table_of(entry(MarketKind.QUOTE, *rows))
    told = laid_out(MarketKind.QUOTE, table)
    assert pa.types.is_dictionary(told.schema.field("instrument_id").type)
    keys = [
        (row["symbol"], row["at"].replace(minute=0, second=0), row["instrument_id"], row["place"])
        for row in told.to_pylist()
    ]
    assert keys == sorted(keys)
    assert sorted(told.to_pylist(), key=lambda row: row["place"]) == table.to_pylist()
    assert laid_out(MarketKind.QUOTE, table.slice(0, 0)).num_rows == 0


def test_minutes_are_named_once() -> None:
    """A minute of a symbol and source, whatever the number of its rows and instruments."""
    rows = [quote(n, instrument_id=f"OPT:{n % 3}") for n in range(0, 120, 5)]
    told = sorted(minutes_of(table_of(entry(MarketKind.QUOTE, *rows))))
    assert [(row[:4]) for row in told] == [(SESSION, "SPY", "ibkr", 0)] * 2
    assert told[1][4] - told[0][4] == 60


def test_rows_that_fit_nowhere_are_named_with_their_column() -> None:
    """Wherever they stand, and however many: all others are kept in their order."""
    rows = [quote(n) for n in range(33)]
    for place, value in ((0, Decimal("1e-12")), (7, Decimal("NaN")), (32, Decimal(10) ** 12)):
        rows[place] = quote(place, ask_size=value)
    one = entry(MarketKind.QUOTE, *rows)
    tables, misfits = fitting(told_rows(MarketKind.QUOTE, [(origin_of(one), one.block.rows)]))
    assert [misfit.place for misfit in misfits] == [0, 7, 32]
    assert all(misfit.reason.startswith("quote: ask_size: ") for misfit in misfits)
    kept = pa.concat_tables(tables).column("place").to_pylist()
    assert kept == [place for place in range(33) if place not in (0, 7, 32)]


def test_a_payload_is_json_whatever_stands_in_it() -> None:
    """Decimals and times are texts; half a surrogate pair is told in Python's words."""
    assert '"bid":"599.99"' in payload_of(quote())
    assert "\\ud800" in payload_of(quote(instrument_id="\ud800"))


def test_a_chain_is_its_contracts() -> None:
    """One row each, numbered through the snapshots of a block."""
    table = table_of(entry(MarketKind.CHAIN, chain(0), chain(10, strikes=(600,))))
    assert table.num_rows == 8
    assert table.column("contracts").to_pylist() == [6] * 6 + [2] * 2
    assert table.column("greeks_source").to_pylist() == ["ibkr"] * 5 + ["", "ibkr", ""]
