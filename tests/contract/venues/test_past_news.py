"""News and sentiment of a past session from Alpha Vantage: whole, each article once, within the plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from market_desk import ToldClock
from vendor_desk import KEY, SYMBOL, FixedBook, stub_and_source

from adapters.alpha_vantage import past_news
from adapters.alpha_vantage.history import NAME, AlphaVantageHistory
from adapters.alpha_vantage.turns import HistoryTurns, VendorBusyError
from adapters.configuration import load_settings
from adapters.memory.market_store import MemoryMarketStore
from adapters.memory.vendor import MemoryRequestLedger
from adapters.wiring_vendors import vendor_plan
from orchestration.plant import market_histories
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.articles import Article
from simulation.http.server import Answer, Fault
from simulation.http.vendor_words import refusal
from trading.calendar import session_close, session_open
from trading.feeds.limiter import RateLimits
from trading.feeds.sentiment import sentiment_of
from trading.model.market import MarketKind, MarketRow, NewsItem, RefusedRow, SentimentReading
from trading.ports.model_runner import SessionRange
from trading.ports.vendor_source import RefusalKind, VendorRefusedError, VendorUnavailableError
from trading.services.load_market import MarketTools, Standing, load_market

MONDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 13)
NEWS = (MarketKind.NEWS, MarketKind.SENTIMENT)
EVENING = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)  # nobody polls
IN_HOURS = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
NOWHERE = "redis://127.0.0.1:1"


def article(at: datetime, name: str, *about: str, score: float = 0.5) -> Article:
    """An article about these symbols."""
    told = tuple((symbol, score, 1.0) for symbol in about or (SYMBOL,))
    return Article(at, name, f"https://news.example/{name}", "wire", "Earnings", told)


@dataclass(slots=True)
class Desk:
    """A history on a stand-in, with a clock that sleeping moves, and a store."""

    stub: AlphaVantageStub
    at: datetime = EVENING
    slept: list[float] = field(default_factory=list)
    store: MemoryMarketStore = field(default_factory=MemoryMarketStore)
    ledger: MemoryRequestLedger = field(default_factory=MemoryRequestLedger)
    history: AlphaVantageHistory = field(init=False)

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def rows(self, kind: MarketKind = MarketKind.NEWS, session: date = MONDAY) -> list[MarketRow]:
        """A session's rows."""
        rows = self.history.rows(kind, session)
        assert rows is not None
        return list(rows)

    def load(self, session: date = MONDAY) -> tuple[int, int, Standing]:
        """Build the asset's kinds of a session: rows told, new ones, and how the session stands."""
        tools = MarketTools(histories=[self.history], store=self.store, clock=ToldClock())
        (told,) = load_market(NEWS, SessionRange(first=session, last=session), tools)
        return told.total, told.new, told.standing


@contextmanager
def desk(
    *told: Article, symbols: tuple[str, ...] = (SYMBOL,), per_day: int = 0, day_share: int = 0
) -> Iterator[Desk]:
    """A history of the symbols' news."""
    book = FixedBook(rows={name: [] for name in symbols if name != "NOPE"}, news=list(told))
    with stub_and_source(book) as (stub, source):
        made = Desk(stub)
        turns = HistoryTurns(
            vendor="alpha_vantage",
            ledger=made.ledger,
            limits=RateLimits(per_minute=75, per_day=per_day, per_second=5),
            now=lambda: made.at,
            sleep=made.sleep,
            day_share=day_share,
        )
        made.history = AlphaVantageHistory(source=source, turns=turns, symbols=(), news_symbols=symbols)
        yield made


def test_a_session_has_the_articles_from_the_end_of_the_one_before() -> None:
    """A weekend's belong to Monday; what is older serves its first readings only, what is later does not."""
    ends = session_close(FRIDAY) + timedelta(hours=4)
    own = [article(ends, "first"), article(session_close(MONDAY) + timedelta(hours=3, minutes=59), "last")]
    others = [
        article(ends - timedelta(seconds=1), "friday"),
        article(session_close(MONDAY) + timedelta(hours=4), "tuesday"),
    ]
    with desk(*own, *others) as there:
        told = there.rows()
        assert [row.title for row in told if isinstance(row, NewsItem)] == ["first", "last"]
        (request,) = there.stub.journal
        assert (request.params["function"], request.params["tickers"]) == ("NEWS_SENTIMENT", SYMBOL)
        assert (request.params["time_from"], request.params["time_to"]) == ("20261114T0100", "20261117T0100")


def test_sentiment_is_what_the_live_poller_would_have_told() -> None:
    """At its cadence through the hours, from the articles that were out, and once more at the close."""
    opens, closes = session_open(MONDAY), session_close(MONDAY)
    told = [
        article(opens - timedelta(hours=23, minutes=58), "old", score=-1.0),
        article(opens + timedelta(minutes=7), "new", score=0.5),
    ]
    with desk(*told) as there:
        items = [row for row in there.rows() if isinstance(row, NewsItem)]
        readings = [row for row in there.rows(MarketKind.SENTIMENT) if isinstance(row, SentimentReading)]
        assert [readings[0].at, readings[1].at, readings[-1].at] == [
            opens,
            opens + timedelta(minutes=5),
            closes,
        ]
        assert len(readings) == 390 / 5 + 1
        assert [reading.score for reading in readings[:3]] == [-1.0, None, 0.5]
        assert readings == [sentiment_of(SYMBOL, items, reading.at, 86_400) for reading in readings]
        assert len(there.stub.journal) == 1  # the session's articles were asked for once


def test_a_session_that_is_built_twice_is_the_same() -> None:
    """An article about two symbols is one row by the hash of its address; a repeat adds none."""
    noon = session_open(MONDAY) + timedelta(hours=3)
    both = article(noon, "both", SYMBOL, "MSFT")
    with desk(both, article(noon, "one"), symbols=(SYMBOL, "MSFT")) as there:
        assert there.load() == (2 + 2 * 79, 2 + 2 * 79, Standing.LOADED)
        there.history._news = None
        assert there.load() == (2 + 2 * 79, 0, Standing.LOADED)
        assert {stored.source for stored in there.store.rows(MarketKind.NEWS)} == {NAME}
        assert len(there.store.rows(MarketKind.NEWS)) == 2


def test_a_session_without_articles_is_empty_and_one_that_failed_fails() -> None:
    """The vendor's "no articles" is no refusal; its refusals and its outages are no empty session."""
    with desk() as there:
        assert there.load() == (79, 79, Standing.LOADED)
        assert not there.store.rows(MarketKind.NEWS)
        failures = {
            "inputs": None,  # about the symbol: told in the dead letter
            "key": RefusalKind.KEY,
            "day": RefusalKind.DAILY,
        }
        for words, kind in failures.items():
            there.history._news = None
            there.stub.faults.append(Fault(answer=refusal(words)))
            if kind is None:
                (row,) = there.rows()
                assert isinstance(row, RefusedRow)
                assert (row.symbol, row.field) == (SYMBOL, "symbol")
                continue
            with pytest.raises(VendorRefusedError) as raised:
                there.load()
            assert raised.value.kind is kind
        there.stub.faults.append(Fault(answer=Answer(b"", 503)))
        with pytest.raises(VendorUnavailableError):
            there.load()
        there.stub.faults.append(Fault(answer=refusal("premium")))
        assert there.history.rows(MarketKind.NEWS, MONDAY) is None


def test_an_unknown_symbol_costs_only_itself() -> None:
    """The other's articles and readings are there, the refusal is told once."""
    with desk(article(session_open(MONDAY), "told"), symbols=("NOPE", SYMBOL)) as there:
        there.stub.faults.append(Fault(answer=refusal("inputs")))
        refused, item = there.rows()
        assert isinstance(refused, RefusedRow)
        assert isinstance(item, NewsItem)
        assert {row.symbol for row in there.rows(MarketKind.SENTIMENT)} == {SYMBOL}  # type: ignore[union-attr]


def test_a_full_answer_is_asked_for_again_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor cuts at its most: no article is lost for it, and one at the seam counts once."""
    monkeypatch.setattr(past_news, "ITEMS_MAX", 8)
    opens = session_open(MONDAY)
    told = [article(opens + timedelta(minutes=place), f"a{place}") for place in range(40)]
    with desk(*told) as there:
        titles = [row.title for row in there.rows() if isinstance(row, NewsItem)]
        assert titles == [f"a{place}" for place in range(40)]
        assert len(there.stub.journal) > 5


def test_more_articles_in_a_minute_than_an_answer_holds_fail_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be read whole is no session."""
    monkeypatch.setattr(past_news, "ITEMS_MAX", 3)
    with desk(*(article(session_open(MONDAY), f"a{place}") for place in range(5))) as there:
        with pytest.raises(VendorUnavailableError, match="fewer than 3 articles"):
            there.load()
        assert len(there.stub.journal) < 60


def test_only_settled_sessions_are_asked_for() -> None:
    """Not the one that is on, nor its evening; nor where no symbol's news are wanted."""
    with desk() as there:
        assert there.history.sessions(MarketKind.NEWS)[-1] == MONDAY
        assert there.history.rows(MarketKind.NEWS, date(2026, 11, 17)) is None
    with desk(symbols=()) as there:
        assert there.history.sessions(MarketKind.SENTIMENT) == ()
        assert there.history.rows(MarketKind.NEWS, MONDAY) is None
        assert not there.stub.journal


@pytest.mark.parametrize(("at", "pause"), [(EVENING, 1.6), (IN_HOURS, 16.0)])
def test_history_is_slow_while_the_market_is_polled(at: datetime, pause: float) -> None:
    """In hours it takes what the live plan leaves, outside of them half of the plan."""
    with desk(symbols=(SYMBOL, "MSFT", "NVDA")) as there:
        there.at = at
        there.rows()
        assert there.slept == [pytest.approx(pause)] * 2
        assert sum(there.ledger.spent("alpha_vantage", at).values()) == 3


def test_a_full_minute_of_the_live_polling_is_waited_out() -> None:
    """The ledger says only in which minute its requests left: the turn comes in the next one."""
    with desk() as there:
        for _ in range(75):
            there.ledger.spend("alpha_vantage", there.at)
        there.rows()
        assert there.slept
        assert there.at > EVENING + timedelta(seconds=60)


def test_too_often_is_waited_out_a_few_times() -> None:
    """A burst refusal costs a minute, four of them fail the session."""
    with desk() as there:
        there.stub.faults += [Fault(answer=refusal("burst"))] * 2
        there.rows()
        assert there.at >= EVENING + timedelta(minutes=2)
        there.history._news = None
        there.stub.faults += [Fault(answer=refusal("burst"))] * 4
        with pytest.raises(VendorRefusedError):
            there.rows()


def test_a_day_has_a_share_for_history() -> None:
    """What the live session needs of a daily cap is left to it, however empty the day is so far."""
    with desk(symbols=(SYMBOL, "MSFT", "NVDA"), per_day=500, day_share=2) as there:
        with pytest.raises(VendorBusyError, match="what the live plan leaves"):
            there.rows()
        assert len(there.stub.journal) == 2
        there.at += timedelta(days=1, minutes=2)
        there.history._news = None
        with pytest.raises(VendorBusyError):
            there.rows()
        assert len(there.stub.journal) == 4


def test_a_key_is_enough_for_the_desk_to_ask() -> None:
    """Settings with a key make the source, with the symbols whose news are wanted and a share of the day."""
    with stub_and_source() as (stub, _):
        told = {
            "ALPHA_VANTAGE_KEY": KEY,
            "ALPHA_VANTAGE_URL": stub.url,
            "ALPHA_VANTAGE_PER_DAY": "500",
            "REDIS_URL": NOWHERE,
        }
        (made,) = [one for one in market_histories(load_settings(told)) if one.name == NAME]
        assert isinstance(made, AlphaVantageHistory)
        assert list(made.news_symbols) == list(vendor_plan(load_settings(told)).sentiment) != []
        assert made.turns.day_share == 25
        assert made.sessions(MarketKind.SENTIMENT) == made.sessions(MarketKind.CHAIN) != ()
