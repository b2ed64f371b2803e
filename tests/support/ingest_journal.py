"""A journal of fills from a seed, and a process that ingests it: what is killed in the tests of convergence.

As a script, with the project and this folder on PYTHONPATH: `WAREHOUSE_URL REDIS_URL ORDER_SEED SEED`
ingests the journal, `WAREHOUSE_URL REDIS_URL ORDER_SEED FILE…` the broker's own files. Prints one line
per stored file, ends with 0 when all are stored, and may be killed at any moment.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fill_samples import DAY, NOON, batch, fee, fill, option

from trading.errors import TransientError
from trading.model.fills import FillBatch, FillKind, FillRevision, Source, Venue
from trading.model.statements import BrokerStatement, DetailLevel, StatementKind, StatementPosition
from trading.ports.clock import Clock
from trading.services.ingest_fills import IngestStores, SourceFile, ingest_fills

ACCOUNTS = ("DU1", "DU2", "DU3")
SESSIONS = 3
FILLS_PER_SESSION = 40
TRIES_MAX = 600  # of one file, half a second apart


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


def journal(seed: int) -> list[SourceFile]:
    """One live file and one statement per account and session, with corrections, busts and repeats."""
    rng = random.Random(seed)
    return [
        file
        for account in ACCOUNTS
        for place in range(SESSIONS)
        for file in _session_files(rng, account, place)
    ]


def _session_files(rng: random.Random, account: str, place: int) -> Sequence[SourceFile]:
    session = DAY - timedelta(days=place)
    live, told, fees = [], [], []
    for n in range(FILLS_PER_SESSION):
        number = 10**6 * (place + 1) + 100 * n
        base: dict[str, Any] = {
            "account": account,
            "session": session,
            "trade_date": session,
            "fill_ts": NOON - timedelta(days=place) + timedelta(seconds=rng.randrange(3600)),
            "instrument": option(20 + n % 7),
            "price": Decimal(rng.randrange(1, 500)) / 100,
        }
        name = f"{account}.{place}.{n:02d}"
        live.append(fill(name, **base))
        base |= {"source": Source.STATEMENT, "trade_id": f"T{number}", "transaction_id": str(number)}
        told.append(fill(name, **base))
        fees.append(fee(f"{name}.01", name, "1.05", account=account, session=session))
        told += _corrections(rng, name, number, base)
    unnumbered, numbered = _booking_told_twice(account, session, place)
    told.append(numbered)
    live += rng.choices(live, k=10)
    rng.shuffle(live)
    return (
        SourceFile(name=f"{account}-{session}-live", batches=(batch(live, origin="live"),)),
        SourceFile(
            name=f"{account}-{session}", statements=(_statement(account, session, batch(told, fees)),)
        ),
        SourceFile(name=f"{account}-{session}-evening", batches=(batch([unnumbered], origin="evening"),)),
    )


def _booking_told_twice(account: str, session: date, place: int) -> tuple[FillRevision, FillRevision]:
    """An expiry as the evening tells it, by its trade alone, and as the statement does, with its number."""
    told: dict[str, Any] = {
        "account": account,
        "kind": FillKind.BOOKING,
        "revision": 0,
        "exec_id": "",
        "price": Decimal(0),
        "session": session,
        "trade_date": session,
        "fill_ts": NOON + timedelta(hours=4, days=-place),
        "trade_id": f"B{place}",
    }
    number = str(10**7 * (place + 1))
    return (
        fill(f"syn:{account}.{place}", **told, source=Source.CONFIRMATION),
        fill(f"flex:{number}", **told, source=Source.STATEMENT, transaction_id=number),
    )


def _corrections(rng: random.Random, name: str, number: int, base: dict[str, Any]) -> list[FillRevision]:
    chance = rng.random()
    if chance > 0.2:
        return []
    told = base | {"transaction_id": str(number + 1), "trade_id": ""}
    cancel = fill(
        f"flex:{number + 1}",
        kind=FillKind.CANCEL,
        revision=0,
        cancels_trade_id=f"T{number}",
        exec_id="",
        **told,
    )
    if chance > 0.1:
        return [cancel]
    again = base | {"transaction_id": str(number + 2)}
    return [cancel, fill(name, revision=2, quantity=Decimal(1), **again)]


def _statement(account: str, session: Any, told: FillBatch) -> BrokerStatement:
    position = StatementPosition(
        account=account,
        report_date=session,
        instrument=option(),
        conid=893396239,
        level=DetailLevel.SUMMARY,
        quantity=Decimal(2),
        multiplier=Decimal(100),
        currency="USD",
        mark_price=None,
        cost_basis=None,
    )
    return BrokerStatement(
        venue=Venue.IBKR,
        account=account,
        kind=StatementKind.ACTIVITY,
        query_name="daily",
        from_date=session,
        to_date=session,
        generated_at=datetime(session.year, session.month, session.day, 23, tzinfo=UTC),
        base_currency="USD",
        sha256=f"{account}{session}",
        batch=told,
        positions=(position,),
        sections=("Trades", "OpenPositions"),
    )


def broker_files(paths: Sequence[str]) -> list[SourceFile]:
    """The broker's own files, read."""
    from adapters.ibkr.read_file import read

    known = {path: read(Path(path)) for path in dict.fromkeys(paths)}
    return [
        SourceFile(name=Path(path).name, batches=known[path].batches, statements=known[path].statements)
        for path in paths
    ]


def main(warehouse_url: str, redis_url: str, order_seed: str, *told: str) -> int:
    """Ingest the journal of a seed, or files, in an order of its own."""
    from adapters.clickhouse.client import Warehouse
    from adapters.clickhouse.fill_store import ClickHouseFillStore
    from adapters.clickhouse.statement_store import ClickHouseStatementStore
    from adapters.redis.live_state import RedisLiveState

    warehouse = Warehouse(warehouse_url, attempts=2, answer_timeout_s=20)
    stores = IngestStores(
        fills=ClickHouseFillStore(warehouse),
        statements=ClickHouseStatementStore(warehouse),
        live_state=RedisLiveState(redis_url, timeout_s=0.5),
        clock=SystemClock(),
        owner=f"journal-{order_seed}",
        pause=lambda: time.sleep(0.02),
    )
    files = journal(int(told[0])) if told[0].isdigit() else broker_files(told)
    random.Random(int(order_seed)).shuffle(files)
    return 0 if all(stored(file, stores, warehouse.close) for file in files) else 1


def stored(file: SourceFile, stores: IngestStores, reconnect: Callable[[], None]) -> bool:
    """Store one file, trying again while a service is away."""
    for _ in range(TRIES_MAX):
        try:
            report = ingest_fills([file], stores)
        except TransientError as error:
            print(f"pending {file.name}: {error}", flush=True)
            reconnect()
            time.sleep(0.5)
        else:
            print(f"stored {file.name} {report.count('new')}", flush=True)
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
