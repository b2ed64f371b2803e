"""The bar of now goes on where the answer about the past ended: each of its pieces counts once."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from small_broker import SHARE, SmallBroker, hand_clock

from simulation.tws.bar_feeds import BarOfNow
from simulation.tws.faults import WireFaults
from simulation.tws.replies.history import BarForm

MINUTE = timedelta(minutes=1)
COUNT, VOLUME = 2, 9  # places in an update


def test_a_bar_that_is_under_way_is_built_on() -> None:
    """Of half a minute that was told the next piece is the seventh; after the twelfth another bar begins."""
    broker, begins = SmallBroker(), hand_clock().now().replace(second=0, microsecond=0)
    state: Any = SimpleNamespace(broker=broker, faults=WireFaults())
    asked_at = begins + timedelta(seconds=30)
    (piece,) = broker.bars(SHARE.conid, begins + timedelta(seconds=5), 5, 5, "TRADES")
    last = replace(piece, at=begins, volume=600, count=42)
    feed = BarOfNow(1, SHARE.conid, "TRADES", BarForm(format_date=2, bar_s=60), last, asked_at)
    assert feed.news(state, asked_at + timedelta(seconds=4)) == []
    (update,) = feed.news(state, asked_at + timedelta(seconds=5))
    assert (update[COUNT], update[VOLUME]) == ("49", "700")
    whole, begun = feed.news(state, begins + MINUTE + timedelta(seconds=5))
    assert (whole[VOLUME], begun[VOLUME]) == ("1200", "100")
