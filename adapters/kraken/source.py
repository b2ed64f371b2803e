"""Kraken Futures as a source of files: open positions and fills of one account."""

from dataclasses import dataclass
from datetime import datetime

from adapters.kraken.client import KrakenFills
from adapters.kraken.holdings import KrakenHoldings
from adapters.venue.export import export_of, venue_errors, whole
from trading.model.fills import Venue
from trading.ports.venue_source import VenueExport, VenueSource


@dataclass(frozen=True, slots=True)
class KrakenSource(VenueSource):
    """The port over the venue's REST interface."""

    client: KrakenFills

    def fetch(self, since: datetime) -> VenueExport:
        """Positions, then fills."""
        asked_at = self.client.clock.now()
        with venue_errors():
            positions = KrakenHoldings(self.client).positions()
            whole(Venue.KRAKEN, self.client.account, positions)
            fills = self.client.fills_since(since)
        told = asked_at.isoformat()  # by our clock: it only says that the file is an answer
        return export_of(
            Venue.KRAKEN,
            self.client.account,
            asked_at,
            positions,
            [(fills, lambda rows: f'{{"result": "success", "serverTime": "{told}", "fills": [{rows}]}}')],
            {},
        )
