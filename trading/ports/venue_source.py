"""Where a venue that makes no statement is asked for what it knows: its fills and positions, as files.

The files are what a person would have saved: they go into the inbox and are read like any other. What it
raises is what a source of statements raises.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueExport:
    """Whole answers about one account, ready for its folder in the inbox; counts are of their rows."""

    account: str
    asked_at: datetime
    files: tuple[tuple[str, bytes], ...]
    fills: int
    positions: int


class VenueSource(ABC):
    """Asks one venue about one account."""

    @abstractmethod
    def fetch(self, since: datetime) -> VenueExport:
        """Ask for positions, then for all fills since the moment; nothing comes unless all of it is whole.

        Raises StatementRefusedError or StatementUnavailableError.
        """
