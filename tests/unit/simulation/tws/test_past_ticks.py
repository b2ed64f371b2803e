"""Ticks of the past: at most as many as a gateway gives, out of at most as many seconds as it looks back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from small_broker import SHARE, SmallBroker, hand_clock

from simulation.broker.model import Quote
from simulation.tws.handlers.past_ticks import LOOK_BACK, TICKS_MAX, past_ticks, ticks_between


@dataclass
class Watched(SmallBroker):
    """Counts how often it is looked at; a market that is closed has no touch."""

    is_closed: bool = False
    looks: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def quote(self, conid: int, now: datetime) -> Quote:
        """The touch of a moment."""
        self.looks += 1
        told = super().quote(conid, now)
        return replace(told, bid=None, ask=None) if self.is_closed else told


def state_of(broker: SmallBroker) -> Any:
    """What the handlers ask."""
    return SimpleNamespace(broker=broker, clock=hand_clock())


def test_a_subscription_is_led_by_no_more_ticks_than_an_answer_has() -> None:
    """However many the client asks for."""
    message = past_ticks(state_of(Watched()), 1, SHARE.conid, "BidAsk", 5_000)
    assert int(message[2]) == TICKS_MAX


def test_a_weekend_is_not_looked_through_to_its_end() -> None:
    """A question from days ago in which nothing was quoted is answered, and costs what it may."""
    broker = Watched(is_closed=True)
    state = state_of(broker)
    since = state.clock.now() - timedelta(days=3)
    message = ticks_between(state, 1, SHARE.conid, "BID_ASK", since, None, 10)
    assert int(message[2]) == 0
    assert broker.looks <= LOOK_BACK.total_seconds() + 1
