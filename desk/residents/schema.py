"""A drain begins when the warehouse has its tables: on a fresh home the stack makes them while it starts.

Without this the first rounds of a drain are refused, and a person is alarmed about a table that comes a
moment later. A warehouse of a newer version is waited for, too: what this code would write there is a guess,
and the outbox keeps everything until the newer code runs. Keep out: making the tables (`desk migrate`, `desk
up`).
"""

import logging
from collections.abc import Callable

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import schema_gap
from trading.errors import DeskError

ASKED_EVERY_S = 0.5

_log = logging.getLogger("desk.residents.schema")


def wait_for_schema(
    warehouse: Warehouse,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Return when the schema is this code's, or at the stop; a warehouse that is down is waited for."""
    told = ""
    while not stopping():
        beat()
        try:
            gap = schema_gap(warehouse)
            if gap is None:
                return
            reason = str(gap)
        except DeskError as error:
            reason = str(error)
        if reason != told:
            _log.warning("waits for the warehouse: %s", reason)
        told = reason
        pause(ASKED_EVERY_S)
