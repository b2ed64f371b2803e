"""The broker session as a process: owns the connection to the gateway until it is told to stop.

`python -m desk.residents.broker`; the stack starts it where a broker is configured. SIGTERM and SIGINT end it
in order: it hangs up and writes what it has heard. After a kill it hears everything again on connect.
"""

import asyncio
import logging
import random
import signal
import sys

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.ibkr.session.client_library import require_library
from adapters.ibkr.session.runner import COMPONENT, Runner, SessionPorts
from adapters.wiring import open_alerts, open_command_queue, open_live_state, open_outbox
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
        asyncio.run(_serve(settings))
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ports = SessionPorts(
        outbox=open_outbox(settings),
        commands=open_command_queue(settings),
        live_state=open_live_state(settings),
        alerts=open_alerts(settings),
        clock=SystemClock(),
    )
    await Runner(settings.broker, ports, random.Random()).run(stop)  # noqa: S311 (jitter, no secret)


if __name__ == "__main__":
    sys.exit(main())
