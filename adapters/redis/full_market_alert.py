"""That the market's outbox is full, told from the first symbol refused to the last one taken again.

Keep out: what is refused, and why (`market_sink`, `memory_room`).
"""

from collections.abc import Set
from typing import Any

from adapters.redis.alert_writer import AlertWriter

FULL_ALERT = "market_outbox_full"
LOST_ALERT = "market_outbox_lost"
EVERY_SYMBOL = ""  # refused for want of memory


class FullMarketAlert:
    """One sink's."""

    def __init__(self, client: Any, topic: str) -> None:
        self._alerts = AlertWriter(client, topic)
        self._refused: set[str] = set()
        self._is_told = True  # what a process before this one left open ends with the first that is taken

    def tell_full(self, text: str) -> None:
        """Somebody was refused."""
        self._is_told = True
        self._refused.add(EVERY_SYMBOL)
        self._alerts.tell(FULL_ALERT, text)

    def tell_lost(self, text: str) -> None:
        """The live state lost what was not drained."""
        self._alerts.tell(LOST_ALERT, text)

    def judge(self, refused: Set[str], taken: Set[str]) -> None:
        """A call is over: these symbols were refused, and those taken."""
        self._refused = (self._refused - taken - {EVERY_SYMBOL}) | refused
        if self._is_told and taken and not self._refused:
            self._is_told = not self._alerts.end(FULL_ALERT, "it takes every symbol's blocks")
