"""A whole session of one client against the real simulated broker, written down as the library tells it.

Connect, chain, quotes, bracket, partial fills, correction, drop, reconnect. Time moves by hand, and each step
ends with a question and its answer, behind which nothing can still be under way; so the log depends on the
seed only, and must be the same on both libraries. Order numbers are not in it: how many request ids a library
uses for itself is its own business.
"""

import asyncio
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from gateway_client import connected, gateway, library, until

from simulation.broker.exchange import SimulatedBroker
from simulation.broker.ledger import AccountSpec
from simulation.market.clock import SimulatedClock
from simulation.market.world import new_world
from simulation.sample_desk.month import Account
from simulation.tws.server import GatewayServer
from trading.calendar import TradingCalendar

SEED = 20261113
SESSION = date(2026, 11, 13)
ACCOUNT = "DU1234567"
CLIENT = 7
SPY_CONID = 756733


def real_broker(seed: int = SEED, cash: int = 1_000_000) -> SimulatedBroker:
    """A broker with one flat account before the opening of the session."""
    world = new_world(seed, SESSION, 3, TradingCalendar())
    account = Account(name=ACCOUNT, base_currency="USD", dashed_times=False, live_zone="US/Eastern")
    return SimulatedBroker(world, [AccountSpec(account=account, cash={"USD": Decimal(cash)})])


def opening_clock(after: timedelta = timedelta(minutes=5)) -> SimulatedClock:
    """A clock moved by hand, some minutes into the session."""
    return SimulatedClock(TradingCalendar().session_open(SESSION) + after, None)


@dataclass(slots=True)
class ScriptedSession:
    """One run of the script; `lines` is the event log."""

    broker: SimulatedBroker
    server: GatewayServer
    clock: SimulatedClock
    lines: list[str] = field(default_factory=list)
    ib: Any = None

    async def play(self) -> None:
        """The whole script."""
        await self.connect()
        option = await self.contract()
        await self.quotes(option)
        await self.bracket(option)
        await self.partial_fills(option)
        await self.correction()
        await self.drop(option)
        await self.reconnect()
        self.ib.disconnect()

    # steps

    async def connect(self) -> None:
        self.ib = await connected(self.server.port, CLIENT)
        self.ib.TimezoneTWS = "US/Eastern"
        self._listen()
        self.note("connected", self.ib.managedAccounts(), self.ib.client.serverVersion())

    async def contract(self) -> Any:
        """The first call out of the money of the session's own expiry."""
        ib = library()
        chains = await self.ib.reqSecDefOptParamsAsync("SPY", "", "STK", SPY_CONID)
        chain = next(each for each in chains if each.exchange == "SMART")
        self.note("chain", chain.tradingClass, chain.expirations[:2], len(chain.strikes))
        (ticker,) = await self.ib.reqTickersAsync(ib.Contract(conId=SPY_CONID, exchange="SMART"))
        strike = next(each for each in chain.strikes if each > ticker.ask)
        asked = ib.Option("SPY", f"{SESSION:%Y%m%d}", strike, "C", "SMART")
        (option,) = await self.ib.qualifyContractsAsync(asked)
        self.note("contract", option.localSymbol, option.conId, ticker.bid, ticker.ask)
        return option

    async def quotes(self, option: Any) -> None:
        ticker = self.ib.reqMktData(option, "101")
        await self.step(5)
        greeks = ticker.modelGreeks
        self.note("quote", ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize, ticker.callOpenInterest)
        self.note("greeks", f"{greeks.impliedVol:.6f} {greeks.delta:.6f} {greeks.undPrice:.2f}")
        self.ib.cancelMktData(option)

    async def bracket(self, option: Any) -> None:
        """Bought at once; the target waits, the stop is held."""
        touch = self.broker.quote(option.conId, self.clock.now())
        assert touch.ask is not None
        entry = float(touch.ask)
        target, stop = round(entry * 2, 1), round(entry / 2, 1)
        orders = self.ib.bracketOrder("BUY", 2, entry, target, stop)
        for order, name in zip(orders, ("entry", "target", "stop"), strict=True):
            order.orderRef = name
            order.transmit = name == "stop"
            self.ib.placeOrder(option, order)
        await self.step(20)

    async def partial_fills(self, option: Any) -> None:
        ib = library()
        touch = self.broker.quote(option.conId, self.clock.now())
        assert touch.ask is not None
        order = ib.LimitOrder("BUY", 80, float(touch.ask), orderRef="large")
        self.ib.placeOrder(option, order)
        await self.step(60)

    async def correction(self) -> None:
        """The last execution is printed again with one contract less."""
        execution, _ = self.broker.executions(self.clock.now())[-1]
        quantity = max(Decimal(1), execution.quantity - 1)
        self.server.tell(self.broker.correct(execution.exec_id, quantity=quantity, now=self.clock.now()))
        await self.step(5)

    async def drop(self, option: Any) -> None:
        """An order fills while nobody listens."""
        touch = self.broker.quote(option.conId, self.clock.now())
        assert touch.ask is not None
        unheard = library().LimitOrder("BUY", 1, float(touch.ask) + 0.5, orderRef="unheard")
        self.server.faults.execution_copies = 0
        self.ib.placeOrder(option, unheard)
        await until(lambda: len(self.broker.register.by_perm) >= 5, "the order to arrive")
        self.server.drop_links()
        await until(lambda: not self.ib.isConnected(), "the client to notice")
        self.server.faults.clear()
        for _ in range(30):
            self._second()
        self.note("dropped")

    async def reconnect(self) -> None:
        self.ib = await connected(self.server.port, CLIENT)
        self.note("reconnected")
        for fill in sorted(self.ib.fills(), key=lambda each: each.execution.execId):
            self.note("held", *_execution(fill))
        for trade in sorted(self.ib.openTrades(), key=lambda each: each.order.orderRef):
            self.note("open", trade.order.orderRef, trade.orderStatus.status, trade.orderStatus.whyHeld)
        for held in self.ib.positions():
            self.note("position", held.contract.localSymbol, held.position, round(held.avgCost, 6))

    # what the library says

    def note(self, *words: object) -> None:
        """One line of the log."""
        at = f"{self.clock.now():%H:%M:%S}"
        self.lines.append(" ".join([at, *(str(word) for word in words)]))

    def _listen(self) -> None:
        self.ib.orderStatusEvent += lambda trade: self.note(
            "status",
            trade.order.orderRef,
            trade.orderStatus.status,
            trade.orderStatus.filled,
            trade.orderStatus.remaining,
            trade.orderStatus.whyHeld,
        )
        self.ib.execDetailsEvent += lambda trade, fill: self.note("fill", *_execution(fill))
        self.ib.commissionReportEvent += lambda trade, fill, report: self.note(
            "commission", report.execId, round(report.commission, 4), report.currency
        )
        self.ib.errorEvent += lambda request_id, code, text, *_: self.note("notice", code, text)

    async def step(self, seconds: int) -> None:
        """Let simulated seconds pass, each heard to its end."""
        for _ in range(seconds):
            await self.ib.reqCurrentTimeAsync()  # what was asked before is done
            self._second()
            await self.ib.reqCurrentTimeAsync()  # what was told has been read

    def _second(self) -> None:
        self.clock.advance(timedelta(seconds=1))
        self.server.pump()


def _execution(fill: Any) -> Iterator[object]:
    told = fill.execution
    yield from (told.execId, told.side, told.shares, told.price, told.exchange, told.cumQty, told.orderRef)
    yield f"{told.time:%H:%M:%S}"


async def played(server_version: int = 176) -> list[str]:
    """The event log of one run."""
    broker, clock = real_broker(), opening_clock()
    options = {"server_version": server_version, "messages_per_second": 10_000, "pump_s": 3_600}
    async with gateway(broker, clock, accounts=[ACCOUNT], **options) as server:
        importlib.import_module(
            f"{library().__name__}.client"
        ).Client.MaxRequests = 0  # no waiting by the wall
        session = ScriptedSession(broker, server, clock)
        await session.play()
        return session.lines


if __name__ == "__main__":
    print("\n".join(asyncio.run(played())))
