"""The broker session as a process: owns the connection to the gateway until it is told to stop.

`python -m desk.residents.broker`; the stack starts it where a broker is configured. SIGTERM and SIGINT end it
in order: it hangs up and writes what it has heard. After a kill it hears everything again on connect. There
is one at a time, by a lease: a second one would take its commands, end its alerts and write beside it.
"""

import asyncio
import random
import sys

from adapters.clock import SystemClock
from adapters.ibkr.session.runner import COMPONENT, Runner, SessionPorts
from adapters.wiring import open_alerts, open_command_queue, open_live_state, open_outbox
from desk.residents.session_life import run_session_until_signal
from desk.residents.writer_lease import begin, held, writer_lease
from trading.settings import Settings


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    return run_session_until_signal(COMPONENT, _serve)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    lease = writer_lease(settings, COMPONENT)
    if not await asyncio.to_thread(begin, settings, lease, stop.is_set, needs_live_state=False):
        return
    ports = SessionPorts(
        outbox=open_outbox(settings),
        commands=open_command_queue(settings),
        live_state=open_live_state(settings),
        alerts=open_alerts(settings, COMPONENT, awaits_lease=True),
        clock=SystemClock(),
        lease=lease,
    )
    with held(lease, ports.alerts):
        await Runner(settings.broker, ports, random.Random()).run(stop)  # noqa: S311 (jitter, no secret)


if __name__ == "__main__":
    sys.exit(main())
