"""Counters and gauges over time: what feeds and the outbox say of themselves, to look back at."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

SAMPLES_PER_CALL_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one measure of one feed, at the moment it was said; the same again changes nothing."""

    name: str
    source: str
    feed: str
    symbol: str
    at: datetime
    value: float


class MetricStore(ABC):
    """Raises WarehouseUnavailableError or WarehouseError."""

    @abstractmethod
    def record(self, samples: Sequence[Sample]) -> None:
        """Store samples, SAMPLES_PER_CALL_MAX at most."""
