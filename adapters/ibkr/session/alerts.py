"""Alerts without a flood: the same one once a minute, with the count of those that were held back.

A condition that is not open yet is told at once, whatever was told before: who only hears of it once must not
lose it to a minute. What it opens it ends, once. Keep out: which codes are conditions
(`trading.model.alerts`).
"""

from datetime import datetime, timedelta

from adapters.ibkr.session.events import alert_event
from trading.model.alerts import LINK_CODES, is_condition
from trading.model.broker import BrokerEvent

SAME_ALERT_EVERY = timedelta(minutes=1)
KINDS_MAX = 1_000
SESSIONS = ("broker", "ingest")  # before a code stands whose it is: they share those that both have
OF_THE_LINK = tuple(f"code_{code}" for code in LINK_CODES)


class Alerts:
    """What was alerted when, and what of it goes on."""

    def __init__(self) -> None:
        self._told_at: dict[str, datetime] = {}
        self._held_back: dict[str, int] = {}
        self._open: set[str] = set()

    def raised(self, code: str, text: str, at: datetime) -> BrokerEvent | None:
        """The alert as an event, or None where the same code was told within the minute."""
        before = self._told_at.get(code)
        begins = code not in self._open and any(is_condition(f"{who}_{code}") for who in SESSIONS)
        if before is not None and at - before < SAME_ALERT_EVERY and not begins:
            self._held_back[code] = self._held_back.get(code, 0) + 1
            return None
        if before is None and len(self._told_at) >= KINDS_MAX:
            oldest = next(iter(self._told_at))
            del self._told_at[oldest]
            self._held_back.pop(oldest, None)
        self._told_at[code] = at
        if begins:
            self._open.add(code)
        return alert_event(code, text, at, held_back_before=self._held_back.pop(code, 0))

    def over(self, code: str, by: str, at: datetime) -> BrokerEvent | None:
        """The end of a condition as an event, or None where it is not open."""
        if code not in self._open:
            return None
        self._open.remove(code)
        return alert_event(code, by, at, is_over=True)
