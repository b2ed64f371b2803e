"""The market-data session as a process: owns its connection to the gateway until it is told to stop.

`python -m desk.residents.ingest`, or `desk ingest` in front of you; the stack starts it where a broker is
configured. SIGTERM and SIGINT end it in order: it hangs up and writes what it has heard. What it did not hear
is a gap, and said to be one.
"""

import asyncio
import logging
import random
import signal
import sys

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.runner import COMPONENT, MarketPorts, MarketRunner
from adapters.ibkr.session.client_library import require_library
from adapters.wiring import (
    open_alerts,
    open_feed_board,
    open_live_state,
    open_market_sink,
    open_market_state,
)
from desk.logs import log_to_console
from trading.errors import ConfigurationError, DeskError
from trading.settings import Settings

FAILED = 1

_log = logging.getLogger(f"desk.{COMPONENT}")


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    log_to_console(logging.INFO)
    for library in ("ib_insync", "ib_async", "eventkit"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what they say is told by the session
    try:
        settings = load_settings()
        if settings.broker.host is None:
            raise ConfigurationError("broker.host: no broker is configured; set BROKER_HOST")
        require_library(settings.broker.library)
        asyncio.run(serve(settings))
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ports = MarketPorts(
        sink=open_market_sink(settings),
        state=open_market_state(settings),
        board=open_feed_board(settings),
        live_state=open_live_state(settings),
        alerts=open_alerts(settings),
        clock=SystemClock(),
    )
    capture = CaptureWriter(settings.ingest.capture) if settings.ingest.capture else None
    chance = random.Random()  # noqa: S311 (jitter, no secret)
    runner = MarketRunner(settings.broker, settings.market, settings.ingest, ports, chance, capture)
    await runner.run(stop)


if __name__ == "__main__":
    sys.exit(main())
