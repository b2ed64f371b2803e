"""Ticks of the past: at most as many as a gateway gives, out of at most as many seconds as it looks back."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from small_broker import SHARE, SmallBroker, hand_clock

from simulation.broker.model import Quote
from simulation.broker.questions import Print
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


@dataclass
class Printed(SmallBroker):
    """One print a minute of Monday; notes the longest span it is asked for."""

    longest: timedelta = timedelta()

    def __post_init__(self) -> None:
        super().__init__()

    def prints(self, conid: int, since: datetime, now: datetime) -> list[Print]:
        """Those after the one moment up to the other."""
        self.longest = max(self.longest, now - since)
        minutes = (MONDAY + timedelta(minutes=number) for number in range(60))
        return [
            Print(at=at, price=Decimal(600), size=1, exchange="ARCA", conditions="")
            for at in minutes
            if since < at <= now
        ]


MONDAY = datetime(2026, 11, 9, 14, 30, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 7, 14, 35, tzinfo=UTC)
TUESDAY_NIGHT = datetime(2026, 11, 10, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        (SATURDAY, None, MONDAY),
        (MONDAY - timedelta(seconds=1), None, MONDAY),
        (None, TUESDAY_NIGHT, MONDAY + timedelta(minutes=50)),
    ],
)
def test_ticks_of_a_weekend_or_a_night_are_those_of_the_hours_next_to_it(
    start: datetime | None, end: datetime | None, first: datetime
) -> None:
    """And a far beginning costs no more than the prints that are told: the tape is drawn by the hour."""
    broker = Printed()
    message = ticks_between(state_of(broker), 1, SHARE.conid, "TRADES", start, end, 10)
    assert (int(message[2]), int(message[3])) == (10, int(first.timestamp()))
    assert broker.longest <= timedelta(hours=1)
