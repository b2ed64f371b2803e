"""The live path in one process: gateway, broker session and drain in threads, Redis and warehouse for real.

What processes add (kills) is another file's business; here a fault is done in the gateway's loop, and a test
waits until the warehouse has what the broker's journal has.
"""

import asyncio
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from embedded_warehouse import start_migrated_warehouse
from real_redis import start_redis

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.ibkr.session.runner import Runner, SessionPorts
from adapters.wiring import drain_tools, open_alerts, open_command_queue, open_live_state, open_outbox
from simulation.broker.model import Ticket
from simulation.broker.orders import TRADER_IDS_FROM
from simulation.gateway import Gateway, GatewayPlan, Running, run_in_thread
from simulation.sample_desk import Difference, Journal, compare
from trading.errors import DeskError
from trading.services.drain_outbox import OutboxDrain
from trading.settings import Settings

SPEED = 120
CLIENT = 11
SHARES, OPTIONS = Decimal(300), Decimal(5)
CASH = Decimal(1_000_000_000)  # a hundred purchases, and no broker says that there is not enough
EQUAL_S = 120.0
ENDED_S = 60.0
POLL_FIRST_S, POLL_MAX_S = 0.05, 0.5
LINK_SETTINGS = {  # a fault costs seconds of this machine, not a minute
    "silence_after_s": 3, "connect_timeout_s": 5, "request_timeout_s": 10, "reconnect_max_s": 1,
}  # fmt: skip


@dataclass(slots=True)
class LiveLoop:
    """All of it, running."""

    running: Running
    settings: Settings
    warehouse: Warehouse
    numbers: "count[int]"

    @property
    def account(self) -> str:
        """The one account."""
        return next(iter(self.running.broker.ledgers))

    def trade(self) -> None:
        """A purchase of shares and one of options at the market, and an order far below that stays."""
        self.running.do(_go_into_trading_hours)
        symbol_of = self.running.do(_symbols)
        for conid, many, more in (
            (symbol_of["SPY"], SHARES, {}),
            (symbol_of["option"], OPTIONS, {}),
            (symbol_of["SPY"], SHARES, {"order_type": "LMT", "limit_price": Decimal(1)}),
        ):
            self.running.do(self._place(conid, many, **more))

    def journal(self) -> Journal:
        """The truth until now, as far as a stream can know it: every execution that stands."""
        told = self.running.do(lambda gateway: gateway.broker.journal())
        return replace(told, fills=tuple(row for row in told.fills if row["kind"] == "trade"))

    def differences(self) -> tuple[Difference, ...]:
        """What the warehouse has otherwise."""
        return compare(self.journal(), fills=self.warehouse.rows(sql.query("fills_standing")))

    def wait_for(
        self, is_so: Callable[[], bool], what: Callable[[], object], limit_s: float = EQUAL_S
    ) -> None:
        """Poll with a bound, ever less often: questions are dear. What is so at the end is told."""
        deadline, pause_s = time.monotonic() + limit_s, POLL_FIRST_S
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(what())
            time.sleep(pause_s)
            pause_s = min(POLL_MAX_S, pause_s * 1.5)

    def heard(self, since: datetime, where: str) -> int:
        """How many entries of the outbox are so."""
        return int(
            self.warehouse.value(
                f"select count() from audit.outbox_entries where heard_at >= {{since:DateTime64(6, 'UTC')}} "
                f"and ({where})",
                {"since": since},
            )
        )

    def _place(self, conid: int, many: Decimal, **more: Any) -> Callable[[Gateway], None]:
        def place(gateway: Gateway) -> None:
            ticket = Ticket(
                client_id=CLIENT,
                order_id=next(self.numbers),
                account=self.account,
                contract=gateway.world.listings.contract(conid),
                action="BUY",
                quantity=many,
                order_type="MKT",
                order_ref="catalogue",
            )
            gateway.server.tell(gateway.broker.place(replace(ticket, **more), gateway.clock.now()))

        return place


@contextmanager
def live_loop(
    folder: Path, *, speed: float = SPEED, orders: int = 0, link: bool = True
) -> Iterator[LiveLoop]:
    """Everything up, and down again."""
    short = Path(tempfile.mkdtemp(prefix="r-"))  # the path of a socket holds a hundred characters
    server, redis = start_migrated_warehouse(folder / "warehouse"), start_redis(short)
    plan = GatewayPlan(
        speed=speed, orders=orders, client_id=CLIENT, control_port=None, skip_nights=True, cash=CASH
    )
    try:
        warehouse = Warehouse(server.url)
        with run_in_thread(plan) as running:
            settings = _settings(folder, server.url, redis.url, running.port, int(speed), link)
            with _session(settings), _drain(settings, Warehouse(server.url)):
                yield LiveLoop(running, settings, warehouse, count(TRADER_IDS_FROM + 1_000_000))
    finally:
        redis.kill()
        server.kill()
        shutil.rmtree(short, ignore_errors=True)


def _settings(
    folder: Path, warehouse_url: str, redis_url: str, port: int, speed: int, quick_link: bool
) -> Settings:
    given = {
        "DESK_HOME": str(folder), "CLICKHOUSE_URL": warehouse_url, "REDIS_URL": redis_url,
        "BROKER_HOST": "127.0.0.1", "BROKER_PORT": str(port), "BROKER_SPEED": str(speed),
        "BROKER_SIMULATED_CLOCK": "true",
    }  # fmt: skip
    settings = load_settings(given, with_stack=False)
    broker = replace(settings.broker, **LINK_SETTINGS) if quick_link else settings.broker
    return replace(settings, broker=broker)


@contextmanager
def _session(settings: Settings) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ports = SessionPorts(
        outbox=open_outbox(settings),
        commands=open_command_queue(settings),
        live_state=open_live_state(settings),
        clock=SystemClock(),
        alerts=open_alerts(settings, "broker"),
    )
    runner = Runner(settings.broker, ports, random.Random(1))

    def work() -> None:
        asyncio.set_event_loop(loop)  # the client library asks for it
        loop.run_until_complete(runner.run(stop))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(ENDED_S)
        loop.close()


@contextmanager
def _drain(settings: Settings, warehouse: Warehouse) -> Iterator[None]:
    drain, ending = OutboxDrain(drain_tools(settings, warehouse, "drain@test")), threading.Event()

    def work() -> None:
        while not ending.is_set():
            try:
                drain.drain_once(0.1)
            except DeskError:  # as the process does: what was not stored is read again
                time.sleep(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(ENDED_S)


def _go_into_trading_hours(gateway: Gateway) -> None:
    """To a minute after an opening, where the session is over or almost."""
    calendar, now = gateway.world.calendar, gateway.clock.now()
    for session in gateway.world.sessions:
        opens, closes = calendar.session_open(session), calendar.session_close(session)
        if now < closes - timedelta(minutes=40):
            if now < opens + timedelta(minutes=1):
                gateway.move_to(opens + timedelta(minutes=1))
            return
    raise AssertionError("the world has no session left")


def _symbols(gateway: Gateway) -> dict[str, int]:
    """Shares of SPY, and a call on it near the money that ends in a later session."""
    world, now = gateway.world, gateway.clock.now()
    listed = [item for item in world.listings.by_conid.values() if item.underlying is not None]
    shares = next(item for item in listed if item.asset == "STK" and item.symbol == "SPY")
    spot = gateway.broker.quote(shares.conid, now).ask or Decimal(0)
    calls = [
        item
        for item in listed
        if item.asset == "OPT" and item.right == "C" and item.underlying == shares.underlying
        and item.expiry is not None and item.expiry > world.sessions[-1]
    ]  # fmt: skip
    near = min(calls, key=lambda item: (abs((item.strike or Decimal(0)) - spot), item.conid))
    return {"SPY": shares.conid, "option": near.conid}


def now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)
