"""What was asked of a vendor, by the minute: the memory of a plan's daily cap, over restarts.

A request is written down before it leaves, so a killed process may have counted one too many, never too few.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime


class RequestLedger(ABC):
    """Raises LiveStateUnavailableError: what cannot be counted is not asked."""

    @abstractmethod
    def spent(self, vendor: str, since: datetime) -> Mapping[datetime, int]:
        """Return the requests of each minute since then; minutes without any are left out."""

    @abstractmethod
    def spend(self, vendor: str, at: datetime) -> None:
        """Count one request in the minute of `at`."""
