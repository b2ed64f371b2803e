"""A clock that only waiting moves, and a live state: what a shift needs in a test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from trading.ports.clock import Clock

NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)


@dataclass(slots=True)
class WaitedClock(Clock):
    """Time passes only while somebody waits; `meanwhile` is done at each wait."""

    at: datetime = NOON
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        """As late as was waited for."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)
        self.meanwhile()
