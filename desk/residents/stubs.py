"""Stand-ins for the vendors as a process: Alpha Vantage, Cboe and Yahoo over HTTP, on the gateway's market.

`python -m desk.residents.stubs`; the stack starts it beside the simulated gateway where it is asked for. What
they tell is the same world as the gateway's, made again from its plan, at the moment of its clock. On
loopback only. SIGTERM and SIGINT end it. Faults on demand: `GET /_stub/fault?…` (simulation/http/moods.py).
"""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from desk.market_clock import market_clock
from desk.play_folder import PlayFolder
from desk.residents.gateway import plan_of
from desk.residents.life import run_until_signal
from simulation.gateway import build_world
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.cboe import CboeStub
from simulation.http.server import StubVenue
from simulation.http.vendor_book import ChainBook, VendorBook
from simulation.http.vendor_words import KEY
from simulation.http.world_book import WorldBook
from simulation.http.world_index import WorldIndex
from simulation.http.yahoo import YahooStub
from simulation.market.world import World
from trading.errors import ConfigurationError
from trading.settings import Settings

COMPONENT = "stubs"

_log = logging.getLogger(f"desk.{COMPONENT}")


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""

    def begin(settings: Settings, stop: threading.Event) -> None:
        serve(settings, made_stubs(settings, market_clock(settings)), stop)

    return run_until_signal(COMPONENT, begin)


def made_stubs(settings: Settings, clock: Callable[[], datetime | None]) -> list[StubVenue]:
    """The stand-ins that the settings ask for, not yet listening."""
    told = settings.stubs
    world = build_world(plan_of(settings, PlayFolder.of(settings)))
    opens = world.calendar.session_open(world.sessions[0])

    def now() -> datetime:
        return clock() or opens  # a gateway that cannot be asked has not begun

    index = WorldIndex.of(world)
    return [
        AlphaVantageStub(
            book_of(settings, world),
            now,
            key=settings.vendors.alpha_vantage_key or KEY,
            per_minute=told.requests_per_minute,
            per_day=told.requests_per_day,
            port=told.alpha_vantage_port,
        ),
        CboeStub(index, now, port=told.cboe_port),
        YahooStub(index, now, port=told.yahoo_port),
    ]


def book_of(settings: Settings, world: World) -> VendorBook:
    """What the Alpha Vantage stand-in knows: recorded chains, else the gateway's market."""
    told = settings.stubs
    if told.chains is not None:
        if told.chains_of is None:
            raise ConfigurationError("stubs.chains_of: expected the symbol of the chains in stubs.chains")
        return ChainBook(told.chains, told.chains_of)
    return WorldBook(world)


def serve(settings: Settings, stubs: list[StubVenue], stop: threading.Event) -> None:
    """Listen until told to stop."""
    with ExitStack() as running:
        for stub in stubs:
            running.enter_context(stub)
            _log.info("%s listens on %s", type(stub).__name__, stub.url)
        stop.wait()


if __name__ == "__main__":
    sys.exit(main())
