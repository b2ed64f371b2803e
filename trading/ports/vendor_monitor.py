"""What people and alerts look at of a vendor: its budget, refusals, counts, and each symbol's news."""

from abc import ABC, abstractmethod
from collections.abc import Mapping


class VendorMonitor(ABC):
    """Raises LiveStateUnavailableError."""

    @abstractmethod
    def tell(self, vendor: str, metrics: Mapping[str, str]) -> None:
        """Set figures of the vendor; those that are not named stay."""

    @abstractmethod
    def tell_sentiment(self, symbol: str, metrics: Mapping[str, str]) -> None:
        """Set figures of a symbol's news."""

    @abstractmethod
    def told(self, vendor: str) -> Mapping[str, str]:
        """Return the vendor's figures by name; none where nobody told any."""
