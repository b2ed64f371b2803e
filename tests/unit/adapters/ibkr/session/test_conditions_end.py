"""What the broker session finds in itself and in its link is open until it is found to hold no more."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from alert_ends import shows_the_end_of
from session_desk import broker_settings

from adapters.clock import SystemClock
from adapters.ibkr.session.outputs import LinkAction
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.session import BrokerSession
from trading.model.alerts import LINK_CODES
from trading.model.broker import BrokerEventKind, LinkState

ACCOUNTS = ("DU1",)
BEGIN = datetime(2026, 11, 20, 17, tzinfo=UTC)
MEND = {1100: (1102, "restored"), 2110: (2104, "is OK:usfarm"), 10197: (2104, "is OK:usfarm")}


class StepClock(SystemClock):
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        """That moment."""
        return self.at


class Driven:
    """A session whose broker answers at once; `open` are its alerts that go on."""

    def __init__(self, **changes: Any) -> None:
        self.clock = StepClock()
        settings = broker_settings(silence_after_s=7_200, request_timeout_s=20, **changes)
        self.session = BrokerSession(settings, self.clock, Random(7))
        self.open: set[str] = set()
        self.over: list[str] = []
        self.ahead = timedelta(0)
        self.session.start()
        self.until(lambda: self.session.state is LinkState.READY)

    def turn(self, seconds: float = 30) -> None:
        """Let time pass, and answer what is asked."""
        self.clock.at += timedelta(seconds=seconds)
        self.session.tick()
        if LinkAction.CONNECT in self.session.outputs.link:
            self.session.link_ready(ACCOUNTS, 176)
            self.session.tick()
        self.session.outputs.link.clear()
        asked = list(self.session.outputs.requests)
        self.session.outputs.requests.clear()
        for request in asked:
            if request.send is Send.EXECUTIONS:
                self.session.end(55, request.number)
            elif request.send is Send.TIME:
                self.session.time(self.clock.at + self.ahead)
        for ending in (53, 102, 62):
            self.session.end(ending, -1)
        self.hear()

    def hear(self) -> None:
        """Take what was told."""
        for event in self.session.outputs.events:
            if event.kind is not BrokerEventKind.ALERT:
                continue
            code = str(event.payload["code"])
            if event.payload.get("is_over"):
                self.open.remove(code)
                self.over.append(code)
            else:
                self.open.add(code)
        self.session.outputs.events.clear()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let time pass until it is so; fails where it never is."""
        for _ in range(100):
            self.turn()
            if is_so():
                return
        raise AssertionError((self.session.state, self.open, self.over))


@pytest.fixture
def driven() -> Iterator[Driven]:
    """A session that is ready."""
    yield Driven()


@shows_the_end_of(
    "broker_code_326",
    "broker_code_503",
    "broker_code_506",
    "broker_code_507",
    "broker_code_1100",
    "broker_code_1300",
    "broker_code_2110",
    "broker_code_10197",
)
@pytest.mark.parametrize("code", LINK_CODES)
def test_what_the_gateway_says_about_the_link_is_over_when_the_link_is_ready(
    driven: Driven, code: int
) -> None:
    """Not before; and a second time it is told at once, however short after the first."""
    for times in (1, 2):
        driven.session.error(-1, code, "words", "")
        driven.hear()
        assert driven.open == {f"code_{code}"}
        assert driven.session.state is not LinkState.READY
        if code in MEND:
            driven.turn(1)
            assert driven.open == {f"code_{code}"}, "still down"
            driven.session.error(-1, *MEND[code], "")
        driven.until(lambda: driven.session.state is LinkState.READY)
        driven.turn(1)
        assert (driven.open, driven.over) == (set(), [f"code_{code}"] * times)


def test_what_is_said_about_an_order_is_said_once(driven: Driven) -> None:
    """An unknown code of a request has no end."""
    driven.session.error(5, 98765, "words", "")
    driven.until(lambda: "code_98765" in driven.open)
    driven.turn()
    assert driven.over == []


@shows_the_end_of("broker_clock_skew")
def test_a_clock_that_jumped_is_over_when_it_goes_with_ours_again(driven: Driven) -> None:
    """The next answer that agrees."""
    driven.ahead = timedelta(hours=1)
    driven.until(lambda: "clock_skew" in driven.open)
    driven.until(lambda: driven.over == ["clock_skew"])
    assert driven.open == set()


@shows_the_end_of("broker_queue_full")
def test_a_full_queue_is_over_when_half_of_it_is_empty() -> None:
    """Not with the first that goes: a queue at its bound would be a word a second."""
    driven = Driven(requests_waiting_max=100, messages_per_s_max=10)
    context = driven.session._context
    while context.send(Request(send=Send.TIME)):
        pass
    driven.hear()
    assert driven.open == {"queue_full"}
    left = []
    while driven.open:
        driven.turn(1)
        left.append(context.pacing.waiting())
        assert len(left) < 100
    assert left[-1] <= 50 < left[-3]


@shows_the_end_of("broker_outbox_full")
def test_a_full_spool_is_over_when_there_is_room_again(driven: Driven) -> None:
    """As the edge says."""
    driven.session.outbox_full("80 of 100 events wait")
    driven.turn()
    assert driven.open == {"outbox_full"}
    driven.session.outbox_has_room()
    driven.hear()
    assert (driven.open, driven.over) == (set(), ["outbox_full"])
