"""What a vendor refuses, told to a person until it is refused no more: all, or some symbols of a feed.

A refusal for the rate is none: it is minded in a minute. Keep out: what a refusal does to requests
(`trading.services.poll_vendor`).
"""

from dataclasses import dataclass, field

from trading.feeds.vendor_plan import Question
from trading.ports.alerts import Alerts
from trading.ports.vendor_source import RefusalKind

OF_THE_VENDOR = {RefusalKind.DAILY: "vendor_day_spent", RefusalKind.KEY: "vendor_key_refused"}
OF_A_FEED = {
    RefusalKind.PREMIUM: "vendor_premium_refused-",
    RefusalKind.SYMBOL: "vendor_symbol_refused-",
}


@dataclass(slots=True)
class RefusalAlerts:
    """One vendor's; `_whose` are by code those that were refused and not answered since, None for all."""

    alerts: Alerts
    _whose: dict[str, set[Question | None]] = field(default_factory=dict)

    def refused(self, kind: RefusalKind, text: str, question: Question) -> None:
        """Tell a refusal, where it is one to tell."""
        code = OF_THE_VENDOR.get(kind) or (f"{OF_A_FEED[kind]}{question.feed}" if kind in OF_A_FEED else "")
        if code:
            self._whose.setdefault(code, set()).add(None if kind in OF_THE_VENDOR else question)
            self.alerts.raise_alert(code, text)

    def answered(self, question: Question) -> None:
        """End what an answer shows to be over."""
        for code, whose in list(self._whose.items()):
            whose -= {question, None}
            if not whose:
                del self._whose[code]
                self.alerts.end_alert(code, f"answered: {question.name}")
