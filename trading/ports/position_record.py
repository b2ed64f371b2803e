"""What is held, by two records: the broker's answers, and what our books and the fills since make of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from trading.model.fills import Venue
from trading.reconciliation.live_positions import OurHoldings, PositionsAnswer


class PositionRecord(ABC):
    """Both records as they were drained. Raises WarehouseUnavailableError when it cannot answer."""

    @abstractmethod
    def answers(
        self, venue: Venue, since: datetime, stored_by: datetime | None = None
    ) -> Mapping[str, Sequence[PositionsAnswer]]:
        """Return by account the newest complete answers heard since then, oldest first, ANSWERS_MAX at most.

        Answers that were stored after `stored_by` are left out, where it is given.

        Answers that broke off or failed are not among them, and neither is an account that an answer does not
        name. Rows that no contract can be made of make their answer incomplete.
        """

    @abstractmethod
    def holdings(self, venue: Venue, account: str) -> OurHoldings:
        """Return what we hold by the newest final books and the fills since; it costs what those fills do."""
