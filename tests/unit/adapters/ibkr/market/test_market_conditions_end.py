"""What the market's session finds in itself and in its link is open until it is found to hold no more."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from alert_ends import shows_the_end_of
from driven_market import DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.session.pacing import Request, Send
from trading.model.alerts import LINK_CODES
from trading.model.broker import LinkState

MARKET = market_settings(SPY=symbol_settings(bars=False))
MEND = {1100: (1102, "restored"), 2110: (2104, "is OK:usfarm"), 10197: (2104, "is OK:usfarm")}


@pytest.fixture
def desk() -> DrivenMarket:
    """A session that is ready."""
    made = DrivenMarket(MARKET, begins_at=after_opening(date(2026, 11, 13)))
    made.connect()
    until(made, lambda: made.session.state is LinkState.READY)
    return made


def until(desk: DrivenMarket, is_so: Callable[[], bool]) -> None:
    """Let time pass until it is so; a link that is asked for is there."""
    for _ in range(200):
        desk.clock.at += timedelta(seconds=10)
        desk.broker_at += timedelta(seconds=10)
        desk.turn()
        if desk.session.state is LinkState.CONNECTING:
            desk.session.link_ready(("DU1",), 176)
            desk.turn()
        if is_so():
            return
    raise AssertionError((desk.session.state, desk.alerts, desk.over))


def tell_time(desk: DrivenMarket, ahead: timedelta) -> None:
    """The broker tells its time."""
    desk.session.time(desk.broker_at.replace(microsecond=0) + ahead)
    desk.turn()


@shows_the_end_of(
    "ingest_code_326",
    "ingest_code_503",
    "ingest_code_506",
    "ingest_code_507",
    "ingest_code_1100",
    "ingest_code_1300",
    "ingest_code_2110",
    "ingest_code_10197",
)
@pytest.mark.parametrize("code", LINK_CODES)
def test_what_the_gateway_says_about_the_link_is_over_when_the_link_is_ready(
    desk: DrivenMarket, code: int
) -> None:
    """Not before."""
    desk.session.error(-1, code, "words", "")
    desk.turn()
    assert (desk.alerts, desk.over) == ([f"code_{code}"], [])
    if code in MEND:
        desk.session.error(-1, *MEND[code], "")
    until(desk, lambda: desk.session.state is LinkState.READY)
    desk.turn()
    assert desk.over == [f"code_{code}"]


@shows_the_end_of("ingest_clock_skew", "ingest_clock_not_believed")
def test_a_clock_is_told_to_be_wrong_until_it_is_right(desk: DrivenMarket) -> None:
    """A time that is no day of the market, and one that jumped."""
    desk.session.time(datetime(1970, 1, 1, tzinfo=UTC))
    desk.turn()
    assert (desk.alerts, desk.over) == (["clock_not_believed"], [])
    tell_time(desk, timedelta(0))
    assert desk.over == ["clock_not_believed"]
    tell_time(desk, timedelta(hours=1))
    assert desk.alerts == ["clock_not_believed", "clock_skew"]
    for _ in range(3):  # the clock that jumped is ours now, until it is told again
        tell_time(desk, timedelta(0))
    assert desk.over == ["clock_not_believed", "clock_skew"]


@shows_the_end_of("ingest_queue_full")
def test_a_full_queue_is_over_when_half_of_it_is_empty(desk: DrivenMarket) -> None:
    """It is the queue of the same rules as the broker's."""
    while desk.session._context.send(Request(send=Send.TIME)):
        pass
    until(desk, lambda: desk.over == ["queue_full"])
    assert desk.alerts == ["queue_full"]
