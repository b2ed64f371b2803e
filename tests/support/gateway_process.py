"""A simulated gateway in a process of its own, reached by its two ports only."""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ingest_desk import into_trading_hours

from simulation.gateway import GatewayPlan, run_in_thread

BEGINS_WITHIN_S = 300.0  # a hundred symbols with their chains


@contextmanager
def gateway_process(plan: GatewayPlan) -> Iterator[tuple[int, int]]:
    """A gateway in trading hours; its port and its control port."""
    spawning = multiprocessing.get_context("spawn")
    ports = spawning.Queue()
    process = spawning.Process(target=_serve, args=(plan, ports), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=BEGINS_WITHIN_S)
    finally:
        process.kill()
        process.join()


def _serve(plan: GatewayPlan, ports: Any) -> None:
    with run_in_thread(plan) as running:
        running.do(into_trading_hours)
        ports.put((running.port, running.control_port))
        threading.Event().wait()
