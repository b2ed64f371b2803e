"""Alerts in memory, each code told once."""

from dataclasses import dataclass, field

from trading.errors import InvalidFieldError
from trading.model.alerts import is_condition
from trading.ports.alerts import Alerts


@dataclass(slots=True)
class MemoryAlerts(Alerts):
    """The port in one process, for tests: all that was told, what is open, and what ended what is over."""

    told: dict[str, str] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)

    def raise_alert(self, code: str, text: str) -> bool:
        """Keep the first text of a code."""
        self.told.setdefault(code, text)
        if is_condition(code):
            self.open.setdefault(code, text)
            self.over.pop(code, None)
        return True

    def end_alert(self, code: str, by: str) -> bool:
        """Note what ended it, where it is open."""
        if not is_condition(code):
            raise InvalidFieldError("code", "a condition: an event has no end", code)
        if self.open.pop(code, None) is not None:
            self.over[code] = by
        return True
