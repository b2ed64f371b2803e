"""Alerts without a flood: the same one once a minute, with the count of those that were held back."""

from datetime import datetime, timedelta

from adapters.ibkr.session.events import alert_event
from trading.model.broker import BrokerEvent

SAME_ALERT_EVERY = timedelta(minutes=1)
KINDS_MAX = 1_000


class Alerts:
    """What was alerted when."""

    def __init__(self) -> None:
        self._told_at: dict[str, datetime] = {}
        self._held_back: dict[str, int] = {}

    def raised(self, code: str, text: str, at: datetime) -> BrokerEvent | None:
        """The alert as an event, or None where the same code was told within the minute."""
        before = self._told_at.get(code)
        if before is not None and at - before < SAME_ALERT_EVERY:
            self._held_back[code] = self._held_back.get(code, 0) + 1
            return None
        if before is None and len(self._told_at) >= KINDS_MAX:
            oldest = next(iter(self._told_at))
            del self._told_at[oldest]
        self._told_at[code] = at
        return alert_event(code, text, at, held_back_before=self._held_back.pop(code, 0))
