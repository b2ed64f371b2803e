"""Quotes in the warehouse: bytes per quote, and questions, each beside its limit.

The quotes are generated inside the engine, session by session, and merged as a closed session is. A
question's limit is the engine's own scan: bytes per second of a count over the same columns, in the same run;
beside the time stands the share of that speed at which the bytes that the question is about were answered.
The way in is measured by market_way_in.py.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from embedded_warehouse import start_warehouse  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.migrator import migrate  # noqa: E402
from trading.calendar import TradingCalendar  # noqa: E402

ROWS = 10_000_000  # 100 million: --rows 100000000, about ten minutes and 2 GB
SYMBOLS = 8
INSTRUMENTS = 250  # of one symbol
SESSIONS = 21  # a month
FLUSH_MS = 250
ROUNDS = 5
GENERATED = """
insert into core.quote_rows (symbol, instrument_id, at, bid, ask, bid_size, ask_size, last, last_size, volume,
    conid, source, session, heard_at, load_id, stream, entry_ms, entry_seq, place)
select
    concat('S', toString(number % {symbols:UInt32})) as symbol,
    concat('OPT:', symbol, '    261218C', leftPad(toString(500000 + of * 500), 8, '0')) as instrument_id,
    {opens:DateTime64(6, 'UTC')} + toIntervalMillisecond(flush * {flush_ms:UInt32}) as at,
    toDecimal64(middle, 8) as bid,
    toDecimal64(middle + 0.01 * (1 + chance % 4), 8) as ask,
    toDecimal64(1 + chance % 50, 8) as bid_size,
    toDecimal64(1 + intDiv(chance, 64) % 50, 8) as ask_size,
    toDecimal64(middle + 0.01, 8) as last,
    toDecimal64(1 + chance % 9, 8) as last_size,
    toDecimal64(intDiv(flush, 40) * 3, 8) as volume,
    toInt64(600000000 + of) as conid,
    'ibkr' as source,
    {session:Date} as session,
    toDateTime64(at, 3, 'UTC') + toIntervalMillisecond(100 + cityHash64(flush) % 20) as heard_at,
    0 as load_id,
    concat('outbox:market:{', symbol, '}') as stream,
    toUInt64(toUnixTimestamp64Milli(heard_at)) + 2 as entry_ms,
    0 as entry_seq,
    toUInt32(intDiv(number, {symbols:UInt32}) % {each:UInt32}) as place
from
(
    select
        number,
        intDiv(number, {symbols:UInt32} * {each:UInt32}) as flush,
        cityHash64(number, {session:Date}) as chance,
        cityHash64(number * 7919) % {instruments:UInt32} as of,
        round(5 + of % 40 * 0.5 + 2 * sin(flush / 9000.) + 0.6 * sin(flush / 777. + of)
            + 0.05 * (cityHash64(intDiv(flush, 13), of) % 5), 2) as middle
    from numbers({rows:UInt64})
)
"""
CHAINS = """
insert into core.chain_rows (symbol, at, expiry, strike, option_right, instrument_id, trading_class,
    multiplier, quoted_at, bid, ask, bid_size, ask_size, open_interest, greeks_source, implied_volatility,
    delta, gamma, vega, theta, spot, contracts, told_by, source, session, stream, entry_ms, place)
select
    concat('S', toString(intDiv(number, 2000 * 390) % 8)) as symbol,
    {opens:DateTime64(6, 'UTC')} + toIntervalMinute(intDiv(number, 2000) % 390) as at,
    {session:Date} + intDiv(number % 2000, 200) * 7 as expiry,
    toDecimal64(400 + intDiv(number % 200, 2) * 5, 4) as strike,
    if(number % 2 = 0, 'C', 'P') as option_right,
    concat('OPT:', symbol, toString(number % 2000)) as instrument_id,
    symbol as trading_class, 100, at,
    toDecimal64(1 + cityHash64(number) % 900 / 100, 8) as bid, bid + toDecimal64(0.05, 8),
    toDecimal64(1 + cityHash64(number) % 50, 8), toDecimal64(1 + cityHash64(number) % 40, 8),
    cityHash64(number % 2000) % 9000, 'ibkr',
    0.1 + cityHash64(number) % 100000 / 1e6,
    cityHash64(number, 1) % 100000 / 1e5, cityHash64(number, 2) % 100000 / 1e7,
    cityHash64(number, 3) % 100000 / 1e5, -(cityHash64(number, 4) % 100000 / 1e6),
    toDecimal64(600.02, 8), 2000, 'ibkr', 'ibkr', {session:Date},
    concat('outbox:market:{', symbol, '}'), toUInt64(toUnixTimestamp64Milli(at)), toUInt32(number % 2000)
from numbers({rows:UInt64})
"""
LOADED = """
insert into core.quote_rows
select * replace('lean' as source, toUInt64(1) as load_id, '' as stream,
    toUInt32(rowNumberInAllBlocks()) as place)
from core.quote_rows
where symbol = 'S3' and session = {session:Date} and cityHash64(entry_ms, place) % 10 < 9
"""
TOUCHED = """
insert into core.quote_minutes_touched (session, symbol, source, load_id, minute)
select distinct session, symbol, source, load_id, toStartOfMinute(at)
from core.quote_rows
where symbol = 'S3' and session = {session:Date}
"""
CHAIN_SYMBOLS = 3  # a snapshot of 2,000 contracts in each of 390 minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, of which table's columns, and how many rows it is about (`about` counts them)."""

    name: str
    text: str
    table: str
    columns: tuple[str, ...]
    about: str


def main() -> None:
    """Generate, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=ROWS, help="quotes in all")
    asked.add_argument("--seconds", type=float, default=900.0, help="stop generating after so long")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        server = start_warehouse(Path(folder))
        try:
            client = Warehouse(server.url)
            migrate(client)
            sessions = generate(client, options.rows, options.seconds)
            sizes(client)
            for question in questions(sessions):
                ask(client, question)
            once(client, sessions)
        finally:
            server.stop()


def generate(client: Warehouse, rows: int, seconds: float) -> Sequence[date]:
    """Fill the month, each session merged into one part, as ten quiet minutes would do it."""
    calendar = TradingCalendar()
    sessions = calendar.sessions_between(date(2026, 10, 1), date(2026, 10, 31))[:SESSIONS]
    each, started = max(SYMBOLS, rows // SESSIONS), time.perf_counter()
    made = []
    for session in sessions:
        client.command(GENERATED, _generated(session, each, calendar))
        partition = {"session": session, "load_id": 0}
        client.command(
            "optimize table core.quote_rows partition tuple({session:Date}, {load_id:UInt64}) final",
            partition,
        )
        made.append(session)
        if time.perf_counter() - started > seconds:
            break
    opens = calendar.session_open(made[-1])
    client.command(CHAINS, {"rows": CHAIN_SYMBOLS * 2000 * 390, "session": made[-1], "opens": opens})
    client.command("optimize table core.chain_rows final")
    told = len(made) * each
    print(f"generated {told:,} quotes of {len(made)} sessions in {time.perf_counter() - started:.0f} s")
    return made


def _generated(session: date, rows: int, calendar: TradingCalendar) -> dict[str, object]:
    flushes = int(6.5 * 3600 * 1000 / FLUSH_MS)
    return {
        "symbols": SYMBOLS,
        "instruments": INSTRUMENTS,
        "rows": rows,
        "each": max(1, rows // SYMBOLS // flushes),
        "flush_ms": FLUSH_MS,
        "session": session,
        "opens": calendar.session_open(session),
    }


def sizes(client: Warehouse) -> None:
    """Bytes on disk, by column."""
    (told,) = client.rows(
        "select sum(bytes_on_disk) as bytes, sum(rows) as rows, count() as parts from system.parts "
        "where active and database = 'core' and table = 'quote_rows'"
    )
    print(
        f"bytes per quote on disk: {told['bytes'] / told['rows']:.2f}"
        f"   ({told['bytes'] / 1e9:.2f} GB, {told['parts']} parts)"
    )
    columns = client.rows(
        "select column, sum(column_data_compressed_bytes) as bytes from system.parts_columns where active "
        "and database = 'core' and table = 'quote_rows' group by column order by bytes desc limit 9",
    )
    print("  " + ", ".join(f"{row['column']} {row['bytes'] / told['rows']:.2f}" for row in columns))


def questions(sessions: Sequence[date]) -> Iterator[Question]:
    """Those that the desk asks; the views are read, as people and models read them."""
    day, last = sessions[len(sessions) // 2], sessions[-1]
    one, month = f"symbol = 'S3' and session = '{day}'", "symbol = 'S3'"
    noon = f"toDateTime64('{day} 16:00:00', 6, 'UTC')"
    before_noon = f"{one} and at <= {noon} and at > {noon} - interval 2 hour"
    contract = f"{one} and instrument_id = (select max(instrument_id) from core.quote_rows where {one})"
    quoted = ("symbol", "instrument_id", "at", "bid", "ask")
    yield Question(
        name="one chain snapshot",
        text="select expiry, strike, bid, ask, implied_volatility, delta, gamma from core.chains "
        f"where symbol = 'S2' and session = '{last}' and at = toDateTime64('{last} 16:00:00', 6, 'UTC')",
        table="chain_rows",
        columns=("symbol", "at", "expiry", "strike", "bid", "ask", "implied_volatility", "delta", "gamma"),
        about="select toUInt64(2000)",
    )
    yield _of_quotes(
        "a chain of quotes as of a moment",
        "select instrument_id, argMax((bid, ask), at) from core.quotes where {where} group by instrument_id",
        before_noon,
        quoted,
    )
    yield _of_quotes(
        "one contract's day",
        "select at, bid, ask from core.quotes where {where} order by at",
        contract,
        quoted,
    )
    yield _of_quotes(
        "one symbol's day, by minute",
        "select toStartOfMinute(at) as minute, avg(ask - bid) from core.quotes where {where} group by minute",
        one,
        ("symbol", "at", "bid", "ask"),
    )
    yield _of_quotes(
        "one symbol's month, by session",
        "select session, avg(ask - bid), max(ask) from core.quotes where {where} group by session",
        month,
        ("symbol", "session", "bid", "ask"),
    )
    yield _of_quotes(
        "every symbol's month",
        "select symbol, avg(ask - bid) from core.quotes where {where} group by symbol",
        "true",
        ("symbol", "bid", "ask"),
    )
    yield _of_quotes(
        "newest quote of each contract",
        "select symbol, instrument_id, bid, ask, at from core.quotes_newest where {where}",
        f"session = '{last}'",
        (*quoted, "session"),
    )


def _of_quotes(name: str, text: str, where: str, columns: tuple[str, ...]) -> Question:
    return Question(
        name=name,
        text=text.format(where=where),
        table="quote_rows",
        columns=columns,
        about=f"select count() from core.quote_rows where {where}",
    )


def ask(client: Warehouse, question: Question) -> None:
    """Time the question and a bare count over its columns, in turns."""
    listed = ", ".join(question.columns)
    scan = f"select count() from core.{question.table} where not ignore({listed})"
    (told,) = client.rows(
        "select sumIf(column_data_uncompressed_bytes, column in {columns:Array(String)}) as bytes, "
        "sumIf(rows, column = {first:String}) as rows from system.parts_columns "
        "where active and database = 'core' and table = {table:String}",
        {"columns": list(question.columns), "first": question.columns[0], "table": question.table},
    )
    asked_s, scanned_s = [], []
    for _ in range(ROUNDS):
        asked_s.append(timed(lambda: client.columns(question.text)))
        scanned_s.append(timed(lambda: client.columns(scan)))
    rows = int(client.value(question.about))
    took_s, speed = median(asked_s), told["bytes"] / median(scanned_s)
    share = rows * told["bytes"] / told["rows"] / took_s / speed
    print(
        f"{question.name:34} {took_s * 1000:9.1f} ms  about {rows:12,} rows"
        f"   scan {speed / 1e9:5.2f} GB/s   share of it {share:5.2f}"
    )


def once(client: Warehouse, sessions: Sequence[date]) -> None:
    """One tape of live rows and a load beside the rows as they lie: a session of one teller, one of two."""
    alone, twice = sessions[0], sessions[len(sessions) // 2]
    client.command(LOADED, {"session": twice})
    client.command(
        "insert into core.market_loads (kind, session, source, load_id, rows) values "
        "('quote', {session:Date}, 'lean', 1, 1)",
        {"session": twice},
    )
    for session in (alone, twice):
        client.command(TOUCHED, {"session": session}, {"insert_deduplicate": 0})
    client.command("optimize table core.quote_minute_rows final")
    text = (
        "select toStartOfMinute(at) as minute, avg(ask - bid) from core.{view} "
        "where symbol = 'S3' and session = '{session}' group by minute"
    )
    for name, session in (("one teller", alone), ("two tellers", twice)):
        took = {}
        for view in ("quotes", "quotes_once"):
            asked = text.format(view=view, session=session)
            took[view] = median([timed(lambda told=asked: client.columns(told)) for _ in range(ROUNDS)])  # type: ignore[misc]
        rows = client.value(f"select count() from core.quotes where symbol = 'S3' and session = '{session}'")
        print(
            f"symbol's day, {name:12} {rows:12,} rows   quotes {took['quotes'] * 1000:8.1f} ms"
            f"   quotes_once {took['quotes_once'] * 1000:8.1f} ms"
        )


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(seconds: Sequence[float]) -> float:
    """The middle one."""
    return sorted(seconds)[len(seconds) // 2]


if __name__ == "__main__":
    main()
