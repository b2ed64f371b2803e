"""Markets that are not like the examples: stub quotes, underlyings without options, halves of quotes."""

from datetime import date
from decimal import Decimal

import pytest
from driven_market import ASK as ASK_SIDE
from driven_market import BID as BID_SIDE
from driven_market import INSERT, DrivenMarket, after_opening, share
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.health import healths
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.requests import MarketSend
from adapters.ibkr.market.symbol_feeds import SymbolFeeds, symbol_feeds
from adapters.memory.market import MemoryMarket, MemoryMarketSink, MemoryMarketState
from trading.market_settings import ChainMode
from trading.model.market import Aggressor, DepthSnapshot, MarketKind, Quote, TradingState
from trading.services.watch_feeds import FeedEventKind, FeedWatch

SESSION = date(2026, 11, 13)
BID, ASK = 1, 2
RT_VOLUME = 48


def desk_of(**options: object) -> DrivenMarket:
    """A session of SPY that has its lines."""
    market = market_settings(SPY=symbol_settings(bars=False, **options))  # type: ignore[arg-type]
    desk = DrivenMarket(market, begins_at=after_opening(SESSION))
    desk.connect()
    return desk


def connect_again(desk: DrivenMarket) -> None:
    """The link is lost in the middle of what it tells, and back."""
    desk.cut()
    desk.move(600)
    desk.session.link_ready(("DU1",), 176)
    for _ in range(5):
        desk.turn()


def feeds_at(bid: str | None, ask: str | None, last: str | None, close: str | None = "500") -> SymbolFeeds:
    """An underlying with a quote."""
    feeds = symbol_feeds(SymbolPlan(symbol="SPY"), share("SPY"))
    feeds.close = None if close is None else Decimal(close)
    bid_, ask_, last_ = (None if price is None else Decimal(price) for price in (bid, ask, last))
    at = after_opening(SESSION)
    feeds.quote = Quote(symbol="SPY", instrument_id="STK:SPY", at=at, bid=bid_, ask=ask_, last=last_)
    return feeds


@pytest.mark.parametrize(
    ("bid", "ask", "last", "close", "spot"),
    [
        ("500", "500.02", "490", "480", "500.01"),
        ("0.01", "199999.99", "501", "500", "501"),
        ("0.01", "199999.99", None, "500", "500"),
        ("510", "900", "501", "500", "510"),
        ("100", "490", None, "500", "490"),
        ("1", "3", None, None, "2"),
        ("500.02", "500", None, "480", "500.01"),
        (None, "500", "499", "480", "499"),
        (None, None, None, "480", "480"),
    ],
)
def test_where_an_underlying_stands_is_not_the_middle_of_stubs(
    bid: str | None, ask: str | None, last: str | None, close: str | None, spot: str
) -> None:
    """Strikes are chosen around it: the middle of 0.01 and 199,999 would choose those at the end."""
    assert feeds_at(bid, ask, last, close).spot() == Decimal(spot)


def test_an_underlying_without_options_says_so_and_is_asked_again() -> None:
    """Not silent for a session: its chain names the reason, a person is told, and the next answer counts."""
    desk, watch = desk_of(chain=ChainMode.SNAPSHOT), FeedWatch()
    desk.session.chain_end(desk.asked(MarketSend.CHAIN)[-1].number)
    events = []
    for turn in range(150):
        desk.move(1)
        desk.quote(500 + turn % 2, 500.5 + turn % 2)
        desk.flush()
        at = desk.session.market_time()
        assert at is not None
        judged = watch.judge(healths(desk.session, desk.ingest, at, desk.clock.at), at)
        events += [each.kind for each in judged.events if each.health.feed == "chain"]
        (chain,) = [each for each in judged.feeds if each.feed == "chain" and each.symbol == "SPY"]
        if len(desk.asked(MarketSend.CHAIN)) > 1 and turn % 40 == 39:
            desk.session.chain_end(desk.asked(MarketSend.CHAIN)[-1].number)
    assert events == [FeedEventKind.STALE]
    assert "the broker lists no options of it" in chain.text
    number = desk.asked(MarketSend.CHAIN)[-1].number
    desk.session.chain(
        number, ChainHeard(exchange="SMART", trading_class="SPY", expiries=(SESSION,), strikes=())
    )
    desk.session.chain_end(number)
    desk.turn()
    assert [each.content.expiry for each in desk.asked(MarketSend.DESCRIBE)] == [SESSION]


def test_half_of_a_quote_after_a_loss_does_not_stand_beside_an_old_half() -> None:
    """The market moved meanwhile: the new bid over the old ask would be a crossed market."""
    desk = desk_of()
    desk.quote(500.0, 500.02)
    desk.flush()
    connect_again(desk)
    desk.flush()
    for tick, price in ((BID, 510.0), (ASK, 510.02)):
        desk.session.price(desk.number(LineKind.LEVEL1), tick, price, 100)
        desk.flush()
    halves = [(row.bid, row.ask) for row in desk.rows(MarketKind.QUOTE)]
    assert halves == [
        (Decimal(500), Decimal("500.02")),
        (Decimal(510), None),
        (Decimal(510), Decimal("510.02")),
    ]
    states = [row.state for row in desk.rows(MarketKind.STATE)]
    assert states == [TradingState.OPEN, TradingState.STALE, TradingState.OPEN]


def books(desk: DrivenMarket) -> list[DepthSnapshot]:
    """The live books as they were told."""
    return [update.book for call in desk.calls for update in call if update.book is not None]


@pytest.mark.parametrize(("price", "size"), [(-1.0, 0.0), (0.0, 0.0), (500.0, 0.0)])
def test_a_quote_that_is_gone_is_an_empty_book_once(price: float, size: float) -> None:
    """A halted market has no sides: those from before it would stand in the live book."""
    desk = desk_of()
    desk.quote(500.0, 500.02)
    desk.flush()
    for volume in (1_000, 1_001):
        desk.move(1)
        number = desk.number(LineKind.LEVEL1)
        for tick in (BID, ASK):
            desk.session.price(number, tick, price, size)
        desk.session.size(number, 8, volume)
        desk.flush()
    told = [(len(book.bids), len(book.asks)) for book in books(desk)]
    assert told == [(1, 1), (0, 0)]
    assert all(book.is_synthetic for book in books(desk))


def test_a_book_that_is_emptied_gives_way_to_the_quote_though_that_is_older() -> None:
    """In the live state, too, which takes no older value for a newer one."""
    desk = desk_of(depth=True)
    desk.quote(500.0, 500.02)
    desk.flush()
    desk.move(2)
    for side, price in ((ASK_SIDE, 500.03), (BID_SIDE, 500.0)):
        desk.level(INSERT, side, price)
    desk.flush()
    desk.session.error(desk.number(LineKind.DEPTH), 317, "the book is reset", "")
    desk.flush()
    market = MemoryMarket()
    sink = MemoryMarketSink(market)
    for call in desk.calls:
        sink.publish(call)
    told = MemoryMarketState(market).read(["SPY"])["SPY"].book
    assert told is not None
    assert told.is_synthetic
    assert [level.price for level in told.asks] == [Decimal("500.02")]


def test_an_index_has_no_book_at_all() -> None:
    """Nothing but a last price was ever told of it."""
    desk = desk_of()
    desk.session.price(desk.number(LineKind.LEVEL1), 4, 6_000.0, 0)
    desk.flush()
    assert books(desk) == []


def test_what_was_told_last_before_a_loss_is_told() -> None:
    """A flush that comes behind the loss has it, as it was."""
    desk = desk_of()
    desk.quote(500.0, 500.02)
    connect_again(desk)
    desk.flush()
    assert [(row.bid, row.ask) for row in desk.rows(MarketKind.QUOTE)] == [(Decimal(500), Decimal("500.02"))]


def test_a_print_behind_a_loss_is_not_signed_by_the_quote_before_it() -> None:
    """At 500.02 it would be a buy of an hour ago."""
    desk = desk_of()
    desk.quote(500.0, 500.02)
    connect_again(desk)
    at = desk.session.market_time()
    assert at is not None
    told = desk.number(LineKind.LEVEL1)
    desk.session.text(told, RT_VOLUME, f"500.02;1;{int(at.timestamp() * 1000)};100;500;true")
    desk.flush()
    (trade,) = desk.rows(MarketKind.TRADE)
    assert (trade.aggressor, trade.bid, trade.ask) == (Aggressor.UNKNOWN, None, None)
