"""The live part of the main job: a seeded session of the sample desk, played by the simulated gateway with
faults, heard by a real broker session, drained into the warehouse.

The three residents run as long as this takes, under the rules of the stack (`desk/stack/attended.py`): what
dies comes back. Belongs here: starting them, waiting with bounds. Keep out: what is compared and printed
(`desk/live_figures.py`), what the residents do (`desk/residents`).
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import sql
from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.configuration.environment import process_environment
from adapters.wiring import open_market_outbox_reader, open_outbox_reader, open_warehouse
from desk.answers import Advance
from desk.gateway_control import GatewayControlError, do_fault, show
from desk.play_folder import PLAYED_PAST_CLOSE, PlayFolder
from desk.stack.attended import AttendedServices
from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from desk.stack.ports import PortReservations
from desk.stack.residents import (
    BROKER,
    CONTROL,
    GATEWAY,
    OF_THE_MARKET,
    broker_endpoints,
    heartbeats_of,
    resident_services,
    wanted_residents,
)
from desk.stack.stand_ins import stub_endpoints, wished_stub_ports
from trading.calendar import TradingCalendar
from trading.errors import ConfigurationError, TransientError
from trading.settings import Settings

FAULT_SCRIPT = Path("simulation") / "faults" / "sample.faults"  # under the project's root
SPEED = 390  # 6.5 hours in a minute
READY_S = 300.0
OVERTIME_S = 300.0  # a busy machine plays late, never wrong
DRAINED_S = 300.0  # on a slow disk; the rest of the day is nothing without it
BOOKED_S = 300.0
SAID_AGAIN_S = 1.0
ASKED_S = 3.0  # answers of the morning are heard and drained, also where nothing stands
AGREED_S = 30.0
STANDING_SINCE_S = 3_600.0  # the newest words on differences of the last hour
SETTLE = timedelta(seconds=2)  # thirteen sweeps at SPEED
POLL_S = 0.2
PORTS_TRIED = 200
Booked = TypeVar("Booked")
# A day passes in a minute, and a gateway answers some forty requests a second: smaller chains come around.
PLAYED_CHAINS = {"CHAIN_EXPIRIES": "2", "CHAIN_STRIKES": "5"}
PROBE = "live session"  # the name under which the backlog is asked; it takes no entries


class LiveSessionError(TransientError):
    """The live part did not come to its end; the message says what it waited for and where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """What was played, and where its truth lies."""

    session: date
    folder: PlayFolder
    seconds: float
    began_at: float  # seconds since the epoch, before anything was heard


def play_live_session(
    configured: Settings,
    seed: int,
    advance: Advance,
    book: Callable[[PlayFolder], Booked],
    *,
    hears_market: bool,
) -> tuple[LiveSession, Booked]:
    """Play the session after the sample desk's month, and the morning after it, to a session of our own.

    When the warehouse has all that was heard of the day, the broker books it and `book` brings its statements
    in; then a new session listens to the morning, so that what the statements explain can lift itself. The
    market of the day is heard beside it, where it is not known yet. Raises ConfigurationError where the home
    has a broker of its own, LiveSessionError when something does not end.
    """
    layout = StackLayout(configured.paths.home)
    _refuse_second_broker(layout)
    began, began_at = time.monotonic(), time.time()
    reservations = PortReservations()
    try:
        ports = choose_ports(reservations, configured)
        environment = _environment(configured, seed, hears_market=hears_market)
        settings = load_settings(environment, with_stack=False)
        residents = wanted_residents(settings)
        environment |= broker_endpoints(settings, ports) | (stub_endpoints(ports) if hears_market else {})
        effective = load_settings(environment)
        folder = PlayFolder.of(effective)
        folder.begin_again()
        beats = heartbeats_of(effective, effective.services.redis_url)
        services = resident_services(residents, {}, ports, (), beats)

        def residents_of_the_session(*left_out: str) -> AttendedServices:
            chosen = tuple(service for service in services if service.name not in left_out)
            return AttendedServices(chosen, layout, environment, frozenset())

        with residents_of_the_session() as day:
            day.wait_until_ready(READY_S)
            _wait_for_end(folder, advance)
            _wait_until_drained(effective, advance)
            played_s = time.monotonic() - began
            _let_the_day_be_booked(folder, ports[CONTROL], advance)
        booked = book(folder)
        # The morning is for positions only; gateway and stream are as they were left.
        with residents_of_the_session(*OF_THE_MARKET) as morning:
            morning.wait_until_ready(READY_S)
            _wait_for_agreement(effective, advance)
    finally:
        reservations.release()
    return LiveSession(session=folder.session, folder=folder, seconds=played_s, began_at=began_at), booked


def choose_ports(reservations: PortReservations, configured: Settings) -> Mapping[str, int]:
    """Ports below those that the system hands to clients: a gateway must find its own again after a kill."""
    wished = configured.gateway
    return {
        GATEWAY: reservations.choose(range(wished.port, wished.port + PORTS_TRIED)),
        CONTROL: reservations.choose(range(wished.control_port, wished.control_port + PORTS_TRIED)),
        **{
            name: reservations.choose(range(port, port + PORTS_TRIED))
            for name, port in wished_stub_ports(configured).items()
        },
    }


def _refuse_second_broker(layout: StackLayout) -> None:
    state = current_state(layout)
    if state is not None and state.service(BROKER) is not None:
        raise ConfigurationError(
            "the stack has a broker session of its own, and the sample session would be mixed into it: use "
            "--no-live, or another DESK_HOME"
        )


def _environment(configured: Settings, seed: int, *, hears_market: bool) -> dict[str, str]:
    return {
        **process_environment(),
        "DESK_HOME": str(configured.paths.home),
        "DESK_GATEWAY": "true",
        "DESK_GATEWAY_SEED": str(seed),
        "DESK_GATEWAY_SPEED": str(SPEED),
        "DESK_GATEWAY_PAUSES": "true",
        "DESK_GATEWAY_FAULTS": str(configured.paths.project_root / FAULT_SCRIPT),
        "DESK_INGEST": str(hears_market).lower(),
        **PLAYED_CHAINS,
        "DESK_STUBS": str(hears_market).lower(),
    }


def _wait_for_end(folder: PlayFolder, advance: Advance) -> None:
    calendar = TradingCalendar()
    played = calendar.session_close(folder.session) - calendar.session_open(folder.session)
    seconds = (played + PLAYED_PAST_CLOSE) / timedelta(seconds=SPEED)
    _wait(
        folder.is_over,
        seconds + OVERTIME_S,
        f"listening to the session of {folder.session}",
        advance,
        seconds,
    )


def _wait_until_drained(settings: Settings, advance: Advance) -> None:
    """Until the warehouse has all that was heard within SETTLE after the end: a few sweeps over all of it."""
    readers = (open_outbox_reader(settings, PROBE), open_market_outbox_reader(settings, PROBE))
    clock = SystemClock()
    settled_at = clock.now() + SETTLE

    def is_drained() -> bool:
        if clock.now() < settled_at:
            return False
        oldest = [reader.backlog().oldest_at for reader in readers]
        return all(at is None or at > settled_at for at in oldest)

    _wait(is_drained, DRAINED_S, "draining what was heard", advance, None)


def _let_the_day_be_booked(folder: PlayFolder, control_port: int, advance: Advance) -> None:
    said_at: list[float] = []

    def is_booked() -> bool:
        if not said_at or time.monotonic() - said_at[-1] > SAID_AGAIN_S:
            said_at.append(time.monotonic())
            with contextlib.suppress(GatewayControlError):  # killed just now: it is told again
                let_the_night_begin(folder, control_port)
        return folder.journal.exists()

    _wait(is_booked, BOOKED_S, "the broker books the day", advance, None)


def let_the_night_begin(folder: PlayFolder, control_port: int) -> None:
    """End the pause after the session, and no other: past the one of the next morning a day would be played
    that no journal has. A clock that stands does not move between the question and the word.
    """
    told = show(control_port, "status")
    if told["stands"] and datetime.fromisoformat(str(told["now"])) < folder.morning_at:
        do_fault(control_port, "thaw clock")


def _wait_for_agreement(settings: Settings, advance: Advance) -> None:
    """Until no difference of positions stands; one that does not go is a finding, not an error."""
    warehouse = open_warehouse(settings)
    since = {"since": datetime.fromtimestamp(time.time() - STANDING_SINCE_S, UTC)}

    asked_from = time.monotonic() + ASKED_S

    def is_agreed() -> bool:
        if time.monotonic() < asked_from:
            return False
        (row,) = warehouse.rows(sql.query("live_position_breaks"), since)
        return bool(row["noticed"] == row["lifted"])

    with contextlib.suppress(LiveSessionError):
        _wait(is_agreed, AGREED_S, "comparing positions on the next morning", advance, None)


def _wait(
    is_over: Callable[[], bool], limit_s: float, what: str, advance: Advance, usual_s: float | None
) -> None:
    began = time.monotonic()
    while not is_over():
        passed = time.monotonic() - began
        if passed > limit_s:
            raise LiveSessionError(f"{what}: not over after {limit_s:.0f} s; see the logs in DESK_HOME/logs")
        advance(what, int(passed), None if usual_s is None else int(usual_s))
        time.sleep(POLL_S)
