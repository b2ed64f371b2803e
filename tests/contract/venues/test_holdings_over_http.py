"""Positions and open orders of Kalshi and Kraken over real HTTP: a failed question is no empty answer."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.kalshi import holdings as kalshi_holdings
from adapters.kalshi.client import KalshiFills, rsa_signer
from adapters.kalshi.client import judge as judge_kalshi
from adapters.kalshi.holdings import KalshiHoldings
from adapters.kraken.client import KrakenFills
from adapters.kraken.client import judge as judge_kraken
from adapters.kraken.holdings import KrakenHoldings
from adapters.venue.asking import Pace, VenueRequests
from simulation.http import kalshi as kalshi_venue
from simulation.http import kraken as kraken_venue
from simulation.http.kalshi import KalshiStub
from simulation.http.kraken import KrakenStub
from simulation.http.server import Answer, Fault
from trading.model.broker import Complete, Failed, Partial
from trading.model.fills import Side
from trading.ports.clock import Clock

KRAKEN_POSITION: dict[str, Any] = {
    "side": "short",
    "symbol": "PI_XBTUSD",
    "price": 27523.749993345933,
    "fillTime": "2023-04-05T12:31:21.410Z",
    "size": 8000.0,
    "unrealizedFunding": 0.00005879463852989987,
}
KRAKEN_ORDER: dict[str, Any] = {
    "order_id": "7a9f8b3e",
    "symbol": "PI_XBTUSD",
    "side": "sell",
    "orderType": "lmt",
    "limitPrice": 28500.0,
    "unfilledSize": 5000.0,
    "receivedTime": "2023-04-07T14:30:15.123Z",
    "status": "partiallyFilled",
    "filledSize": 2000.0,
    "reduceOnly": True,
    "cli_ord_id": "my-order",
}
EVENT: dict[str, Any] = {
    "event_ticker": "KXFED-26",
    "total_cost_dollars": "4.2000",
    "event_exposure_dollars": "1.1000",
    "realized_pnl": -40,
    "fees_paid_dollars": "0.0700",
}


def market(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "ticker": f"KXFED-26-T{number:05d}",
        "position": number + 1,
        "position_fp": f"{number + 1}.50",
        "market_exposure_dollars": "0.5000",
        "fees_paid_dollars": "0.0100",
        "last_updated_ts": "2026-11-20T15:00:00Z",
    } | changes


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": f"order-{number:05d}",
        "client_order_id": "mine",
        "ticker": "KXFED-26-T1",
        "side": "no",
        "action": "buy",
        "type": "limit",
        "status": "resting",
        "yes_price_dollars": "0.6000",
        "no_price_dollars": "0.4000",
        "initial_count_fp": "3.00",
        "fill_count_fp": "1.00",
        "remaining_count_fp": "2.00",
        "created_time": "2026-11-20T15:00:00Z",
    } | changes


def requests_to(url: str, name: str, judge: Any, naps: Any) -> VenueRequests:
    return VenueRequests(
        name,
        url,
        Pace(0.0),
        judge=judge,
        chance=random.Random(1),
        sleep=naps,
        timeout=httpx.Timeout(30.0),
    )


@pytest.fixture
def kraken_stub(kraken_secret: str) -> Iterator[KrakenStub]:
    with KrakenStub([], api_key="key", secret=kraken_secret) as venue:
        yield venue  # type: ignore[misc]


@pytest.fixture
def kraken(kraken_stub: KrakenStub, kraken_secret: str, clock: Clock, naps: Any) -> Iterator[KrakenHoldings]:
    requests = requests_to(kraken_stub.url, "kraken", judge_kraken, naps)
    client = KrakenFills(account="main", api_key="key", secret=kraken_secret, clock=clock, requests=requests)
    yield KrakenHoldings(client)
    requests.close()


@pytest.fixture
def kalshi_stub(rsa_key: rsa.RSAPrivateKey) -> Iterator[KalshiStub]:
    with KalshiStub([], key_id="key", public_key=rsa_key.public_key()) as venue:
        yield venue  # type: ignore[misc]


@pytest.fixture
def kalshi(kalshi_stub: KalshiStub, rsa_pem: bytes, clock: Clock, naps: Any) -> Iterator[KalshiHoldings]:
    requests = requests_to(kalshi_stub.url, "kalshi", judge_kalshi, naps)
    sign = rsa_signer(rsa_pem)
    yield KalshiHoldings(KalshiFills(account="main", key_id="key", sign=sign, clock=clock, requests=requests))
    requests.close()


def test_krakens_positions_are_signed_and_exact(kraken: KrakenHoldings, kraken_stub: KrakenStub) -> None:
    """A short is negative, what is closed is not held, and no figure passes through a float."""
    kraken_stub.positions = [
        KRAKEN_POSITION,
        KRAKEN_POSITION | {"symbol": "PF_ETHUSD", "side": "long", "size": 0.3},
        KRAKEN_POSITION | {"symbol": "PF_SOLUSD", "size": 0.0},
    ]
    told = kraken.positions()
    assert isinstance(told.answer, Complete)
    assert [(row.instrument.instrument_id, row.quantity) for row in told.answer.rows] == [
        ("PERP:kraken:PI_XBTUSD", Decimal(-8000)),
        ("PERP:kraken:PF_ETHUSD", Decimal("0.3")),
    ]
    assert told.answer.rows[0].average_price == Decimal("27523.749993345933")
    assert len(told.pages) == 1


def test_an_account_without_anything_is_a_complete_answer(
    kraken: KrakenHoldings, kalshi: KalshiHoldings
) -> None:
    """Nothing held and nothing in the market is a fact, and only a complete answer states it."""
    answers = [kraken.positions(), kraken.open_orders(), kalshi.positions().markets, kalshi.open_orders()]
    assert [(type(told.answer), told.answer.rows) for told in answers] == [(Complete, ())] * 4  # type: ignore[union-attr]


def test_krakens_open_orders(kraken: KrakenHoldings, kraken_stub: KrakenStub) -> None:
    """Orders come with what is left of them; one at its end is not open."""
    kraken_stub.orders = [KRAKEN_ORDER, KRAKEN_ORDER | {"order_id": "done", "status": "cancelled"}]
    told = kraken.open_orders()
    assert isinstance(told.answer, Complete)
    (row,) = told.answer.rows
    assert (row.side, row.remaining, row.filled, row.limit_price, row.stop_price) == (
        Side.SELL,
        Decimal(5000),
        Decimal(2000),
        Decimal(28500),
        None,
    )
    assert (row.order_id, row.order_ref, row.reduce_only) == ("7a9f8b3e", "my-order", True)


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 450])
def test_every_page_of_kalshis_positions_is_read(
    kalshi: KalshiHoldings, kalshi_stub: KalshiStub, count: int
) -> None:
    """However many markets there are, each comes once; the events come beside them."""
    kalshi_stub.positions = [market(number) for number in range(count)]
    kalshi_stub.events = [EVENT]
    told = kalshi.positions()
    assert isinstance(told.markets.answer, Complete)
    assert [row.quantity for row in told.markets.answer.rows] == [
        Decimal(n) + Decimal("1.5") for n in range(count)
    ]
    (event,) = told.events
    assert event.figures["realized_pnl"] == Decimal("-0.4")
    assert event.figures["total_cost"] == Decimal("4.2")
    assert len(told.markets.pages) == max(1, -(-count // 200))


def test_no_contracts_are_short_yes(kalshi: KalshiHoldings, kalshi_stub: KalshiStub) -> None:
    """The venue tells NO as a negative position; an order to buy NO at 40 cents sells YES at 60."""
    kalshi_stub.positions = [market(1, position_fp="-7.25"), market(2, position_fp="0.00", position=0)]
    kalshi_stub.orders = [order(1), order(2, status="executed"), order(3, status="canceled")]
    positions, orders = kalshi.positions().markets.answer, kalshi.open_orders().answer
    assert isinstance(positions, Complete) and isinstance(orders, Complete)
    assert [row.quantity for row in positions.rows] == [Decimal("-7.25")]
    assert [(row.side, row.limit_price, row.remaining) for row in orders.rows] == [
        (Side.SELL, Decimal("0.6"), Decimal(2))
    ]


def test_a_bound_on_pages_makes_the_answer_partial(
    kalshi: KalshiHoldings, kalshi_stub: KalshiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that is given up claims nothing about what it did not read."""
    monkeypatch.setattr(kalshi_holdings, "PAGES_MAX", 2)
    kalshi_stub.orders = [order(number) for number in range(500)]
    told = kalshi.open_orders().answer
    assert isinstance(told, Partial)
    assert len(told.rows) == 400
    assert "2 pages" in told.reason


def test_a_cursor_that_repeats_itself_ends_the_walk(kalshi: KalshiHoldings, kalshi_stub: KalshiStub) -> None:
    """A venue that turns in a circle is not followed, and its answer is not whole."""
    page = Answer.of({"cursor": "again", "market_positions": [market(1)], "event_positions": []})
    kalshi_stub.faults.extend([Fault(page)] * 5)
    told = kalshi.positions().markets.answer
    assert isinstance(told, Partial)
    assert (len(kalshi_stub.journal), len(told.rows)) == (2, 1)


def test_a_market_on_two_pages_with_two_figures_is_partial(
    kalshi: KalshiHoldings, kalshi_stub: KalshiStub
) -> None:
    """Pages are no snapshot: what changed between them cannot be trusted."""
    kalshi_stub.positions = [market(number) for number in range(250)]
    kalshi_stub.positions[220] = market(3, position_fp="9.00")
    told = kalshi.positions().markets
    assert isinstance(told.answer, Partial)
    assert "told twice" in told.answer.reason
    assert len(told.rejected) == 1


@pytest.mark.parametrize(
    "fault", [Answer(b"no", 403), Answer(b"down", 500), Answer(b"", 404)], ids=["403", "500", "404"]
)
def test_a_question_that_failed_is_no_empty_answer(
    kalshi: KalshiHoldings,
    kalshi_stub: KalshiStub,
    kraken: KrakenHoldings,
    kraken_stub: KrakenStub,
    fault: Answer,
) -> None:
    """Refused or unreachable: Failed with the reason, never an account without positions."""
    kalshi_stub.positions = kraken_stub.positions = [KRAKEN_POSITION]
    for stub in (kalshi_stub, kraken_stub):
        stub.faults.extend([Fault(fault)] * 20)
    answers = [
        told.answer
        for told in (
            kraken.positions(),
            kraken.open_orders(),
            kalshi.positions().markets,
            kalshi.open_orders(),
        )
    ]
    assert [type(answer) for answer in answers] == [Failed] * 4


@pytest.mark.parametrize("word", ["authenticationError", "apiLimitExceeded"])
def test_an_error_of_kraken_with_status_200_is_a_failed_answer(
    kraken: KrakenHoldings, kraken_stub: KrakenStub, word: str
) -> None:
    """The status says nothing at this venue; the word is in the reason."""
    kraken_stub.faults.extend([Fault(kraken_venue.error(word))] * 5)
    answer = kraken.positions().answer
    assert isinstance(answer, Failed)
    assert word in answer.reason


def test_a_venue_that_goes_away_between_pages_leaves_a_partial_answer(
    kalshi: KalshiHoldings, kalshi_stub: KalshiStub
) -> None:
    """What was read is kept, and says of itself that it is not all."""
    kalshi_stub.positions = [market(number) for number in range(250)]
    kalshi_stub.faults.extend([Fault(), *[Fault(kalshi_venue.error(500, "internal"))] * 5])
    answer = kalshi.positions().markets.answer
    assert isinstance(answer, Partial)
    assert len(answer.rows) == 200
    assert "500" in answer.reason


def test_passing_faults_are_asked_again(kraken: KrakenHoldings, kraken_stub: KrakenStub) -> None:
    """A limit, a broken body and a dropped connection are retried, each time with a new nonce."""
    kraken_stub.positions = [KRAKEN_POSITION]
    kraken_stub.faults.extend(
        [Fault(kraken_venue.error("apiLimitExceeded")), Fault(cut_at_bytes=20), Fault(drop=True)]
    )
    assert isinstance(kraken.positions().answer, Complete)
    assert len({request.headers["nonce"] for request in kraken_stub.journal}) == 4


def test_the_answer_knows_when_it_was_asked(kraken: KrakenHoldings) -> None:
    """The moment is this machine's, around the question."""
    answer = kraken.positions().answer
    assert answer.asked_at == answer.answered_at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
