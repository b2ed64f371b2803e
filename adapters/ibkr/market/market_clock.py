"""The market's time: the broker's clock carried on by ours, and never backwards.

Rows are dated with it where the venue names no time. The broker tells whole seconds, cut off, so a new
reading may lie behind what was shown already: then time stands until it has caught up.
"""

from datetime import datetime

from adapters.ibkr.session.broker_clock import BrokerClock


class MarketClock:
    """What the market's clock shows; None before the broker told it."""

    def __init__(self, broker_clock: BrokerClock) -> None:
        self._broker_clock = broker_clock
        self._shown: datetime | None = None

    def at(self, moment: datetime) -> datetime | None:
        """What it shows at a moment of ours."""
        told = self._broker_clock.at(moment)
        if told is not None and (self._shown is None or told > self._shown):
            self._shown = told
        return self._shown
