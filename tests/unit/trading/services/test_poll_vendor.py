"""Polling a vendor over real HTTP: what comes is published, what fails costs only itself."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from alert_ends import shows_the_end_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vendor_desk import KEY, NOON, SYMBOL, FixedBook, VendorDesk, option_row, strikes, vendor_desk, walk

from adapters.indicators.talib_indicators import TalibIndicators
from adapters.memory.market import MemoryMarketSink
from simulation.http.articles import Article
from simulation.http.server import Answer, Fault
from simulation.http.vendor_words import refusal
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.feeds.breaker import BreakerState
from trading.feeds.limiter import RateLimits
from trading.feeds.vendor_plan import Cadences
from trading.feeds.vendor_rows import REFUSED_TOLD_MAX
from trading.model.market import Bar, ChainSnapshot, MarketKind, NewsItem, Quote, TechnicalReading
from trading.ports.feed_health import FeedState
from trading.ports.market_state import SymbolUpdate

FAST = Cadences(chains_s=10, technicals_s=60, sentiment_s=300)


def chains(desk: VendorDesk) -> list[ChainSnapshot]:
    """Every chain on its way to the warehouse."""
    return [row for row in desk.rows(MarketKind.CHAIN) if isinstance(row, ChainSnapshot)]


def changes(desk: VendorDesk) -> list[str]:
    """What the breakers did."""
    return [f"{change.symbol} {change.becomes}" for change in desk.poller.take_changes()]


def own_bars(desk: VendorDesk, symbol: str = SYMBOL, count: int = 60) -> list[Bar]:
    """Put the minutes that the vendor's book has into the live market as ours."""
    bars = [
        Bar(
            symbol=symbol,
            instrument_id=f"STK:{symbol}",
            at=minute.at,
            seconds=60,
            open=Decimal(str(minute.close)),
            high=Decimal(str(minute.high)),
            low=Decimal(str(minute.low)),
            close=Decimal(str(minute.close)),
        )
        for minute in walk(desk.now.market, count)
    ]
    MemoryMarketSink(desk.market).publish([SymbolUpdate(symbol=symbol, bars=tuple(bars))])
    return bars


def test_a_chain_is_in_the_live_market_and_on_its_way_to_the_warehouse() -> None:
    """One poll publishes the whole chain, dated by the market's clock."""
    with vendor_desk() as desk:
        assert desk.step() == ["chain AAPL"]
        chain = desk.market.symbols[SYMBOL].chain
        assert chain is not None
        assert [contract.option.strike for contract in chain.contracts] == [240, 250, 260]
        assert chain.at == desk.now.market
        assert chains(desk) == [chain]
        (health,) = desk.poller.health(desk.now)
        assert (health.state, health.rows, health.newest_at) == (FeedState.RUNNING, 3, desk.now.market)


def test_a_chain_comes_every_ten_seconds() -> None:
    """Nothing is asked before its time, and a late loop does not ask twice."""
    with vendor_desk() as desk:
        asked = [len(desk.step(seconds)) for seconds in (0, 9, 1, 5, 35, 0)]
    assert asked == [1, 0, 1, 0, 1, 0]


def test_the_underlyings_price_is_that_of_our_own_quote() -> None:
    """The vendor tells none; the middle of the live quote goes with the chain, a stale one does not."""
    with vendor_desk() as desk:
        quote = Quote(
            symbol=SYMBOL,
            instrument_id="STK:AAPL",
            at=NOON,
            bid=Decimal("249.9"),
            ask=Decimal("250.1"),
        )
        MemoryMarketSink(desk.market).publish([SymbolUpdate(symbol=SYMBOL, ticker=quote)])
        desk.step()
        desk.step(180)
        assert [chain.spot for chain in chains(desk)] == [Decimal("250"), None]


@pytest.mark.parametrize(
    "moment",
    ["2026-11-21T17:00+00:00", "2026-11-23T14:29+00:00", "2026-11-23T21:00+00:00", "2026-11-27T18:00+00:00"],
)
def test_nothing_is_asked_outside_regular_hours(moment: str) -> None:
    """Weekend, before the bell, after it, after an early close."""
    from datetime import datetime

    from trading.feeds.poller import Moment

    with vendor_desk() as desk:
        desk.now = Moment(market=datetime.fromisoformat(moment), machine=NOON)
        assert desk.step() == []
        assert len(desk.stub.journal) == 0


def test_a_simulated_day_is_polled_on_this_machines_clock() -> None:
    """At 60 times the pace a chain still comes every ten seconds, dated ten market minutes apart."""
    with vendor_desk(speed=60) as desk:
        desk.step()
        assert desk.step(9) == []
        desk.step(1)
        first, second = chains(desk)
        assert second.at - first.at == timedelta(minutes=10)
        (health,) = desk.poller.health(desk.now)
        assert health.limit_s == 3_600


def test_a_bad_row_never_ends_the_feed() -> None:
    """It goes to the dead letter, and everything else of the answer arrives, again and again."""
    rows = [*strikes(240, 250), option_row(bid="9.00"), {"contractID": "?"}]
    with vendor_desk(FixedBook(rows={SYMBOL: rows})) as desk:
        for _ in range(3):
            desk.step(10)
        assert [len(chain.contracts) for chain in chains(desk)] == [2, 2, 2]
        assert Counter(row.field for row in desk.refused()) == {"bid": 3, "contractID": 3}
        assert desk.poller.health(desk.now)[0].refused == 6
        assert changes(desk) == []


def test_a_row_that_is_wrong_all_day_does_not_fill_the_dead_letter() -> None:
    """Of one kind so many are kept each session; the count goes on."""
    rows = [*strikes(240), *[option_row(bid="9.00")] * 30]
    with vendor_desk(FixedBook(rows={SYMBOL: rows})) as desk:
        for _ in range(3):
            desk.step(10)
        assert len(desk.refused()) == REFUSED_TOLD_MAX
        assert desk.poller.health(desk.now)[0].refused == 90


def test_failures_are_asked_again_with_a_pause_and_then_left_alone() -> None:
    """Two tries a round, two rounds, then the breaker is open for a minute; half open, one trial decides."""
    with vendor_desk() as desk:
        desk.stub.faults.extend([Fault(answer=Answer(b"", 500))] * 5)
        asked = [len(desk.step(seconds)) for seconds in (0, 0.5, 0.3, 10, 0.8, 30, 29)]
        assert asked == [1, 0, 1, 1, 1, 0, 0]
        assert changes(desk) == ["AAPL open"]
        assert desk.poller.health(desk.now)[0].state is FeedState.BROKEN
        assert len(desk.step(31)) == 1  # the trial: one request, which decides
        assert changes(desk) == ["AAPL half_open", "AAPL open"]


def test_a_vendor_that_asks_to_wait_is_left_alone_by_all_feeds() -> None:
    """Retry-After is of the key, not of the question; an hour is the most that is believed."""
    with vendor_desk(chains=(SYMBOL, "MSFT")) as desk:
        desk.stub.faults.append(Fault(answer=Answer(b"", 429, {"Retry-After": "40"})))
        assert len(desk.step()) == 1
        assert [len(desk.step(seconds)) for seconds in (5, 30, 6)] == [0, 0, 2]


def test_a_half_open_breaker_closes_with_a_good_trial() -> None:
    """After it, everything is as before."""
    with vendor_desk() as desk:
        desk.stub.faults.extend([Fault(answer=Answer(b"", 503))] * 4)
        for seconds in (0, 1, 10, 1):
            desk.step(seconds)
        assert changes(desk) == ["AAPL open"]
        assert desk.step(61) == ["chain AAPL"]
        assert changes(desk) == ["AAPL half_open", "AAPL closed"]
        assert desk.poller.health(desk.now)[0].state is FeedState.RUNNING
        assert desk.step(10) == ["chain AAPL"]


def test_a_symbol_that_fails_takes_nothing_from_the_others() -> None:
    """Its breaker is its own; the chain of the other symbol comes every ten seconds."""
    book = FixedBook(rows={SYMBOL: strikes(250)})  # of MSFT the vendor knows nothing
    with vendor_desk(book, chains=(SYMBOL, "MSFT")) as desk:
        asked = Counter(name for _ in range(120) for name in desk.step(1))
        assert asked == {"chain AAPL": 12, "chain MSFT": 1}
        assert changes(desk) == ["MSFT open"]
        states = {health.symbol: health.state for health in desk.poller.health(desk.now)}
        assert states == {SYMBOL: FeedState.RUNNING, "MSFT": FeedState.BROKEN}
        assert list(desk.alerts.told) == ["vendor_symbol_refused-chain"]


@shows_the_end_of("vendor_day_spent", "vendor_key_refused")
@pytest.mark.parametrize(
    ("words", "paused_s", "alert"),
    [
        ("minute", 60, None),
        ("burst", 60, None),
        ("day", 3_600, "vendor_day_spent"),
        ("key", 900, "vendor_key_refused"),
    ],
)
def test_refusals_of_the_key_pause_all_its_feeds(words: str, paused_s: int, alert: str | None) -> None:
    """No symbol is to blame: no breaker moves, nothing leaves for a while, a person hears what he must."""
    with vendor_desk(FixedBook({SYMBOL: strikes(250), "MSFT": []}), chains=(SYMBOL, "MSFT")) as desk:
        desk.stub.faults.append(Fault(answer=refusal(words, KEY)))
        assert len(desk.step(0)) == 1
        assert list(desk.alerts.open) == ([alert] if alert else [])
        assert sum(len(desk.step(5)) for _ in range((paused_s - 5) // 5)) == 0
        assert list(desk.alerts.open) == ([alert] if alert else []), "nobody answered yet"
        assert desk.poller.metrics(desk.now)["held"]
        assert len(desk.step(10)) > 0
        assert changes(desk) == []
        assert not desk.alerts.open
        assert list(desk.alerts.over) == ([alert] if alert else [])
        assert list(desk.alerts.told) == ([alert] if alert else [])
        assert KEY not in str(desk.alerts.told)


def test_a_refused_key_is_seen_on_the_board_until_it_is_mended() -> None:
    """Every feed of the key is broken, with the vendor's words; the first good answer ends it."""
    with vendor_desk(chains=(SYMBOL,), sentiment=(SYMBOL,)) as desk:
        desk.stub.faults.append(Fault(answer=refusal("key", KEY)))
        desk.step()
        told = desk.poller.health(desk.now)
        assert {health.state for health in told} == {FeedState.BROKEN}
        assert all("invalid" in health.text for health in told)
        desk.step(901)
        assert {health.state for health in desk.poller.health(desk.now)} == {FeedState.RUNNING}


@shows_the_end_of("vendor_premium_refused-")
def test_a_premium_function_is_left_alone_for_an_hour() -> None:
    """It is not asked three times before it is believed."""
    with vendor_desk() as desk:
        desk.stub.faults.append(Fault(answer=refusal("premium")))
        desk.step()
        assert changes(desk) == ["AAPL open"]
        assert sum(len(desk.step(60)) for _ in range(59)) == 0
        assert list(desk.alerts.open) == ["vendor_premium_refused-chain"]
        assert len(desk.step(61)) == 1
        assert desk.alerts.over == {"vendor_premium_refused-chain": "answered: chain AAPL"}


@shows_the_end_of("vendor_symbol_refused-")
def test_a_refusal_of_two_symbols_is_over_when_both_are_answered() -> None:
    """One alert for the feed; the answer to another symbol, or to one of the two, does not end it."""
    book = FixedBook({SYMBOL: strikes(250)})
    with vendor_desk(book, chains=(SYMBOL, "MSFT", "IBM")) as desk:
        for _ in range(120):
            desk.step(1)
        assert sorted(changes(desk)) == ["IBM open", "MSFT open"]
        code = "vendor_symbol_refused-chain"
        assert list(desk.alerts.open) == [code]
        book.rows["MSFT"] = [option_row(contractID="MSFT261218C00250000", symbol="MSFT")]
        for _ in range(61):
            desk.step(60)
        assert "MSFT closed" in changes(desk)
        assert list(desk.alerts.open) == [code], "IBM is still refused"
        book.rows["IBM"] = [option_row(contractID="IBM261218C00250000", symbol="IBM")]
        for _ in range(61):
            desk.step(60)
        assert not desk.alerts.open
        assert code in desk.alerts.over


def test_an_empty_answer_is_no_failure_and_no_freshness() -> None:
    """The vendor has none: the breaker stays closed, and the feed's age goes on."""
    with vendor_desk(FixedBook(rows={SYMBOL: []})) as desk:
        for _ in range(5):
            desk.step(10)
        assert changes(desk) == []
        (health,) = desk.poller.health(desk.now)
        assert (health.newest_at, health.rows, health.errors) == (None, 0, 0)
        assert health.text == "the vendor has no chain"


def test_an_answer_of_which_no_row_is_good_is_a_failure() -> None:
    """A chain of another symbol under ours is not an empty chain."""
    with vendor_desk(
        FixedBook(rows={SYMBOL: [option_row(symbol="X", contractID="X261218C00250000")]})
    ) as desk:
        for seconds in (0, 1, 10, 1):
            desk.step(seconds)
        assert changes(desk) == ["AAPL open"]
        assert chains(desk) == []
        assert len(desk.refused()) == 4


def test_what_cannot_be_published_is_no_failure_of_the_vendor() -> None:
    """A full outbox is told to who runs the loop; articles that were not told are told next time."""
    told = Article(NOON - timedelta(hours=1), "t", "https://n.example/1", "p", "x", ((SYMBOL, 0.5, 1.0),))
    with vendor_desk(FixedBook(news=[told]), chains=(), sentiment=(SYMBOL,)) as desk:
        sink = desk.poller._tools.sink
        assert isinstance(sink, MemoryMarketSink)
        sink._entries_max = 0
        with pytest.raises(OutboxFullError):
            desk.step()
        assert changes(desk) == []
        sink._entries_max = 100
        desk.step(301)
        assert len(desk.rows(MarketKind.NEWS)) == 1


def test_articles_are_told_once_and_their_sentiment_each_time() -> None:
    """A second answer adds what is new in it."""
    first = Article(NOON - timedelta(hours=1), "a", "https://n.example/1", "p", "x", ((SYMBOL, 0.4, 1.0),))
    later = Article(NOON + timedelta(minutes=4), "b", "https://n.example/2", "p", "x", ((SYMBOL, 0.0, 1.0),))
    with vendor_desk(FixedBook(news=[first, later]), chains=(), sentiment=(SYMBOL,)) as desk:
        desk.step()
        desk.step(300)
        items = [row for row in desk.rows(MarketKind.NEWS) if isinstance(row, NewsItem)]
        assert [item.title for item in items] == ["a", "b"]
        reading = desk.market.symbols[SYMBOL].sentiment
        assert reading is not None
        assert (reading.articles, reading.score) == (2, 0.2)
        assert desk.monitor.sentiment[SYMBOL]["articles"] == "2"
        assert desk.monitor.sentiment[SYMBOL]["new"] == "1"


def test_no_news_is_good_news() -> None:
    """A symbol without articles is a fresh reading without a score."""
    with vendor_desk(chains=(), sentiment=(SYMBOL,)) as desk:
        desk.step()
        reading = desk.market.symbols[SYMBOL].sentiment
        assert reading is not None
        assert (reading.articles, reading.score) == (0, None)
        assert changes(desk) == []


def test_the_four_indicators_are_asked_for_together() -> None:
    """All of a symbol are on their way at once, and all arrive."""
    with vendor_desk(chains=(), technicals=(SYMBOL,)) as desk:
        assert len(desk.poller.due(desk.now, 16)) == 1
        desk.restart()
        asked = [name for _ in range(4) for name in desk.step(15)]
        assert asked == ["technicals AAPL"] * 4
        told = desk.market.symbols[SYMBOL].technicals
        assert told is not None
        assert set(told) == {"RSI", "MACD", "BBANDS", "ATR"}
        assert {reading.source for reading in told.values()} == {"alpha_vantage"}


def test_indicators_are_computed_here_while_the_vendor_says_no() -> None:
    """From our own bars, under their own source; then, when it answers again, the vendor's."""
    with vendor_desk(chains=(), technicals=(SYMBOL,), local=TalibIndicators()) as desk:
        own_bars(desk)
        desk.stub.faults.extend([Fault(answer=refusal("premium"))] * 4)
        for _ in range(8):
            desk.step(15)
        told = desk.market.symbols[SYMBOL].technicals
        assert told is not None
        assert {reading.source for reading in told.values()} == {"local"}
        assert desk.poller.health(desk.now)[0].text == "computed here"
        desk.stub.faults.clear()
        desk.step(3_600)
        own_bars(desk)
        for _ in range(8):
            desk.step(15)
        told = desk.market.symbols[SYMBOL].technicals
        assert told is not None
        assert {reading.source for reading in told.values()} == {"alpha_vantage"}


def test_local_and_vendor_indicators_are_equal() -> None:
    """On the same minutes both say the same, to the four places that the vendor prints."""
    with vendor_desk(chains=(), technicals=(SYMBOL,)) as desk:
        bars = own_bars(desk)
        for name in ("RSI", "MACD", "BBANDS", "ATR"):
            vendors = desk.source.technical(SYMBOL, name, NOON).reading
            ours = TalibIndicators().newest(SYMBOL, name, bars)
            assert isinstance(vendors, TechnicalReading)
            assert ours is not None
            assert vendors.at == ours.at
            assert vendors.values == pytest.approx(dict(ours.values), abs=6e-5)


def test_a_small_plan_stretches_every_cadence_alike() -> None:
    """Eight symbols on ten requests a minute: nothing is refused, and every feed gets its share."""
    names = tuple(f"S{place}" for place in range(8))
    book = FixedBook(rows={name: [] for name in names})
    with vendor_desk(
        book, chains=names, sentiment=names, cadences=FAST, limits=RateLimits(per_minute=10)
    ) as desk:
        desk.stub.per_minute = 10
        asked = Counter(name.split()[0] for _ in range(150) for name in desk.step(4))
        stretch = float(desk.poller.metrics(desk.now)["asked_less_often_by"])
        assert desk.stub.refused_by_limit == 0
        assert stretch == pytest.approx(5.22, abs=0.01)
        assert asked["chain"] == pytest.approx(8 * 600 / (10 * stretch), rel=0.1)
        assert asked["sentiment"] == pytest.approx(8 * 600 / (300 * stretch), rel=0.9)


def test_indicators_leave_the_budget_to_what_nobody_else_has() -> None:
    """Where a round would cost more than twice the plan, they are computed here from the start."""
    limits = RateLimits(per_minute=75, per_day=500)
    with vendor_desk(technicals=(SYMBOL,), limits=limits, local=TalibIndicators()) as desk:
        own_bars(desk)
        for _ in range(60):
            desk.step(60)
        asked = {request.params["function"] for request in desk.stub.journal}
        assert asked == {"REALTIME_OPTIONS"}
        assert desk.poller.metrics(desk.now)["indicators_from"] == "local"
        told = desk.market.symbols[SYMBOL].technicals
        assert told is not None
        assert set(told) == {"RSI", "MACD", "BBANDS", "ATR"}


def test_a_restart_keeps_the_daily_count() -> None:
    """A process that dies over and over spends no more than one that lives."""
    with vendor_desk(limits=RateLimits(per_minute=75, per_day=7)) as desk:
        for _ in range(20):
            desk.step(600)
            desk.restart()
        assert len(desk.stub.journal) == 7
        desk.step(1)
        usage = desk.poller.metrics(desk.now)
        assert (usage["requests_day"], usage["limit_day"]) == ("7", "7")


def test_what_cannot_be_counted_is_not_asked() -> None:
    """While the ledger is away nothing leaves; afterwards polling goes on."""
    with vendor_desk() as desk:
        spend = type(desk.ledger).spend

        def away(*_: object) -> None:
            raise LiveStateUnavailableError("away")

        type(desk.ledger).spend = away  # type: ignore[method-assign]
        try:
            with pytest.raises(LiveStateUnavailableError):
                desk.step()
        finally:
            type(desk.ledger).spend = spend  # type: ignore[method-assign]
        assert len(desk.stub.journal) == 0
        assert desk.step(10) == ["chain AAPL"]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    moods=st.lists(
        st.sampled_from(["", "", "minute", "500", "premium", "drop", "restart", "empty"]), max_size=25
    ),
    seconds=st.lists(st.integers(0, 25), min_size=30, max_size=60),
    per_minute=st.integers(2, 12),
    per_day=st.integers(0, 30),
)
def test_no_mood_of_the_vendor_makes_us_break_its_plan(
    moods: list[str], seconds: list[int], per_minute: int, per_day: int
) -> None:
    """Whatever it answers and whenever we restart, a vendor with our limits refuses nothing for its own."""
    names = (SYMBOL, "MSFT", "NVDA")
    book = FixedBook(rows={name: [] for name in names} | {SYMBOL: strikes(250)})
    limits = RateLimits(per_minute=per_minute, per_day=per_day)
    with vendor_desk(book, chains=names, sentiment=names, limits=limits) as desk:
        desk.stub.per_minute, desk.stub.per_day = per_minute, per_day
        faults = {
            "minute": Fault(answer=refusal("minute")),
            "500": Fault(answer=Answer(b"", 500)),
            "premium": Fault(answer=refusal("premium")),
            "drop": Fault(drop=True),
            "empty": Fault(answer=Answer(b"")),
        }
        for place, gap in enumerate(seconds):
            mood = moods[place] if place < len(moods) else ""
            if mood == "restart":
                desk.restart()
            elif mood:
                desk.stub.faults.append(faults[mood])
            desk.step(gap)
        assert desk.stub.refused_by_limit == 0


def test_the_key_is_planted_nowhere() -> None:
    """Refusals quote it and rows may hold it; live market, outbox, dead letter, board and alerts do not."""
    with vendor_desk(sentiment=(SYMBOL,), technicals=(SYMBOL,)) as desk:
        moods = [refusal("day", KEY), refusal("key", KEY), Answer.of({"Information": f"{KEY} is odd"})]
        for mood in moods:
            desk.stub.faults.append(Fault(answer=mood))
            for _ in range(5):
                desk.step(800)
        written = [
            desk.market,
            desk.alerts.told,
            desk.monitor,
            desk.poller.metrics(desk.now),
            desk.poller.health(desk.now),
            desk.poller.take_changes(),
        ]
        assert not [part for part in written if KEY in repr(part)]
        assert any("(hidden)" in text for text in desk.alerts.told.values())


def test_indicators_are_computed_here_while_the_day_is_spent() -> None:
    """All four, in their cadence, as long as nothing may leave; the vendor is not asked."""
    with vendor_desk(chains=(), technicals=(SYMBOL,), local=TalibIndicators()) as desk:
        own_bars(desk)
        desk.stub.faults.append(Fault(answer=refusal("day", KEY)))
        desk.step()
        for _ in range(5):
            desk.step(60)
            assert len(desk.poller.due(desk.now, 16)) == 0
        told = desk.market.symbols[SYMBOL].technicals
        assert told is not None
        assert {name: reading.source for name, reading in told.items()} == dict.fromkeys(
            ("RSI", "MACD", "BBANDS", "ATR"), "local"
        )
        assert len(desk.stub.journal) == 1


def test_settled_chains_are_never_stale() -> None:
    """Where the plan has no live chains, those of the last session are asked for, and are old by nature."""
    with vendor_desk(live_chains=False) as desk:
        desk.step()
        assert desk.poller.health(desk.now)[0].limit_s is None
        assert len(chains(desk)) == 1
        assert desk.market.symbols[SYMBOL].chain is None  # nobody takes it for the market as it is


def test_a_breaker_that_rests_tells_until_when() -> None:
    """A person who looks at it knows when it is tried again."""
    with vendor_desk() as desk:
        desk.stub.faults.append(Fault(answer=refusal("premium")))
        desk.step()
        (breaker,) = desk.poller._breakers.values()
        assert breaker.state is BreakerState.OPEN
        assert breaker.rests_until == NOON + timedelta(hours=1)
