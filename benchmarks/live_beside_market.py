"""What a market that plays fast costs an execution: from its append to its row and to its fill, alone and
beside.

All in one run on one Redis and one embedded server, with both drains as the processes that the stack runs.
The same steady stream of executions, each with its fee, is told twice: first alone, then while a writer of
the market fills the other outbox. Times are the server's own: the entry's id by Redis' clock,
`drained_at` and `ingested_at` as an insert begins. The ratio of both is the figure; alone is its limit.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]

from desk_command import environment  # noqa: E402
from embedded_warehouse import RunningWarehouse  # noqa: E402
from live_fills import services, settle, stream, told  # noqa: E402
from market_way_in import told_entry  # noqa: E402
from real_redis import RunningRedis  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.redis.market_sink import RedisMarketSink  # noqa: E402
from desk.stack.residents import MARKET_NICENESS  # noqa: E402
from trading.ports.market_state import SymbolUpdate  # noqa: E402

RATE_PER_S, STREAM_S = 20, 10.0
BLOCKS_PER_S = 40  # of a hundred quotes
WARM_S = 3.0  # the market's first batches are stored
MINUTES_A_SECOND = 6.5  # of a market that plays 390 times as fast
LATENCY = """
select quantilesExact(0.5, 0.99)(row_ms) as row_ms, quantilesExact(0.5, 0.99)(fill_ms) as fill_ms
from
(
    select
        toUnixTimestamp64Milli(min(e.drained_at)) - min(e.entry_ms) as row_ms,
        toUnixTimestamp64Milli(min(f.ingested_at)) - min(e.entry_ms) as fill_ms
    from audit.outbox_entries as e
    inner join core.fill_revisions as f on f.exec_id = e.exec_id
    where e.message_type = '11' and startsWith(e.exec_id, {prefix:String})
    group by e.exec_id
)
"""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rate", type=int, default=RATE_PER_S, help="executions per second")
    asked.add_argument("--market", metavar="REDIS_URL", help="be the writer of the market, until killed")
    options = asked.parse_args()
    if options.market:
        play_market(options.market)
        return
    with services() as (redis, server, home), drains(redis, server, home):
        stream(redis, told("warm", options.rate), options.rate)
        settle(redis)
        alone = measured(redis, server, "alone", options.rate)
        with market(redis):
            time.sleep(WARM_S)
            beside = measured(redis, server, "beside", options.rate)
        quotes = Warehouse(server.url).value("select count() from core.quote_rows")
    print(f"executions at {options.rate}/s, {quotes:,} quotes of a market beside them, from append")
    for name in ("row", "fill"):
        for place, quantile in enumerate(("p50", "p99")):
            first, second = alone[f"{name}_ms"][place], beside[f"{name}_ms"][place]
            print(
                f"  to the {name:5s}{quantile} alone {first:7,.0f} ms   beside the market {second:7,.0f} ms"
                f"   ratio {second / max(first, 1):.2f}"
            )


def measured(redis: RunningRedis, server: RunningWarehouse, prefix: str, rate: int) -> dict[str, Any]:
    """Tell the stream and read when its rows were there."""
    stream(redis, told(prefix, int(rate * STREAM_S)), rate)
    settle(redis)
    return Warehouse(server.url).rows(LATENCY, {"prefix": prefix})[0]


@contextmanager
def drains(redis: RunningRedis, server: RunningWarehouse, home: Path) -> Iterator[None]:
    """Both, as the stack runs them: the market's is nicer."""
    named = environment(home, CLICKHOUSE_URL=server.url, REDIS_URL=redis.url)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", f"desk.residents.{name}"],
            env=named,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in ("drain", "market_drain")
    ]
    os.setpriority(os.PRIO_PROCESS, running[1].pid, os.getpriority(os.PRIO_PROCESS, 0) + MARKET_NICENESS)
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


@contextmanager
def market(redis: RunningRedis) -> Iterator[None]:
    """A writer of the market, in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, "--market", redis.url])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def play_market(redis_url: str) -> None:
    """Blocks of quotes at their pace, minute after minute of the market's time."""
    sink = RedisMarketSink(redis_url)
    began = time.monotonic()
    number = 0
    while True:
        time.sleep(max(0.0, began + number / BLOCKS_PER_S - time.monotonic()))
        at = number / BLOCKS_PER_S * MINUTES_A_SECOND * 60
        sink.publish([SymbolUpdate(symbol="SPY", blocks=(told_entry(number, at % 20_000).block,))])
        number += 1


if __name__ == "__main__":
    main()
