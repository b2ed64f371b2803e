"""The life of a session with the broker as a process: an event loop, and the client library of choice.

Keep out: the session itself, and who needs no client library (`life`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from adapters.configuration import load_settings
from adapters.ibkr.session.client_library import require_library
from desk.logs import log_to_console
from desk.residents.heap import keep_heap_small
from desk.residents.life import SIGNALS, exit_code
from trading.errors import ConfigurationError, DeskError
from trading.settings import Settings

Serve = Callable[[Settings, asyncio.Event], Awaitable[None]]


def run_session_until_signal(component: str, serve: Serve) -> int:
    """Serve until a signal sets the event; returns the process's exit code."""
    keep_heap_small()
    log_to_console(logging.INFO)
    for library in ("ib_insync", "ib_async", "eventkit"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what they say is told by the session
    try:
        settings = load_settings()
        if settings.broker.host is None:
            raise ConfigurationError("broker.host: no broker is configured; set BROKER_HOST")
        require_library(settings.broker.library)
        asyncio.run(_serve(settings, serve))
    except DeskError as error:
        return exit_code(component, error)
    return 0


async def _serve(settings: Settings, serve: Serve) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)
