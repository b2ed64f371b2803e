"""The live path from the gateway's sending to the warehouse's row: what it sustains, and where the time goes.

Gateway, broker session (the unmodified client library) and drain run in threads of one process, Redis and the
embedded warehouse beside them. First a steady stream, for the time to the row by hop; then as many executions
at once as asked, each with its fee, for the rate. The limit is the client library alone: the same messages
only decoded, in the same run. Times of the row are the server's `ingested_at`, set when its insert begins.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import orjson  # noqa: E402
from gateway_client import Heard  # noqa: E402
from ib_insync.decoder import Decoder  # noqa: E402
from live_loop import CLIENT, LiveLoop, live_loop  # noqa: E402

from simulation.broker.model import BrokerSays, Commissioned, CommissionView, Executed, ExecutionView  # noqa: E402
from simulation.gateway import Gateway  # noqa: E402

EXECUTIONS = 5_000
STEADY_S, RATE_PER_S = 10.0, 50
WAIT_MAX_S = 120.0
VERSION = 176
HOPS = ("gateway to session", "session to stream", "stream to row", "gateway to row")
ARRIVED = """
select e.exec_id as exec_id, min(e.heard_at) as heard_at, min(e.entry_ms) as entry_ms,
    min(f.ingested_at) as ingested_at
from audit.outbox_entries as e
inner join core.fill_revisions as f on f.exec_id = e.exec_id
where e.message_type = '11' and startsWith(e.exec_id, {prefix:String})
group by e.exec_id
"""
TOLD = """
select payload from audit.outbox_entries
where message_type in ('11', '59') and startsWith(exec_id, {prefix:String})
order by entry_ms, sequence
"""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--executions", type=int, default=EXECUTIONS)
    count = asked.parse_args().executions
    with tempfile.TemporaryDirectory() as folder, live_loop(Path(folder), speed=1, link=False) as loop:
        loop.wait_for(lambda: _is_ready(loop), lambda: "the session is not ready")
        steady(loop)
        at_once(loop, count)


def steady(loop: LiveLoop) -> None:
    """A stream at a pace, and the time of each hop."""
    sent: dict[str, float] = {}
    began = time.monotonic()
    for number in range(int(STEADY_S * RATE_PER_S)):
        time.sleep(max(0.0, began + number / RATE_PER_S - time.monotonic()))
        exec_id = f"00001111.{number:08x}.01.01"
        sent[exec_id] = time.time()
        _tell(loop, [exec_id])
    rows = _arrived(loop, "00001111.", len(sent))
    print(f"live path, {RATE_PER_S} executions/s with their fees, {len(rows):,} executions")
    hops = [_hops(sent[exec_id], *times) for exec_id, times in rows.items()]
    for name, values in zip(HOPS, zip(*hops, strict=True), strict=True):
        p50, p99 = _quantiles(values)
        share = statistics.fmean(values) / statistics.fmean([hop[-1] for hop in hops])
        print(f"  {name:20s} p50 {p50 * 1e3:7.1f} ms   p99 {p99 * 1e3:7.1f} ms   {share:4.0%} of the way")


def at_once(loop: LiveLoop, count: int) -> None:
    """All executions as fast as the path takes them, beside the library's decoding alone."""
    ids = [f"00002222.{number:08x}.01.01" for number in range(count)]
    began = time.time()
    for start in range(0, count, 100):
        _tell(loop, ids[start : start + 100])
    rows = _arrived(loop, "00002222.", count)
    seconds = max(times[2] for times in rows.values()) - began
    told = loop.warehouse.rows(TOLD, {"prefix": "00002222."})
    messages = [orjson.loads(row["payload"])["fields"] for row in told]
    decoding = _decoding_rate(messages)
    rate = 2 * count / seconds
    print(f"  {count:,} executions and fees at once: {rate:,.0f} messages/s to the row")
    print(f"  the same messages only decoded by the library: {decoding:,.0f}/s, ratio {rate / decoding:.3f}")


def _tell(loop: LiveLoop, ids: Sequence[str]) -> None:
    loop.running.do(lambda gateway: gateway.server.tell(list(_says(gateway, ids))))


def _says(gateway: Gateway, ids: Iterable[str]) -> Iterable[BrokerSays]:
    account = next(iter(gateway.broker.ledgers))
    listed = gateway.world.listings.by_conid.values()
    contract = next(item for item in listed if item.asset == "OPT")
    now = gateway.clock.now()
    first = ExecutionView(
        exec_id="", at=now, account=account, contract=contract, exchange="CBOE", side=1, quantity=Decimal(3),
        price=Decimal("1.25"), perm_id=9_000_001, client_id=CLIENT, order_id=1, cumulative=Decimal(3),
        average_price=Decimal("1.25"), order_ref="path", liquidity=2,
    )  # fmt: skip
    for exec_id in ids:
        report = CommissionView(exec_id=exec_id, amount=Decimal("1.95"), currency="USD", realized=None)
        yield Executed(execution=replace(first, exec_id=exec_id))
        yield Commissioned(report=report, client_id=CLIENT, due_at=now)


def _arrived(loop: LiveLoop, prefix: str, count: int) -> dict[str, tuple[float, float, float]]:
    deadline = time.monotonic() + WAIT_MAX_S
    while True:
        rows = loop.warehouse.rows(ARRIVED, {"prefix": prefix})
        if len(rows) >= count:
            return {
                row["exec_id"]: (
                    _seconds(row["heard_at"]),
                    row["entry_ms"] / 1e3,
                    _seconds(row["ingested_at"]),
                )
                for row in rows
            }
        if time.monotonic() > deadline:
            sys.exit(f"{len(rows)} of {count} executions came within {WAIT_MAX_S:.0f} s")
        time.sleep(0.25)


def _hops(sent: float, heard: float, entered: float, stored: float) -> tuple[float, float, float, float]:
    return heard - sent, entered - heard, stored - entered, stored - sent


def _times(row: Mapping[str, Any]) -> tuple[float, float, float]:
    return _seconds(row["heard_at"]), row["entry_ms"] / 1e3, _seconds(row["ingested_at"])


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _quantiles(values: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=100)
    return statistics.median(values), cuts[98]


def _decoding_rate(messages: Sequence[Sequence[str]]) -> float:
    heard = Heard("US/Eastern")
    decoder = Decoder(heard, VERSION)
    began = time.perf_counter()
    for fields in messages:
        decoder.interpret(list(fields))
        heard.calls.clear()
    return len(messages) / (time.perf_counter() - began)


def _is_ready(loop: LiveLoop) -> bool:
    return bool(
        loop.warehouse.value(
            "select count() from audit.outbox_entries where kind = 'link' and payload like '%\"ready\"%'"
        )
    )


if __name__ == "__main__":
    main()
