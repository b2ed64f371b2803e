"""A chain is overdue from when it was asked for, on a fast day too; one that never comes is told."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from driven_market import DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.health import LOOK_S, WAITS_MAX_S, healths
from adapters.ibkr.market.heard import ChainHeard, GreeksHeard
from adapters.ibkr.market.lines import KnownContract, LineKind
from adapters.ibkr.market.request_pacing import HISTORY_MAX
from adapters.ibkr.market.requests import MarketSend
from trading.market_settings import ChainMode
from trading.model.instruments import Option, Right
from trading.ports.feed_health import FeedState
from trading.services.watch_feeds import FeedEventKind, FeedWatch

SESSION = date(2026, 11, 13)
MARKET = market_settings(SPY=symbol_settings(bars=False, chain=ChainMode.SNAPSHOT))
FAST = 390
LOOK_EVERY_S = 0.5  # of this machine


class Watched:
    """A driven session whose feeds are judged as the process does it."""

    def __init__(self, speed: int = FAST, timeout_s: int = 90) -> None:
        begins_at = after_opening(SESSION, 1)
        self.desk = DrivenMarket(MARKET, begins_at=begins_at, speed=speed, timeout_s=timeout_s)
        self.watch = FeedWatch()
        self.events: list[FeedEventKind] = []
        self.state = FeedState.IDLE
        self.desk.connect()

    def wait(self, seconds: float, meanwhile: Callable[[], None] | None = None) -> None:
        """Seconds of this machine, in which level 1 goes on."""
        desk = self.desk
        for turn in range(round(seconds / LOOK_EVERY_S)):
            desk.move(LOOK_EVERY_S * desk.speed)
            desk.quote(500.0 + turn % 2, 500.5 + turn % 2)
            if meanwhile is not None:
                meanwhile()
            desk.flush()
            at = desk.session.market_time()
            assert at is not None
            judged = self.watch.judge(healths(desk.session, desk.ingest, at, desk.clock.at), at)
            self.events += [each.kind for each in judged.events if each.health.feed == "chain"]
            self.state = next(each.state for each in judged.feeds if each.feed == "chain")

    def find_chain(self) -> None:
        """The broker says what is listed: one expiry with three strikes."""
        desk = self.desk
        (asked,) = desk.asked(MarketSend.CHAIN)
        heard = ChainHeard(exchange="SMART", trading_class="SPY", expiries=(SESSION,), strikes=())
        desk.session.chain(asked.number, heard)
        desk.session.chain_end(asked.number)
        desk.turn()
        (described,) = desk.asked(MarketSend.DESCRIBE)
        for strike in (499, 500, 501):
            desk.session.contract(described.number, call(strike))
        desk.session.contracts_end(described.number)
        desk.turn()

    def answer_looks(self) -> None:
        """Greeks for every contract that is being looked at."""
        session = self.desk.session
        for number, _line in session.subscribing.lines.of_kind(LineKind.SNAPSHOT):
            session.size(number, 27, 100)
            session.greeks(number, 13, GreeksHeard(0.2, 0.5, 1.0, 0.0, 0.1, 0.1, -0.1, 500.0))
            session.snapshot_end(number)


def call(strike: int) -> KnownContract:
    """A call that expires today."""
    option = Option(
        symbol="SPY", expiry=SESSION, right=Right.CALL, strike=Decimal(strike), multiplier=100,
        trading_class="SPY", conid=strike,
    )  # fmt: skip
    return KnownContract(
        conid=strike,
        symbol="SPY",
        sec_type="OPT",
        exchange="SMART",
        instrument_id=option.instrument_id,
        option=option,
    )


@pytest.mark.parametrize("seconds", [1, 8, 40])
def test_a_chain_that_takes_seconds_to_be_found_is_not_overdue_on_a_fast_day(seconds: int) -> None:
    """Eight of ours are fifty minutes of the market's: nothing was asked in them."""
    watched = Watched()
    watched.wait(seconds)
    assert watched.state is FeedState.STARTING
    watched.find_chain()
    watched.wait(4)
    watched.wait(10, watched.answer_looks)
    assert watched.state is FeedState.RUNNING
    assert watched.events == []


def test_a_chain_that_was_asked_for_and_never_comes_is_told() -> None:
    """From the first look on its limit counts; one episode."""
    watched = Watched()
    watched.wait(8)
    watched.find_chain()
    watched.wait(LOOK_S - 1)
    assert watched.events == []
    watched.wait(10)
    assert watched.events == [FeedEventKind.STALE]
    watched.wait(5, watched.answer_looks)
    assert watched.events == [FeedEventKind.STALE, FeedEventKind.RESOLVED]


def test_a_chain_whose_listing_is_refused_is_told() -> None:
    """It does not wait for its turn any more."""
    watched = Watched()
    watched.wait(2)
    (asked,) = watched.desk.asked(MarketSend.CHAIN)
    watched.desk.session.error(asked.number, 322, "could not be processed", "")
    watched.wait(LOOK_S)
    assert watched.events == [FeedEventKind.STALE]


def test_a_chain_that_is_never_asked_for_is_told_when_its_waiting_is_over() -> None:
    """Nobody answers and nothing is given up: the bound is of this machine."""
    watched = Watched(speed=60, timeout_s=3_600)
    watched.wait(WAITS_MAX_S)
    assert watched.events == []
    watched.wait(LOOK_S + 5)
    assert watched.events == [FeedEventKind.STALE]


def test_an_episode_goes_on_when_the_line_is_asked_for_anew() -> None:
    """Only a row ends it: a silent line is asked for again and again."""
    watched = Watched()
    watched.wait(2)
    watched.find_chain()
    watched.wait(LOOK_S + 5)
    assert watched.events == [FeedEventKind.STALE]
    watched.desk.cut()
    watched.desk.clock.at += timedelta(seconds=1)
    watched.desk.turn()
    watched.desk.session.link_ready(("DU1",), 176)
    for _ in range(5):
        watched.desk.turn()
    watched.wait(LOOK_S / 2)
    assert watched.events == [FeedEventKind.STALE]


def test_at_the_markets_own_speed_the_limit_is_the_configured_one() -> None:
    """A minute after it was asked for, not before."""
    watched = Watched(speed=1)
    watched.wait(20)
    watched.find_chain()
    watched.wait(55)
    assert watched.events == []
    watched.wait(10)
    assert watched.events == [FeedEventKind.STALE]


def test_bars_that_wait_for_the_brokers_windows_are_not_overdue() -> None:
    """Fifty-eight in ten minutes: those behind them are asked for in the next ones, not missed before."""
    names = [f"S{number:02}" for number in range(70)]
    market = market_settings(**{name: symbol_settings() for name in names})
    desk = DrivenMarket(market, begins_at=after_opening(SESSION, 1), market_data_lines=400)
    desk.connect()
    watch, stale = FeedWatch(), set[str]()
    for _ in range(40):
        desk.move(10)
        desk.flush()
        at = desk.session.market_time()
        assert at is not None
        events = watch.judge(healths(desk.session, desk.ingest, at, desk.clock.at), at).events
        stale |= {each.health.symbol for each in events if each.health.feed == LineKind.BARS.value}
    asked = {line.symbol for line in desk.asked_lines(LineKind.BARS)}
    assert stale == asked, "those that were asked for and told nothing"
    assert len(set(names) - asked) == 70 - HISTORY_MAX
