"""A drain begins when the warehouse has its tables: on a fresh home the stack makes them while it starts.

Without this the first rounds of a drain are refused, and a person is alarmed about a table that comes a
moment later. Keep out: making the tables (`desk migrate`, `desk up`).
"""

import logging
from collections.abc import Callable

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import pending
from trading.errors import DeskError

ASKED_EVERY_S = 0.5

_log = logging.getLogger("desk.residents.schema")


def wait_for_schema(
    warehouse: Warehouse,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Return when no migration is missing, or at the stop; a warehouse that is down is waited for."""
    told = ""
    while not stopping():
        beat()
        try:
            missing = pending(warehouse)
            if not missing:
                return
            reason = f"{len(missing)} migrations are not applied, the first is {missing[0]}"
        except DeskError as error:
            reason = str(error)
        if reason != told:
            _log.info("waits for the warehouse: %s", reason)
        told = reason
        pause(ASKED_EVERY_S)
