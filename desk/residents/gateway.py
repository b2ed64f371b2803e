"""The simulated gateway as a process: one seeded session of the sample desk, played to whoever connects.

`python -m desk.residents.gateway`; the stack starts it where it is asked for. The session is the one after
the sample desk's month, with its prices and contracts; the accounts are further ones and begin flat, so that
what was planted in the month is none of the session's business. After a kill the clock goes on where it would
be, and what was traded until then follows from the seed. SIGTERM and SIGINT end it in order: it writes the
session's truth and the broker's statements of it.
"""

import asyncio
import logging
import signal
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.configuration import load_settings
from desk.logs import log_to_console
from desk.play_folder import PLAYED_BEFORE_OPEN, PLAYED_PAST_CLOSE, PlayFolder
from simulation.broker.exchange import SimulatedBroker
from simulation.broker.ledger import AccountSpec
from simulation.broker.trader import SampleTrader
from simulation.market.clock import SimulatedClock
from simulation.market.world import world_after
from simulation.sample_desk.journal import Journal, Rows
from simulation.sample_desk.month import Account, draw_month
from simulation.sample_desk.writing import DEFAULT_ACCOUNTS, DEFAULT_FIRST_SESSION, DEFAULT_SESSIONS
from simulation.tws.options import GatewayOptions
from simulation.tws.sendings import RecordingTeller
from simulation.tws.server import GatewayServer
from trading.calendar import TradingCalendar
from trading.errors import ConfigurationError, DeskError
from trading.settings import Settings

FAILED = 1
ACCOUNTS = ("U7700004", "U7700005")
CASH = Decimal(1_000_000)
ORDERS = 40  # of one account and session
TICK_S = 0.1
SESSIONS_AHEAD_MAX = 10  # what can be played lies so close behind the month

_log = logging.getLogger("desk.gateway")


class PlayedSession:
    """One session: the world, the broker in it, its trader, and the server that tells it."""

    def __init__(self, settings: Settings, folder: PlayFolder, began_at: float) -> None:
        gateway = settings.gateway
        self.folder = folder
        calendar = TradingCalendar()
        month = draw_month(gateway.seed, DEFAULT_FIRST_SESSION, DEFAULT_SESSIONS, DEFAULT_ACCOUNTS, calendar)
        world = world_after(month, SESSIONS_AHEAD_MAX, calendar)
        if folder.session not in world.sessions:
            first, last = world.sessions[0], world.sessions[-1]
            raise ConfigurationError(f"gateway.session: expected {first} to {last}, was {folder.session}")
        self.broker = SimulatedBroker(world, [_account(name) for name in ACCOUNTS])
        trader = SampleTrader(
            broker=self.broker, accounts=ACCOUNTS, client_id=settings.broker.client_id, orders=ORDERS
        )
        trader.schedule(folder.session)
        self.ends_at = calendar.session_close(folder.session) + PLAYED_PAST_CLOSE
        self.clock = SimulatedClock(self._moment(calendar, gateway.speed, began_at), gateway.speed)
        self.broker.advance(self.clock.now())
        options = GatewayOptions(port=gateway.port, server_version=gateway.server_version)
        self.server = GatewayServer(self.broker, self.clock, accounts=ACCOUNTS, options=options)
        self.teller = RecordingTeller()
        self.server.state.teller = self.teller

    async def play(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; at the session's end the clock stands still, so that all can still be asked."""
        await self.server.start()
        _log.info("listening on 127.0.0.1:%d, session %s", self.server.port, self.folder.session)
        while not stop.is_set() and self.server.failure is None:
            self._write_sendings()
            if self.clock.now() >= self.ends_at and not self.folder.is_over():
                self.clock.freeze()
                self.folder.mark_over()
                _log.info("the session is over")
            await asyncio.sleep(TICK_S)
        await self.server.stop()
        self._write_sendings()

    def write_truth(self) -> None:
        """Book the session and write its journal and statements."""
        self.broker.close_session(self.folder.session)
        for name, text in self.broker.files(self.folder.session):
            kind = "activity" if name.endswith("_activity.xml") else "confirmation"
            path = self.folder.statements / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        session_only(self.broker.journal(), self.folder.session.isoformat()).write(self.folder.journal)

    def _moment(self, calendar: TradingCalendar, speed: int, began_at: float) -> datetime:
        """Where the clock is: at the beginning, or further where a killed gateway had begun."""
        first = calendar.session_open(self.folder.session) - PLAYED_BEFORE_OPEN
        return min(first + timedelta(seconds=(time.time() - began_at) * speed), self.ends_at)

    def _write_sendings(self) -> None:
        taken = self.teller.take()
        if taken:
            with self.folder.sent.open("a", encoding="utf-8") as file:
                file.writelines(f"{exec_id} {moment}\n" for exec_id, moment in taken)


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    log_to_console(logging.INFO)
    try:
        settings = load_settings()
        folder = PlayFolder.of(settings)
        began_at = folder.began_at(settings.gateway, time.time())
        session = PlayedSession(settings, folder, began_at)
        asyncio.run(_serve(session))
        session.write_truth()
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0 if session.server.failure is None else FAILED


def session_only(journal: Journal, session: str) -> Journal:
    """The journal without the days around the session, of which the broker keeps open books."""

    def kept(rows: Rows) -> Rows:
        return tuple(row for row in rows if row["session"] == session)

    return replace(
        journal,
        sessions=(session,),
        fills=kept(journal.fills),
        pnl_daily=kept(journal.pnl_daily),
        cash=kept(journal.cash),
        cash_flows=kept(journal.cash_flows),
    )


async def _serve(session: PlayedSession) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await session.play(stop)


def _account(name: str) -> AccountSpec:
    account = Account(name=name, base_currency="USD", dashed_times=False, live_zone="US/Eastern")
    return AccountSpec(account=account, cash={"USD": CASH})


if __name__ == "__main__":
    sys.exit(main())
