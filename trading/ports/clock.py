"""The time of day as something that is handed in, so that a replay decides as the day did."""

from abc import ABC, abstractmethod
from datetime import datetime


class Clock(ABC):
    """Where now comes from."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
