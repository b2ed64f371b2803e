"""Bring alerts from the live state to the warehouse: each once, killed at any line.

A live state that nobody has taken anything from yet (it is new, or lost everything) is told first what is
open: what had no end in the warehouse has none there either, until somebody finds that it holds no more.

The order is the argument: what waits is stored, under the alert's own name; what is lost is told, as an alert
like any other; only then the mark moves on. A kill between them repeats what changes nothing. A warehouse
that is down raises: the live state keeps the newest, and what it had to drop is said by the next round.
"""

import logging
from dataclasses import dataclass

from trading.ports.alerts import READ_MAX, AlertQueue, AlertRecord, Alerts

LOST_ALERT = "alerts_lost"
CONDITIONS_RESTORED_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDrainTools:
    """What the drain reads and writes."""

    queue: AlertQueue
    record: AlertRecord
    alerts: Alerts


_log = logging.getLogger(__name__)


def drain_alerts(queue: AlertQueue, record: AlertRecord, alerts: Alerts) -> int:
    """Store what waits, tell what is lost, and return how many words there were.

    Raises what the queue and the record raise; calling again is then right.
    """
    batch = queue.read(READ_MAX)
    if batch.entries:
        record.record(batch.entries)
    if batch.lost:
        _log.warning("alerts_lost %s", batch.lost)
        alerts.raise_alert(LOST_ALERT, f"alerts that were not stored yet are lost: {batch.lost}")
        alerts.tell_again()
    if batch.begins:
        alerts.restore(record.open(CONDITIONS_RESTORED_MAX))
    if batch.entries or batch.lost or batch.begins:
        queue.done(batch)
    alerts.look()
    return len(batch.entries)
