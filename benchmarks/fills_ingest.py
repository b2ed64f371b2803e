"""Ingest of fills: against a bare insert of the same rows, a long history, and DuckDB's upsert.

All in one run on one embedded server, interleaved, as medians. `--rows` are new and then known fills;
`--histories` the sizes of the table that a batch of 1,000 meets. The bare insert is the naive writer: the
same values and hashes to Arrow, into the same kind of table, with nothing asked and nothing looked for.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import duckdb  # noqa: E402
from embedded_warehouse import start_warehouse  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.fill_rows import revisions_table  # noqa: E402
from adapters.clickhouse.fill_store import ClickHouseFillStore  # noqa: E402
from adapters.clickhouse.instruments import instrument_text  # noqa: E402
from adapters.clickhouse.migrator import migrate  # noqa: E402
from trading.model.fills import FillBatch, FillKind, FillRevision, Side, Source, Venue, content_hashes  # noqa: E402
from trading.model.instruments import Option, Right  # noqa: E402

ROWS = 1_000_000
BATCH_ROWS = 100_000
HISTORIES = (10_000, 1_000_000, 10_000_000)
SMALL_BATCH = 1_000
SMALL_BATCHES = 7  # per history; the median counts
SESSIONS = 250
MERGES_WAIT_S = 60
FIRST = date(2025, 1, 1)
RECEIVED = datetime(2026, 1, 5, tzinfo=UTC)
HISTORY = """
insert into core.fill_revisions
(
    venue, account, session, fill_id, revision, source, content_hash, kind, instrument_id, instrument,
    conid,
    asset_class, symbol, underlying, multiplier, side, quantity, price, notional, currency, fill_ts,
    trade_date, exec_id, order_id, trade_id, transaction_id, raw, batch_id, received_at
)
select
    'ibkr', 'HISTORY', toDate('2025-01-01') + number % 250 as session,
    concat(lower(hex(cityHash64(number))), '.01'), 1, 'statement',
    substring(lower(hex(sipHash128(number))), 1, 20), 'trade', concat('OPT:', toString(number % 500)),
    {instrument:String}, number % 500, 'option', 'SPX', 'SPX', 100, if(number % 2, 'BUY', 'SELL'),
    1 + number % 9,
    number * 7919 % 99999 / 100, 100, 'USD',
    toDateTime64(session, 6, 'UTC') + interval 15 hour + toIntervalMicrosecond(number * 7 % 20000000000),
    session,
    concat(lower(hex(cityHash64(number))), '.01.01'), toString(intDiv(number, 3)),
    toString(1000000000 + number),
    toString(10000000000 + number), concat('{"tradeID":"', toString(number), '"}'), 'history', now64(6)
from numbers({start:UInt64}, {rows:UInt64})
"""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--histories", type=int, nargs="+", default=HISTORIES)
    options = asked.parse_args()
    with warehouse() as client:
        new = against_bare_insert(client, options.rows)
        against_duckdb(options.rows, new)
        against_history(client, options.histories)


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    """A migrated embedded server of this run's own."""
    with tempfile.TemporaryDirectory() as folder:
        running = start_warehouse(Path(folder))
        try:
            client = Warehouse(running.url)
            migrate(client)
            yield client
        finally:
            running.stop()


def against_bare_insert(client: Warehouse, rows: int) -> list[float]:
    """New rows, then the same rows again, each beside a bare insert; returns the seconds of new ones."""
    store = ClickHouseFillStore(client)
    client.command("create table core.bare as core.fill_revisions")
    bare, sent, new, known = [], [], [], []
    for start in range(0, rows, BATCH_ROWS):
        told = batch(start, min(BATCH_ROWS, rows - start))
        hashes = content_hashes(told.fills)
        bare.append(timed(lambda t=told, s=start: client.insert_arrow("core.bare", arrow(t), f"bare-{s}")))
        table = revisions_table(told.fills, hashes, "bare", RECEIVED)
        sent.append(timed(lambda a=table, s=start: client.insert_arrow("core.bare", a, f"sent-{s}")))
        new.append(timed(lambda t=told: store.record(t, RECEIVED)))
        known.append(timed(lambda t=told: store.record(t, RECEIVED)))
    size = min(BATCH_ROWS, rows)
    print(f"fills ingest, {rows:,} rows in batches of {size:,}; medians, rows/s")
    show("bare insert, from values", size, bare, bare)
    show("bare insert, Arrow made before", size, sent, bare)
    show("ingest of new fills (aim 0.60)", size, new, bare)
    show("ingest of known fills (aim 1.00)", size, known, bare)
    print(f"  known fills against new fills: {statistics.median(new) / statistics.median(known):.2f}x")
    client.command("drop table core.bare sync")
    return new


def against_duckdb(rows: int, ours: list[float]) -> None:
    """The peer: DuckDB's upsert of the same rows into a file; the ratio is its rate to that of our ingest."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "fills.duckdb"))
        for start in range(0, rows, BATCH_ROWS):
            told = batch(start, min(BATCH_ROWS, rows - start))
            connection.register("told", arrow(told))
            if start == 0:
                connection.execute("create table fills as select * from told limit 0")
                connection.execute("create unique index fill_key on fills (account, fill_id)")
            upsert = "insert or replace into fills select * from told"
            seconds.append(timed(lambda statement=upsert: connection.execute(statement)))
    show("DuckDB upsert (ratio to new fills)", min(BATCH_ROWS, rows), seconds, ours)


def against_history(client: Warehouse, histories: list[int]) -> None:
    """One batch of 1,000 new fills of the last session into tables of growing size."""
    store = ClickHouseFillStore(client)
    contract = instrument_text(option(0))
    medians: list[float] = []
    start = 0
    client.command("truncate table core.fill_revisions")
    for place, size in enumerate(histories):
        asked = {"instrument": contract, "start": start, "rows": size - start}
        client.command(HISTORY, asked)
        start = size
        wait_for_merges(client)
        batches = [small_batch(place * SMALL_BATCHES + n) for n in range(SMALL_BATCHES)]
        medians.append(statistics.median(timed(lambda t=told: store.record(t, RECEIVED)) for told in batches))
        ratio = medians[-1] / medians[0]
        print(
            f"  batch of {SMALL_BATCH:,} into {size:>12,}: {medians[-1] * 1e3:7.0f} ms, {ratio:.2f}x (aim 2x)"
        )


def wait_for_merges(client: Warehouse) -> None:
    """Let the server finish what the history's own insert left to do."""
    deadline = time.monotonic() + MERGES_WAIT_S
    while time.monotonic() < deadline and client.value("select count() from system.merges"):
        time.sleep(0.5)


def batch(start: int, count: int) -> FillBatch:
    """`count` fills of 500 contracts over 20 sessions, as a statement tells them."""
    rng = random.Random(start)
    fills = tuple(one_fill(start + n, rng.randrange(1, 99_999)) for n in range(count))
    return FillBatch(venue=Venue.IBKR, source=Source.STATEMENT, origin="benchmark", fills=fills)


def small_batch(number: int) -> FillBatch:
    """1,000 new fills of the history's account in its last session."""
    told = batch(10**9 + number * SMALL_BATCH, SMALL_BATCH)
    session = FIRST + timedelta(days=SESSIONS - 1)
    fills = tuple(
        replace(fill, account="HISTORY", session=session, trade_date=session) for fill in told.fills
    )
    return replace(told, fills=fills)


def one_fill(number: int, cents: int) -> FillRevision:
    """Fill number n."""
    session = FIRST + timedelta(days=number % 20)
    return FillRevision(
        venue=Venue.IBKR,
        account="DU1",
        fill_id=f"0001938c.{number:08x}.01",
        revision=1,
        source=Source.STATEMENT,
        kind=FillKind.TRADE,
        instrument=option(number % 500),
        conid=number % 500 + 1,
        side=Side.BUY if number % 2 else Side.SELL,
        quantity=Decimal(1 + number % 9),
        price=Decimal(cents) / 100,
        multiplier=Decimal(100),
        currency="USD",
        fill_ts=datetime(session.year, session.month, session.day, 15, tzinfo=UTC)
        + timedelta(microseconds=number * 7 % 20_000_000_000),
        trade_date=session,
        report_date=session,
        session=session,
        exec_id=f"0001938c.{number:08x}.01.01",
        order_id=str(number // 3),
        trade_id=str(10**9 + number),
        transaction_id=str(10**10 + number),
        raw=f'{{"accountId":"DU1","symbol":"SPX","tradeID":"{10**9 + number}","quantity":"2","x":"0.73"}}',
    )


_OPTIONS = [
    Option(symbol="SPX", expiry=date(2026, 1, 16), right=Right.CALL, strike=Decimal(1 + n), conid=n + 1)
    for n in range(500)
]


def option(number: int) -> Option:
    """Contract number n."""
    return _OPTIONS[number]


def arrow(told: FillBatch) -> object:
    """The batch as Arrow, without any judgement."""
    return revisions_table(told.fills, content_hashes(told.fills), "bare", RECEIVED)


def timed(run: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def show(name: str, rows: int, seconds: list[float], peer: list[float]) -> None:
    """One line: rows per second and the ratio to the peer."""
    median = statistics.median(seconds)
    print(f"  {name:34s} {rows / median:>12,.0f}  {statistics.median(peer) / median:5.2f}x")


if __name__ == "__main__":
    main()
