"""One-minute bars of shares and indexes as the warehouse holds them, for who computes from a past session."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date

from trading.model.market import Bar


class StoredBars(ABC):
    """Reads only. Raises WarehouseUnavailableError or WarehouseError: a failed read is no empty session."""

    @abstractmethod
    def sessions(self) -> Sequence[date]:
        """Return the sessions that have such bars, ascending."""

    @abstractmethod
    def symbols(self, session: date) -> Sequence[str]:
        """Return the symbols that have such bars in the session, in the order of their names."""

    @abstractmethod
    def newest(self, symbol: str, since: date, session: date, bars_max: int) -> Sequence[Bar]:
        """Return the last `bars_max` minutes up to the end of the session, oldest first, each once.

        None is of a session before `since`. Of one minute what a history told comes before what was heard
        live, and of two histories the first by name.
        """
