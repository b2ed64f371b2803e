"""Messages a second the simulated gateway sustains over TCP, against the same bytes only decoded.

Gateway and reader share one process and one loop; the reader cuts the stream into messages and keeps them.
What it kept is then decoded by the client library in the same run, so the ratio does not depend on the
machine. Three loads: executions with their commission reports, level 1 of a hundred option lines, and
questions answered one by one. The gateway is to be at least half as fast as the library reads executions:
then it is never what limits a measurement of the platform.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from gateway_client import Heard, RawClient  # noqa: E402
from ib_insync.decoder import Decoder  # noqa: E402
from small_broker import ACCOUNT, OPTION, SmallBroker, hand_clock  # noqa: E402

from simulation.broker.model import Commissioned, CommissionView, Executed, ExecutionView  # noqa: E402
from simulation.tws.framing import LENGTH, fields_of  # noqa: E402
from simulation.tws.options import GatewayOptions  # noqa: E402
from simulation.tws.server import GatewayServer  # noqa: E402

BATCH = 500
LINES = 100
VERSION = 176


async def main(messages: int) -> bool:
    """Run the three loads and print one line each; whether the aim was met."""
    logging.getLogger("ib_insync").setLevel(logging.CRITICAL)
    met = True
    for name, (load, aim) in LOADS.items():
        sent, received = await _measured(load, messages)
        decoded = _decoding_rate(received)
        met &= sent / decoded >= aim
        told = f"gateway {name}: {len(received):,} messages, {sent:,.0f}/s over TCP"
        print(f"{told}, {decoded:,.0f}/s only decoded, ratio {sent / decoded:.2f} (aim {aim})")
    return met


async def _measured(load: "Load", messages: int) -> tuple[float, list[bytes]]:
    broker, clock = SmallBroker(), hand_clock()
    options = GatewayOptions(server_version=VERSION, pump_s=3_600, messages_per_second=10**9)
    server = GatewayServer(broker, clock, accounts=[ACCOUNT], options=options)
    await server.start()
    try:
        raw = await RawClient.started(server.port)
        bodies: list[bytes] = []
        reading = asyncio.create_task(_read(raw, bodies, messages))
        begun = time.perf_counter()
        await load(server, raw, broker, messages)
        await reading
        return messages / (time.perf_counter() - begun), bodies
    finally:
        await server.stop()


async def _read(raw: RawClient, bodies: list[bytes], count: int) -> None:
    """The client's side of the socket: cut into messages, not decoded."""
    kept = bytearray()
    while len(bodies) < count:
        kept += await raw.reader.read(1 << 16)
        start = 0
        while len(kept) - start >= 4:
            (length,) = LENGTH.unpack_from(kept, start)
            if len(kept) < start + 4 + length:
                break
            bodies.append(bytes(kept[start + 4 : start + 4 + length]))
            start += 4 + length
        del kept[:start]


def _decoding_rate(bodies: list[bytes]) -> float:
    """The same bytes through the library's decoder alone."""
    heard = Heard("US/Eastern")
    decoder = Decoder(heard, VERSION)
    begun = time.perf_counter()
    for body in bodies:
        decoder.interpret(fields_of(body))
        heard.calls.clear()
    return len(bodies) / (time.perf_counter() - begun)


Load = Callable[[GatewayServer, RawClient, SmallBroker, int], Awaitable[None]]


async def executions(server: GatewayServer, raw: RawClient, broker: SmallBroker, messages: int) -> None:
    """Fills nobody waits for: each an execution and its commission report."""
    now = server.clock.now()
    first = ExecutionView(
        exec_id="", at=now, account=ACCOUNT, contract=OPTION, exchange="CBOE", side=1, quantity=Decimal(3),
        price=Decimal("1.25"), perm_id=1, client_id=9, order_id=1, cumulative=Decimal(3),
        average_price=Decimal("1.25"), order_ref="zero_dte", liquidity=2,
    )  # fmt: skip
    for batch in range(0, messages // 2, BATCH):
        for number in range(batch, min(batch + BATCH, messages // 2)):
            exec_id = f"0000e0d5.{number:08x}.01.01"
            report = CommissionView(exec_id=exec_id, amount=Decimal("1.95"), currency="USD", realized=None)
            said = Commissioned(report=report, client_id=9, due_at=now)
            server.state.tell([Executed(execution=replace(first, exec_id=exec_id)), said])
        server.flush()
        await asyncio.sleep(0)


async def quotes(server: GatewayServer, raw: RawClient, broker: SmallBroker, messages: int) -> None:
    """A hundred lines of an option, every quote new at each look: two prices, two sizes, greeks."""
    for number in range(LINES):
        raw.send(
            "1",
            "11",
            number,
            OPTION.conid,
            *["", "", "", "0.0", "", "", "SMART", "", "", "", ""],
            "0",
            "",
            "0",
            "0",
            "",
        )
    while server.state.clients.by_id[9].subscriptions.count("level1") < LINES:
        await asyncio.sleep(0.001)
    steps = 0
    while server.state.clients.by_id[9].link.messages_sent < messages:
        steps += 1
        broker.bid, broker.ask = Decimal(120 + steps % 2) / 100, Decimal(125 + steps % 2) / 100
        server.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
        server.pump()
        await asyncio.sleep(0)


async def questions(server: GatewayServer, raw: RawClient, broker: SmallBroker, messages: int) -> None:
    """The time, asked and answered."""
    for batch in range(0, messages, BATCH):
        for _ in range(min(BATCH, messages - batch)):
            raw.send("49", "1")
        await asyncio.sleep(0)


LOADS: dict[str, tuple[Load, float]] = {
    "executions with commission reports": (executions, 0.5),
    "level 1 of 100 option lines": (quotes, 0.25),
    "questions answered one by one": (questions, 0.1),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    sys.exit(0 if asyncio.run(main(parser.parse_args().messages)) else 1)
