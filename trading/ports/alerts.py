"""What a person must see: one line with a code, told once in a while however often it is found."""

from abc import ABC, abstractmethod


class Alerts(ABC):
    """Where alerts go; one that cannot be written is logged and stops nothing."""

    @abstractmethod
    def raise_alert(self, code: str, text: str) -> bool:
        """Tell it, unless the same code was told in the last minutes; False where it could not be written."""
