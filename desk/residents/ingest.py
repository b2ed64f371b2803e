"""The market-data session as a process: owns its connection to the gateway until it is told to stop.

`python -m desk.residents.ingest`, or `desk ingest` in front of you; the stack starts it where a broker is
configured. SIGTERM and SIGINT end it in order: it hangs up and writes what it has heard. What it did not hear
is a gap, and said to be one.
"""

import asyncio
import random
import sys
from pathlib import Path

from adapters.clock import SystemClock
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.runner import COMPONENT, MarketPorts, MarketRunner
from adapters.wiring import (
    open_alerts,
    open_feed_board,
    open_live_state,
    open_market_sink,
    open_market_state,
)
from desk.residents.session_life import run_session_until_signal
from desk.residents.writer_lease import begin, held, writer_lease
from trading.errors import ConfigurationError
from trading.settings import Settings

CAPTURES_MAX = 1_000  # of one name


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    return run_session_until_signal(COMPONENT, _serve)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    lease = writer_lease(settings, COMPONENT)
    if not await asyncio.to_thread(begin, settings, lease, stop.is_set, needs_live_state=False):
        return
    ports = MarketPorts(
        sink=open_market_sink(settings),
        state=open_market_state(settings),
        board=open_feed_board(settings),
        live_state=open_live_state(settings),
        alerts=open_alerts(settings, COMPONENT, awaits_lease=True),
        clock=SystemClock(),
        lease=lease,
    )
    capture = CaptureWriter(unwritten(settings.ingest.capture)) if settings.ingest.capture else None
    chance = random.Random()  # noqa: S311 (jitter, no secret)
    runner = MarketRunner(settings.broker, settings.market, settings.ingest, ports, chance, capture)
    with held(lease, ports.alerts):
        await runner.run(stop)


def unwritten(path: Path) -> Path:
    """A file of its own for each life of the process: one that was killed must not cost what it had heard.

    `today.gz`, then `today-2.gz`, `today-3.gz`; raises ConfigurationError where all are there.
    """
    base, dot, ending = path.name.partition(".")
    names = (f"{base}-{number}{dot}{ending}" for number in range(2, CAPTURES_MAX + 1))
    for name in (path.name, *names):
        if not (path.parent / name).exists():
            return path.parent / name
    raise ConfigurationError(f"ingest.capture: {path}: expected fewer than {CAPTURES_MAX} captures beside it")


if __name__ == "__main__":
    sys.exit(main())
