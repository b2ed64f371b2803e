"""The simulated gateway put together: world, broker, sample trader, server, faults, control port, exports.

`Gateway` runs in the caller's loop; `run_in_thread` gives tests one in a loop of its own. A plan with a
state folder writes down what is done to the broker, so a killed gateway goes on where it was. Keep out:
settings and the environment (the caller brings a plan).
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from simulation.broker.exchange import SimulatedBroker
from simulation.broker.input_log import InputLog, RecordedBroker
from simulation.broker.ledger import AccountSpec
from simulation.broker.model import BrokerSays
from simulation.broker.trader import QUANTITY_MOST, SampleTrader
from simulation.faults.control import ControlPort
from simulation.faults.script import ScriptRunner, read_script, steps_of
from simulation.faults.stage import Stage
from simulation.market.clock import SimulatedClock
from simulation.market.hours import BOOKED_AT, local
from simulation.market.replay import RecordedWorld, recorded_world
from simulation.market.world import DEFAULT_SESSIONS, DRAWN_AS, World, new_world, world_after
from simulation.sample_desk.month import Account, draw_month
from simulation.sample_desk.writing import DEFAULT_ACCOUNTS, DEFAULT_FIRST_SESSION
from simulation.sample_desk.writing import DEFAULT_SESSIONS as MONTH_SESSIONS
from simulation.tws.options import GatewayOptions
from simulation.tws.server import GatewayServer
from trading.calendar import TradingCalendar

LOGGER = logging.getLogger(__name__)
STARTS_BEFORE_OPEN = timedelta(seconds=60)
RESTS_AFTER_BOOKING = timedelta(minutes=2)  # before a skipped night, and for good after the last session
TICK_EVERY = timedelta(seconds=10)  # simulated; how far the world has come is noted so often at most
ACCOUNTS_MOST = 9
START_TIMEOUT_S = 30.0
CALL_TIMEOUT_S = 60.0
INPUTS_NAME, JOURNAL_NAME = "inputs.jsonl", "journal.json"
STARTING_CASH = Decimal(5_000_000)
DEFAULT_ORDERS = 40
DEFAULT_CLIENT = 11
STEP_MOST_S = 40 * 86_400.0
STEPS_MOST = 100_000  # pieces of one step
HAND_OVER_WITHIN_S = 60.0  # wall time
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlan:
    """What to play. `session` None goes on after the sample desk's month, with its prices and contract ids.

    speed: simulated seconds per second; None stands still until the clock is moved. orders: of the sample
    trader, per account and session; 0 is none. largest: contracts of one of its orders. faults: a script.
    export: folder for each session's statements and the journal. state: folder of the input log.
    skip_nights: go from a booked session to the next opening. data: a folder of recorded files to play
    instead of a drawn market; the sessions are then those of the files, and the sample trader stays at home.
    symbols: synthetic companies beside the known ones, for load.
    """

    seed: int = 7
    speed: float | None = 1.0
    session: date | None = None
    sessions: int = DEFAULT_SESSIONS
    accounts: int = 1
    cash: Decimal = STARTING_CASH
    orders: int = DEFAULT_ORDERS
    largest: int = QUANTITY_MOST
    client_id: int = DEFAULT_CLIENT
    control_port: int | None = 0
    faults: str = ""
    export: Path | None = None
    state: Path | None = None
    skip_nights: bool = False
    data: Path | None = None
    symbols: int = 0
    options: GatewayOptions = field(default_factory=GatewayOptions)


class Gateway:
    """One running simulated gateway."""

    def __init__(self, plan: GatewayPlan) -> None:
        self.plan = plan
        self.world = build_world(plan)
        specs = account_specs(plan)
        names = [spec.account.name for spec in specs]
        self.log = InputLog(plan.state / INPUTS_NAME) if plan.state is not None else None
        self.broker: SimulatedBroker = (
            SimulatedBroker(self.world, specs)
            if self.log is None
            else RecordedBroker(self.world, specs, self.log)
        )
        self.trader = SampleTrader(
            broker=self.broker,
            accounts=names,
            client_id=plan.client_id,
            orders=plan.orders if plan.data is None else 0,
            largest=plan.largest,
        )
        for session in self.world.sessions:
            self.trader.schedule(session)
        if self.log is not None:
            self.log.begin(self._identity())
        resumed = self.broker.replay() if isinstance(self.broker, RecordedBroker) else None
        first = self.world.calendar.session_open(self.world.sessions[0]) - STARTS_BEFORE_OPEN
        self.clock = SimulatedClock(resumed or first, plan.speed)
        self.server = GatewayServer(self.broker, self.clock, accounts=names, options=plan.options)
        self.runner = self._runner(resumed)
        self.control: ControlPort | None = None
        self._exported: set[date] = set()
        self._noted = self.clock.now()
        self.server.before_advance.append(self._before_advance)

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.server.port

    @property
    def control_port(self) -> int:
        """Where faults are asked for."""
        if self.control is None:
            raise ValueError("control port: expected a plan with one, was none")
        return self.control.port

    async def start(self) -> None:
        """Listen for clients and for faults."""
        await self.server.start()
        if self.plan.control_port is not None:
            self.control = ControlPort(self.runner, self.status, self.step, self.plan.control_port)
            await self.control.start()

    async def stop(self) -> None:
        """End all connections."""
        if self.control is not None:
            await self.control.stop()
        await self.server.stop()
        if self.log is not None:
            self.log.close()

    def move_to(self, moment: datetime) -> None:
        """Let a clock that stands still go to a moment, and tell what happened until then."""
        self.clock.jump(moment)
        self.server.pump()

    async def step(self, seconds: float, each_s: float) -> dict[str, Any]:
        """Let a standing clock go on, in steps of so many seconds at most, and hand over all that is told.

        What the sockets have taken when this returns is everything: who then asks for the time and hears the
        answer has heard it all.
        """
        if not self.clock.is_manual:
            raise ValueError(f"step: expected a clock that stands, was one of speed {self.clock.speed}")
        if not each_s > 0 or not 0 < seconds <= STEP_MOST_S or seconds / each_s > STEPS_MOST:
            raise ValueError(f"step: expected up to {STEP_MOST_S} s in at most {STEPS_MOST}, was {seconds}")
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < until:
            self.move_to(min(self.clock.now() + timedelta(seconds=each_s), until))
            if not await self.server.handed_over(HAND_OVER_WITHIN_S):
                raise ValueError(f"step: expected all clients to read within {HAND_OVER_WITHIN_S} s")
        return {"now": self.clock.now().isoformat()}

    def export(self, session: date) -> list[Path]:
        """Write the session's statements, and the journal so far, into the plan's folder."""
        if self.plan.export is None:
            raise ValueError("export: expected a plan with a folder, was none")
        files = [(name, text) for name, text in self.broker.files(session)]
        paths = [_write(self.plan.export / name, text) for name, text in files]
        journal = self.plan.export / JOURNAL_NAME
        self.broker.journal().write(journal)
        return [*paths, journal]

    def status(self) -> dict[str, Any]:
        """The world in a few figures."""
        now = self.clock.now()
        return {
            "now": now.isoformat(),
            "session": self.broker.session.isoformat(),
            "speed": self.clock.speed,
            "stands": self.clock.is_frozen,
            "port": self.port,
            "clients": sorted(self.server.state.clients.by_id),
            "orders": len(self.broker.register.by_perm),
            "live_orders": len(self.broker.open_orders(None)),
            "executions": len(self.broker.executed.told),
            "positions": len(self.broker.positions()),
            "faults_done": len(self.runner.ran),
            "remarks": self.world.remarks() if isinstance(self.world, RecordedWorld) else [],
            "exported": sorted(session.isoformat() for session in self._exported),
        }

    def _identity(self) -> dict[str, object]:
        """What decides everything that nobody does to the broker."""
        plan = self.plan
        return {
            "seed": plan.seed,
            "sessions": [session.isoformat() for session in self.world.sessions],
            "accounts": plan.accounts,
            "cash": plan.cash,
            "orders": plan.orders,
            "largest": plan.largest,
            "client_id": plan.client_id,
            "symbols": plan.symbols,
            **({"drawn_as": DRAWN_AS} if plan.data is None else {"data": plan.data.name}),
        }

    def _runner(self, resumed: datetime | None) -> ScriptRunner:
        stage = Stage(broker=self.broker, server=self.server, clock=self.clock, at=self.clock.now())
        steps = steps_of(read_script(self.plan.faults), self.world.sessions[0])
        runner = ScriptRunner(stage=stage, steps=steps)
        if resumed is not None:
            runner.resume(resumed)
        return runner

    def _before_advance(self, now: datetime) -> Sequence[BrokerSays]:
        """What the gateway does by itself at each step of the world."""
        self.runner.run_due(now)
        now = min(now, self.clock.now())  # a clock that was frozen stands where its script says
        says = self.broker.advance(now)
        self._export_booked(now)
        if isinstance(self.broker, RecordedBroker) and now - self._noted >= TICK_EVERY:
            self.broker.tick(now)
            self._noted = now
        self._pass_night(now)
        return says

    def _export_booked(self, now: datetime) -> None:
        for session in self.world.sessions:
            if now >= local(session, BOOKED_AT) and session not in self._exported:
                self._exported.add(session)
                if self.plan.export is not None:
                    self.export(session)
                LOGGER.info("session %s is booked", session)

    def _pass_night(self, now: datetime) -> None:
        """After the last session the world stands still; before that a night may be skipped."""
        booked = [session for session in self.world.sessions if now >= local(session, BOOKED_AT)]
        if not booked or now < local(booked[-1], BOOKED_AT) + RESTS_AFTER_BOOKING:
            return
        if booked[-1] == self.world.sessions[-1]:
            self.clock.freeze()
            return
        following = self.world.sessions[len(booked)]
        opens = self.world.calendar.session_open(following) - STARTS_BEFORE_OPEN
        if self.plan.skip_nights and now < opens:
            self.clock.jump(opens)


def build_world(plan: GatewayPlan) -> World:
    """The plan's world."""
    calendar = TradingCalendar()
    if plan.data is not None:
        return recorded_world(plan.data, plan.session, plan.sessions, calendar)
    if plan.session is not None:
        return new_world(plan.seed, plan.session, plan.sessions, calendar, plan.symbols)
    month = draw_month(plan.seed, DEFAULT_FIRST_SESSION, MONTH_SESSIONS, DEFAULT_ACCOUNTS, calendar)
    return world_after(month, plan.sessions, calendar, plan.symbols)


def account_specs(plan: GatewayPlan) -> list[AccountSpec]:
    """Accounts of their own beside the sample desk's, with cash and no positions."""
    if not 1 <= plan.accounts <= ACCOUNTS_MOST:
        raise ValueError(f"accounts: expected 1 to {ACCOUNTS_MOST}, was {plan.accounts}")
    return [
        AccountSpec(
            account=Account(
                name=f"U88{index + 1:05d}", base_currency="USD", dashed_times=False, live_zone="US/Eastern"
            ),
            cash={"USD": plan.cash},
        )
        for index in range(plan.accounts)
    ]


class Running:
    """A gateway in a thread of its own; `do` runs something in its loop and gives the result."""

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop) -> None:
        self.gateway = gateway
        self._loop = loop

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.gateway.port

    @property
    def control_port(self) -> int:
        """Where faults are asked for."""
        return self.gateway.control_port

    @property
    def broker(self) -> SimulatedBroker:
        """To be touched inside `do` only."""
        return self.gateway.broker

    def do(self, action: Callable[[Gateway], T]) -> T:
        """Run an action in the gateway's loop."""

        async def act() -> T:
            return action(self.gateway)

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(CALL_TIMEOUT_S)

    def fault(self, words: str) -> None:
        """Do one fault now."""
        self.do(lambda gateway: gateway.runner.do(words, gateway.clock.now()))

    def move_to(self, moment: datetime) -> None:
        """Let a standing clock go to a moment."""
        self.do(lambda gateway: gateway.move_to(moment))


@contextmanager
def run_in_thread(plan: GatewayPlan) -> Iterator[Running]:
    """A gateway on a free port, in a loop of its own; its failure is raised at the end."""
    gateway, started, ends = Gateway(plan), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def live() -> None:
        await gateway.start()
        started.set()
        await ends.wait()
        await gateway.stop()

    def run() -> None:
        try:
            loop.run_until_complete(live())
        finally:
            loop.close()
            started.set()

    with ThreadPoolExecutor(1, thread_name_prefix="simulated-gateway") as executor:
        finished = executor.submit(run)
        try:
            started.wait(START_TIMEOUT_S)
            yield Running(gateway, loop)
        finally:
            if not finished.done():
                loop.call_soon_threadsafe(ends.set)
            finished.result(START_TIMEOUT_S)
    if gateway.server.failure is not None:
        raise gateway.server.failure


def _write(path: Path, text: str) -> Path:
    """Whole under its name or not at all, so that a watcher of the folder sees no half of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
