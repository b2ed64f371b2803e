"""Changes of the touch, tick by tick: whether a change of size alone is told is the client's to say."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from small_broker import SHARE, SmallBroker, hand_clock

from simulation.broker.model import Quote
from simulation.tws.depth_feeds import QuoteFeed
from simulation.tws.faults import WireFaults


class Growing(SmallBroker):
    """A share whose bid is one larger at each second, and nothing else."""

    def quote(self, conid: int, now: datetime) -> Quote:
        """The touch of a moment."""
        return replace(super().quote(conid, now), bid_size=now.second + 1)


@pytest.mark.parametrize(("ignores_size", "ticks"), [(False, [1, 1, 1]), (True, [1, 0, 0])])
def test_a_size_alone_is_told_unless_the_client_ignores_it(ignores_size: bool, ticks: list[int]) -> None:
    """The first touch is told to both."""
    state: Any = SimpleNamespace(broker=Growing(), faults=WireFaults())
    feed = QuoteFeed(1, SHARE.conid, "BidAsk", ignores_size=ignores_size)
    begins = hand_clock().now()
    told = [len(feed.ticks(state, begins + timedelta(seconds=n))) for n in range(3)]
    assert told == ticks
