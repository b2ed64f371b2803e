"""Bring the changes of circuit breakers from their outbox to the warehouse: each once, killed at any line."""

from trading.ports.breaker_log import BreakerLog, BreakerOutbox

ENTRIES_PER_ROUND_MAX = 500


def drain_breakers(outbox: BreakerOutbox, log: BreakerLog, most: int = ENTRIES_PER_ROUND_MAX) -> int:
    """Record what waits and only then acknowledge it; returns how many.

    Raises what the outbox and the log raise; calling again is then right.
    """
    entries = outbox.read(most)
    if entries:
        log.record(entries)
        outbox.ack(entries)
    return len(entries)
