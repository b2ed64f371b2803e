"""The simulated gateway as a process: the session after the sample desk's month, played to whoever connects.

`python -m desk.residents.gateway`; the stack starts it where it is asked for, `desk gateway` in front of you.
After a kill it goes on where it was: what was done to the broker is in its folder, the rest follows from the
seed. SIGTERM and SIGINT end it in order: it writes the session's truth and the broker's statements of it.
Keep out: the world, the broker and the wire (`simulation`).
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adapters.configuration import load_settings
from desk.logs import log_to_console
from desk.play_folder import PlayFolder, recorded_data
from simulation.faults.language import ScriptError
from simulation.gateway import Gateway, GatewayPlan
from simulation.market.hours import BOOKED_AT, local
from simulation.market.lean import RecordingError
from simulation.sample_desk.journal import Journal, Rows
from simulation.tws.options import GatewayOptions
from simulation.tws.sendings import RecordingTeller
from trading.errors import ConfigurationError, DeskError
from trading.settings import Settings

FAILED = 1
ACCOUNTS = 2
ORDERS = 40  # of one account and session
SESSIONS = 5  # one after the other, without their nights
TICK_S = 0.1

_log = logging.getLogger("desk.gateway")


class PlayedSession:
    """One session: the gateway, and what is written of it while it runs and when it ends.

    `plan` is another one than the settings make, for who plays a larger day.
    """

    def __init__(self, settings: Settings, folder: PlayFolder, plan: GatewayPlan | None = None) -> None:
        self.folder = folder
        try:
            self.gateway = Gateway(plan or plan_of(settings, folder))
        except ScriptError as error:
            raise ConfigurationError(f"gateway.faults: {settings.gateway.faults}: {error}") from error
        except RecordingError as error:
            raise ConfigurationError(f"gateway.{error}") from error
        self.teller = RecordingTeller()
        self.gateway.server.state.teller = self.teller
        pauses = settings.gateway.pauses
        self._written_from = folder.morning_at if pauses else local(folder.session, BOOKED_AT)
        if pauses and folder.is_over():  # killed while it stood still: it stands still again
            self.gateway.clock.freeze()

    async def play(self, stop: asyncio.Event, ready: Callable[[Gateway], None]) -> None:
        """Serve until `stop`, and write down when the session is over, booked, and what it was."""
        gateway = self.gateway
        await gateway.start()
        ready(gateway)
        while not stop.is_set() and gateway.server.failure is None:
            self._note()
            await asyncio.sleep(TICK_S)
        await gateway.stop()
        self._write_sendings()
        if not self.folder.journal.exists():
            self._write_truth()

    def _note(self) -> None:
        now = self.gateway.clock.now()
        self._write_sendings()
        if now >= self.folder.ends_at and not self.folder.is_over():
            self.folder.mark_over()
            _log.info("the session of %s is over", self.folder.session)
        if self.gateway.broker.now >= self._written_from and not self.folder.journal.exists():
            self._write_truth()
            _log.info("the session of %s is booked and written down", self.folder.session)

    def _write_truth(self) -> None:
        """Statements and journal of the session; one that is not booked is told as it stands."""
        broker, session = self.gateway.broker, self.folder.session
        for name, text in broker.files(session):
            kind = "activity" if name.endswith("_activity.xml") else "confirmation"
            path = self.folder.statements / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        session_only(broker.journal(), session.isoformat()).write(self.folder.journal)

    def _write_sendings(self) -> None:
        taken = self.teller.take()
        if taken:
            with self.folder.sent.open("a", encoding="utf-8") as file:
                file.writelines(f"{exec_id} {moment}\n" for exec_id, moment in taken)


def plan_of(settings: Settings, folder: PlayFolder) -> GatewayPlan:
    """What the settings ask for: the session, and the morning after it."""
    gateway = settings.gateway
    return GatewayPlan(
        seed=gateway.seed,
        speed=float(gateway.speed),
        session=gateway.session,
        sessions=SESSIONS,
        skip_nights=True,
        accounts=ACCOUNTS,
        orders=ORDERS,
        client_id=settings.broker.client_id,
        control_port=gateway.control_port,
        faults=f"{_script(settings)}\n{folder.pauses if gateway.pauses else ''}",
        state=folder.folder,
        data=recorded_data(settings),
        options=GatewayOptions(
            port=gateway.port,
            server_version=gateway.server_version,
            market_data_lines=gateway.market_data_lines,
        ),
    )


def session_only(journal: Journal, session: str) -> Journal:
    """The journal without the day after the session, whose books are open already."""

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


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    log_to_console(logging.INFO)
    try:
        settings = load_settings()
        folder = PlayFolder.of(settings)
        folder.make()
        session = PlayedSession(settings, folder)
        asyncio.run(serve(session, _tell_ports))
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0 if session.gateway.server.failure is None else FAILED


async def serve(session: PlayedSession, ready: Callable[[Gateway], None]) -> None:
    """Play until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await session.play(stop, ready)


def _tell_ports(gateway: Gateway) -> None:
    _log.info("listening on 127.0.0.1:%d, faults on demand on %d", gateway.port, gateway.control_port)


def _script(settings: Settings) -> str:
    path = settings.gateway.faults
    if path is None:
        return ""
    found = path if path.is_absolute() else settings.paths.project_root / path
    try:
        return Path(found).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"gateway.faults: cannot be read: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
