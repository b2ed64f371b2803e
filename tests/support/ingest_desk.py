"""A market-data session against a simulated gateway in a thread, its ports in memory or real Redis."""

import asyncio
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.ibkr.market.runner import MarketPorts, MarketRunner
from adapters.ibkr.session.client_library import INSTALLED
from adapters.memory.alerts import MemoryAlerts
from adapters.memory.feed_board import MemoryFeedBoard
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.market import MemoryMarket, MemoryMarketSink, MemoryMarketState
from simulation.gateway import GatewayPlan, Running, run_in_thread
from trading.market_settings import ChainMode, IngestSettings, MarketSettings, SymbolSettings
from trading.model.market import MarketKind, MarketRow
from trading.settings import BrokerSettings

WAIT_S = 90.0  # for what must come: a bound for a broken test, never a measure of a machine
ENDED_S = 60.0
SPEED = 60
LINK_SETTINGS = {
    "silence_after_s": 10, "connect_timeout_s": 30, "request_timeout_s": 30, "reconnect_first_s": 0.05,
    "reconnect_max_s": 0.3,
}  # fmt: skip


def symbol_settings(**changes: Any) -> SymbolSettings:
    """One symbol without books and chains."""
    given: dict[str, Any] = {
        "sector": "test", "depth": False, "tick_by_tick": False, "bars": True, "chain": ChainMode.NONE,
        "has_news": False,
    }  # fmt: skip
    return SymbolSettings(**(given | changes))


def market_settings(**symbols: SymbolSettings) -> MarketSettings:
    """These symbols, with small chains."""
    return MarketSettings(symbols=symbols, chain_expiries_max=2, chain_strikes_each_side=3)


def ingest_settings(**changes: Any) -> IngestSettings:
    """The shipped ones."""
    shipped = load_settings({}, with_stack=False).ingest
    return dataclasses.replace(shipped, **({"flush_every_ms": 50} | changes))


def broker_settings(port: int, speed: int = SPEED, **changes: Any) -> BrokerSettings:
    """The shipped ones, for a gateway on this port."""
    shipped = load_settings({}, with_stack=False).broker
    given = {"host": "127.0.0.1", "port": port, "simulated_clock": True, "library": INSTALLED, "speed": speed}
    return dataclasses.replace(shipped, **(given | LINK_SETTINGS | changes))


@dataclasses.dataclass(slots=True)
class MarketDesk:
    """A running session and what it has told."""

    running: Running
    runner: MarketRunner
    market: MemoryMarket
    alerts: MemoryAlerts
    board: MemoryFeedBoard

    def rows(self, kind: MarketKind, symbol: str) -> list[MarketRow]:
        """All rows of one kind and symbol in the outbox, in order."""
        entries = list(self.market.entries.values())
        blocks = [entry.block for entry in entries if hasattr(entry, "block")]
        return [
            row for block in blocks if block.kind is kind and block.symbol == symbol for row in block.rows
        ]

    @property
    def state(self) -> MemoryMarketState:
        """The live market."""
        return MemoryMarketState(self.market)

    def wait_for(self, is_so: Callable[[], Any], what: Callable[[], object] | str) -> None:
        """Poll with a bound; what is the case at the end is the failure's text."""
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(what if isinstance(what, str) else what())
            time.sleep(0.02)

    def has(self, kind: MarketKind, symbol: str, count: int = 1) -> None:
        """Wait for so many rows."""
        self.wait_for(
            lambda: len(self.rows(kind, symbol)) >= count,
            lambda: f"{len(self.rows(kind, symbol))} of {count} {kind} of {symbol}; {self.alerts.told}",
        )


@contextmanager
def market_desk(
    market: MarketSettings,
    *,
    plan: GatewayPlan | None = None,
    ingest: IngestSettings | None = None,
    ports: Callable[[MemoryMarket], dict[str, Any]] | None = None,
    before: Callable[[Running], None] | None = None,
    **broker: Any,
) -> Iterator[MarketDesk]:
    """Everything up in trading hours, and down again."""
    plan = plan or GatewayPlan(speed=SPEED, orders=0, control_port=None, skip_nights=True)
    with run_in_thread(plan) as running:
        running.do(into_trading_hours)
        if before is not None:
            before(running)
        memory, alerts, board = MemoryMarket(), MemoryAlerts(), MemoryFeedBoard()
        given: dict[str, Any] = {
            "sink": MemoryMarketSink(memory), "board": board, "live_state": MemoryLiveState(),
            "alerts": alerts, "clock": SystemClock(), **(ports(memory) if ports else {}),
        }  # fmt: skip
        runner = MarketRunner(
            broker_settings(running.port, int(plan.speed or 1), **broker),
            market,
            ingest or ingest_settings(),
            MarketPorts(**given),
            random.Random(7),
        )
        with session_in_thread(runner):
            yield MarketDesk(running, runner, memory, given["alerts"], board)


@contextmanager
def second_session(
    settings: MarketSettings, port: int, *, market: MemoryMarket | None = None, **changes: Any
) -> Iterator[MarketDesk]:
    """Another session on a gateway that runs already, by default with the same client id."""
    memory, alerts, board = market or MemoryMarket(), MemoryAlerts(), MemoryFeedBoard()
    ports = MarketPorts(
        sink=MemoryMarketSink(memory),
        state=MemoryMarketState(memory),
        board=board,
        live_state=MemoryLiveState(),
        alerts=alerts,
        clock=SystemClock(),
    )
    runner = MarketRunner(
        broker_settings(port), settings, ingest_settings(**changes), ports, random.Random(8)
    )
    with session_in_thread(runner):
        yield MarketDesk(None, runner, memory, alerts, board)  # type: ignore[arg-type]


@contextmanager
def session_in_thread(runner: MarketRunner) -> Iterator[None]:
    """Run a session in a loop of its own; its failure is raised at the end."""
    loop, stop, failures = asyncio.new_event_loop(), asyncio.Event(), list[BaseException]()

    def work() -> None:
        asyncio.set_event_loop(loop)  # the client library asks for it
        try:
            loop.run_until_complete(runner.run(stop))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join(ENDED_S)
        loop.close()
    if failures:
        raise failures[0]


def into_trading_hours(gateway: Any) -> None:
    """To a minute after an opening."""
    calendar, now = gateway.world.calendar, gateway.clock.now()
    for session in gateway.world.sessions:
        opens, closes = calendar.session_open(session), calendar.session_close(session)
        if now < closes - timedelta(minutes=60):
            if now < opens + timedelta(minutes=1):
                gateway.move_to(opens + timedelta(minutes=1))
            return
    raise AssertionError("the world has no session left")
