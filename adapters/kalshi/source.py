"""Kalshi as a source of files: positions, fills and settlements of one account.

The venue's answer about positions says no moment: ours is noted, from before the question, since an answer is
never older than its question.
"""

from dataclasses import dataclass
from datetime import datetime

from adapters.kalshi.client import KalshiFills
from adapters.kalshi.holdings import KalshiHoldings
from adapters.kalshi.positions_file import ASKED_AT
from adapters.venue.export import export_of, venue_errors, whole
from trading.model.fills import Venue
from trading.ports.venue_source import VenueExport, VenueSource


@dataclass(frozen=True, slots=True)
class KalshiSource(VenueSource):
    """The port over the venue's REST interface."""

    client: KalshiFills

    def fetch(self, since: datetime) -> VenueExport:
        """Positions, then fills and settlements."""
        asked_at = self.client.clock.now()
        with venue_errors():
            positions = KalshiHoldings(self.client).positions().markets
            whole(Venue.KALSHI, self.client.account, positions)
            now = self.client.clock.now()
            fills = self.client.fills_between(since, now)
            settlements = self.client.settlements_between(since, now)
        return export_of(
            Venue.KALSHI,
            self.client.account,
            asked_at,
            positions,
            [
                (fills, lambda rows: f'{{"cursor": "", "fills": [{rows}]}}'),
                (settlements, lambda rows: f'{{"cursor": "", "settlements": [{rows}]}}' if rows else ""),
            ],
            {ASKED_AT: asked_at.isoformat()},
        )
