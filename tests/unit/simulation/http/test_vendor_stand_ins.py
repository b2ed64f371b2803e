"""The stand-in for Alpha Vantage: the same world gives the same bytes, limits roll, moods come over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from vendor_desk import NOON, SYMBOL, FixedBook

from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.articles import articles_of
from simulation.http.server import Answer, Request
from simulation.http.vendor_book import ChainBook, VendorBook
from simulation.http.vendor_words import KEY, REFUSALS


def ask(stub: AlphaVantageStub, **params: str) -> Answer:
    """An answer without the wire."""
    query = str(httpx.QueryParams({"apikey": KEY, **params}))
    return stub.answer(Request("GET", "/query", query, {}))


def chain(stub: AlphaVantageStub) -> Answer:
    """The chain's answer."""
    return ask(stub, function="REALTIME_OPTIONS", symbol=SYMBOL, require_greeks="true")


def is_refusal(answer: Answer, kind: str) -> bool:
    """Whether the answer is in these words."""
    return answer.status == 200 and REFUSALS[kind][1][:60].encode() in answer.body


@pytest.fixture
def stub() -> AlphaVantageStub:
    """One that is not listening."""
    return AlphaVantageStub(FixedBook(), lambda: NOON, per_minute=3, per_day=5)


def test_limits_roll_over_a_minute_and_a_day(stub: AlphaVantageStub) -> None:
    """A refused request does not count, and the words tell which limit it was."""
    now = [NOON]
    stub.machine = lambda: now[0]
    answers = []
    for seconds in (0, 10, 20, 30, 61, 62, 71, 200, 86_399, 86_401):
        now[0] = NOON + timedelta(seconds=seconds)
        answers.append(chain(stub))
    kinds = [
        "minute" if is_refusal(told, "minute") else "day" if b"per day" in told.body else ""
        for told in answers
    ]
    assert kinds == ["", "", "", "minute", "", "minute", "", "day", "day", ""]
    assert stub.refused_by_limit == 4


def test_a_past_day_without_a_chain_has_no_other_days(stub: AlphaVantageStub) -> None:
    """Asked for a day, the vendor tells that day's chain or that it has none."""
    told = ask(stub, function="HISTORICAL_OPTIONS", symbol=SYMBOL, date="2026-11-19")
    assert b'"data": []' in told.body
    assert b"No data for symbol" in told.body


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"apikey": "wrong", "function": "RSI"}, "key"),
        ({"function": "TIME_SERIES"}, "symbol"),
        ({"function": "REALTIME_OPTIONS", "symbol": "NOPE"}, "symbol"),
        ({"function": "RSI", "symbol": "NOPE", "interval": "1min"}, "symbol"),
        ({"function": "RSI", "symbol": SYMBOL, "interval": "1fortnight"}, "symbol"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused_in_words(
    stub: AlphaVantageStub, params: dict[str, str], kind: str
) -> None:
    """With status 200, as the vendor does it."""
    assert is_refusal(ask(stub, **params), kind)


def test_without_asking_for_greeks_there_are_none(stub: AlphaVantageStub) -> None:
    """Live chains have them on demand only."""
    assert b"implied_volatility" in chain(stub).body
    assert b"implied_volatility" not in ask(stub, function="REALTIME_OPTIONS", symbol=SYMBOL).body


def test_moods_come_over_http_and_use_none_up() -> None:
    """A fault is asked for, happens to the next requests, and can be taken back."""
    with AlphaVantageStub(FixedBook(), lambda: NOON, per_minute=0) as stub, httpx.Client() as client:

        def mood(**params: str) -> httpx.Response:
            return client.get(f"{stub.url}/_stub/fault", params=params)

        def question() -> httpx.Response:
            params = {"apikey": KEY, "function": "REALTIME_OPTIONS", "symbol": SYMBOL}
            return client.get(f"{stub.url}/query", params=params)

        assert mood(kind="status", value="503", count="2").json() == {"ok": True, "faults": 2}
        assert [question().status_code for _ in range(3)] == [503, 503, 200]
        mood(kind="refusal", value="premium")
        assert "premium endpoint" in question().text
        mood(kind="body", value='{"data": 7}')
        assert question().json() == {"data": 7}
        mood(kind="drop", count="5")
        assert mood(kind="clear").json() == {"ok": True, "faults": 0}
        assert question().json()["message"] == "success"
        for kind, value in (("cut", "10"), ("drop", "")):
            mood(kind=kind, value=value)
            with pytest.raises(httpx.RemoteProtocolError):
                question()
        mood(kind="drip", value="0.001")
        assert question().json()["message"] == "success"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "status", "value": "many"},
        {"kind": "refusal", "value": "rude"},
        {"kind": "delay", "value": "1e9"},
        {"kind": "drop", "count": "0"},
        {"kind": "drop", "count": "1000000"},
    ],
)
def test_a_mood_that_cannot_be_is_an_error_with_its_words(params: dict[str, str]) -> None:
    """Nothing is put in line, and the reason is told."""
    stub = AlphaVantageStub(FixedBook(), lambda: NOON)
    answer = stub.answer(Request("GET", "/_stub/fault", str(httpx.QueryParams(params)), {}))
    assert (answer.status, len(stub.faults)) == (400, 0)
    assert b"expected" in answer.body or b"invalid literal" in answer.body


def test_articles_are_the_same_for_whoever_asks_when() -> None:
    """They depend on the seed and the day; a later question has the earlier articles among its own."""
    day, names = NOON.date(), ["AAPL", "SPY"]
    whole = articles_of(7, SYMBOL, names, [day], NOON - timedelta(days=1), NOON + timedelta(hours=9))
    early = articles_of(7, SYMBOL, names, [day], NOON - timedelta(days=1), NOON)
    assert len(whole) >= 2
    assert [article for article in whole if article.published_at <= NOON] == early
    assert whole == sorted(whole, key=lambda article: article.published_at, reverse=True)
    other = articles_of(8, SYMBOL, names, [day], NOON - timedelta(days=1), NOON + timedelta(hours=9))
    assert {article.published_at for article in other} != {article.published_at for article in whole}


def test_recorded_chains_are_those_of_the_newest_day_known(shared_data: Path) -> None:
    """On the 24th that of the 24th, on the 26th still; before the first there is none; of others nothing."""
    book = ChainBook(shared_data / "lean-goog-options-20151224", "GOOG")

    def on(day: int) -> list[dict[str, str]] | None:
        return book.options("GOOG", datetime(2015, 12, day, 17, tzinfo=UTC))

    chains = {day: on(day) for day in (22, 24, 26, 28)}
    assert chains[22] == []
    assert chains[24] is not None and chains[28] is not None
    assert {row["date"] for row in chains[24]} == {"2015-12-24"}
    assert chains[26] == chains[24]
    assert {row["date"] for row in chains[28]} == {"2015-12-28"}
    assert book.options("AAPL", NOON) is None


def test_a_chain_recorded_by_occ_symbols_is_the_vendors_too(tmp_path: Path) -> None:
    """Older chain files name a contract by its OCC symbol, some without a header."""
    path = tmp_path / "universe" / "20151224.csv"
    path.parent.mkdir()
    path.write_text(
        "GOOCV VP,GOOG,740,750,739,748.5,1000,,,,,,,\n"
        "GOOCV V1|GOOCV VP,GOOG  160115C00750000,1,1,1,1.25,10,321,0.31,0.5,0.01,0.6,-0.4,0.2\n"
    )
    (row,) = ChainBook(tmp_path, "GOOG").options("GOOG", datetime(2015, 12, 24, 17, tzinfo=UTC)) or ()
    told = [row[name] for name in ("contractID", "expiration", "strike", "type", "open_interest", "delta")]
    assert told == ["GOOG160115C00750000", "2016-01-15", "750.00", "call", "321", "0.5"]


def world_books() -> tuple[VendorBook, VendorBook]:
    """Two books on two worlds of one seed."""
    from simulation.http.world_book import WorldBook
    from simulation.market.world import new_world

    return WorldBook(new_world(7, NOON.date(), 1)), WorldBook(new_world(7, NOON.date(), 1))


def test_one_seed_gives_one_vendor() -> None:
    """Two stand-ins of one seed tell the same bytes, whatever was asked before; time moves them."""
    first, second = (AlphaVantageStub(book, lambda: NOON, per_minute=0) for book in world_books())
    questions: list[Callable[[AlphaVantageStub], Answer]] = [
        chain,
        lambda stub: ask(stub, function="NEWS_SENTIMENT", tickers=SYMBOL),
        lambda stub: ask(stub, function="MACD", symbol=SYMBOL, interval="1min"),
    ]
    forth = [question(first) for question in questions]
    back = [question(second) for question in reversed(questions)]
    assert forth == back[::-1]
    first.now = lambda: NOON + timedelta(minutes=5)
    assert all(question(first) != told for question, told in zip(questions[::2], forth[::2], strict=True))


def test_a_class_of_shares_is_known_by_the_vendor_s_name(tmp_path: Path) -> None:
    """Hyphen or dot; the broker's blank is no symbol here."""
    (tmp_path / "universe").mkdir()
    (tmp_path / "universe" / "20261113.csv").write_text("20261218,500,C,1,1,1,1,0,5,0,0,0,0,0,0\n")
    stub = AlphaVantageStub(ChainBook(tmp_path, "BRK B"), lambda: NOON)
    for name in ("BRK-B", "BRK.B"):
        told = ask(stub, function="REALTIME_OPTIONS", symbol=name).body
        assert b'"contractID": "BRKB261218C00500000", "symbol": "BRK-B"' in told
        assert b"No articles found" in ask(stub, function="NEWS_SENTIMENT", tickers=name).body
    assert is_refusal(ask(stub, function="REALTIME_OPTIONS", symbol="BRK B"), "symbol")
    assert is_refusal(ask(stub, function="NEWS_SENTIMENT", tickers="BRK B"), "inputs")
