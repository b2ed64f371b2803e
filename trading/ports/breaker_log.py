"""Where the changes of circuit breakers are kept for good: what opened when, why, and for how long."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from trading.feeds.breaker import BreakerTransition


class BreakerLog(ABC):
    """Raises WarehouseUnavailableError or WarehouseError; what raised may be recorded again."""

    @abstractmethod
    def record(self, transitions: Sequence[BreakerTransition]) -> None:
        """Keep changes of state; one that is there already is not kept twice."""
