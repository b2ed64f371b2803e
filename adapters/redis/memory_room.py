"""Whether a server has room for market data: the last part of its memory is for orders, fills and locks.

A warehouse that is down for hours lets the streams of all symbols grow, each within its own bound, and all of
them together beyond the server's memory. Then the broker's outbox could not be written either, and quotes
would stop orders. So market data stop first. Keep out: what is written.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import redis

from adapters.redis.connection import asked

MARKET_SHARE = 0.8  # of the server's memory; above it market data wait where they are heard
LOOK_EVERY_S = 1.0  # a second of the busiest market is some megabytes


class MemoryRoom:
    """Looks at most once in a while; a server without a bound has room."""

    def __init__(
        self, client: Any, share: float = MARKET_SHARE, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._share, self._monotonic = client, share, monotonic
        self._looked_at = self._alerted_at = float("-inf")
        self._reason = ""

    def lacking(self) -> str:
        """Why there is no room; empty where there is. Raises LiveStateUnavailableError."""
        now = self._monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            told = asked(self._memory)
            used, limit = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
            is_full = 0 < self._share * limit < used
            self._reason = f"the server's memory: {used} of {limit} bytes are used" if is_full else ""
            self._looked_at = now
        return self._reason

    def alert_is_due(self, pause_s: float) -> bool:
        """Whether a person is to be told again."""
        now = self._monotonic()
        is_due = now - self._alerted_at >= pause_s
        self._alerted_at = now if is_due else self._alerted_at
        return is_due

    def _memory(self) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = self._client.info("memory")
        except redis.exceptions.NoPermissionError:
            return {}  # a server of somebody else's that does not tell
        return told
