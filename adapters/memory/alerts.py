"""Alerts in memory, each code told once."""

from dataclasses import dataclass, field

from trading.ports.alerts import Alerts


@dataclass(slots=True)
class MemoryAlerts(Alerts):
    """The port in one process, for tests."""

    told: dict[str, str] = field(default_factory=dict)

    def raise_alert(self, code: str, text: str) -> bool:
        """Keep the first text of a code."""
        self.told.setdefault(code, text)
        return True
