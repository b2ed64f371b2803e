"""The Kalshi client reads every fill over real HTTP, or says that it did not."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from adapters.kalshi import client as kalshi
from adapters.kalshi.client import KalshiFills, judge, rsa_signer
from adapters.venue.asking import Pace, VenueRefusedError, VenueRequests, VenueUnavailableError
from simulation.http.kalshi import HISTORICAL_PATH, LIVE_PATH, SETTLEMENTS_PATH, KalshiStub, error
from simulation.http.server import Answer, Fault
from trading.errors import ConfigurationError
from trading.ports.clock import Clock

START = datetime(2026, 11, 20, tzinfo=UTC)
END = datetime(2026, 11, 21, tzinfo=UTC)


def row(number: int, **changes: Any) -> dict[str, Any]:
    moment = START + timedelta(seconds=number)
    return {
        "fill_id": f"fill-{number:05d}",
        "trade_id": f"fill-{number:05d}",
        "order_id": f"order-{number // 3}",
        "ticker": "KXBTC-26NOV2017-T90000",
        "side": "yes" if number % 2 else "no",
        "action": "buy",
        "count_fp": "1.50",
        "yes_price_dollars": "0.5600",
        "no_price_dollars": "0.4400",
        "fee_cost": "0.020000",
        "is_taker": True,
        "created_time": moment.isoformat().replace("+00:00", ".123456Z"),
    } | changes


@pytest.fixture
def stub(rsa_key: rsa.RSAPrivateKey) -> Iterator[KalshiStub]:
    with KalshiStub([], key_id="key", public_key=rsa_key.public_key()) as venue:
        yield venue  # type: ignore[misc]


@pytest.fixture
def client(stub: KalshiStub, rsa_pem: bytes, clock: Clock, naps: Any) -> Iterator[KalshiFills]:
    requests = VenueRequests(
        "kalshi",
        stub.url,
        Pace(0.0),
        judge=judge,
        chance=random.Random(1),
        sleep=naps,
        timeout=httpx.Timeout(30.0),
    )
    yield KalshiFills(account="main", key_id="key", sign=rsa_signer(rsa_pem), clock=clock, requests=requests)
    requests.close()


def ids(batch: Any) -> list[str]:
    return sorted(fill.fill_id for fill in batch.fills)


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 650])
def test_every_page_of_both_endpoints_is_read(client: KalshiFills, stub: KalshiStub, count: int) -> None:
    """Live and historical fills come back once each, with their fees and a coverage."""
    rows = [row(number) for number in range(count)]
    stub.rows |= {LIVE_PATH: rows[count // 3 :], HISTORICAL_PATH: rows[: count // 2]}
    batch = client.fills_between(START, END)
    assert ids(batch) == [f"fill-{number:05d}" for number in range(count)]
    assert len(batch.commissions) == count
    assert [(c.start, c.end) for c in batch.coverage] == [(START, END)]


def test_the_end_is_not_included(client: KalshiFills, stub: KalshiStub) -> None:
    """Spans that follow each other share no fill and lose none."""
    times = [(START + timedelta(seconds=number)).isoformat() for number in range(20)]
    stub.rows[LIVE_PATH] = [row(number, created_time=time) for number, time in enumerate(times)]
    middle = START + timedelta(seconds=10)
    first, second = client.fills_between(START, middle), client.fills_between(middle, END)
    assert len(first.fills) == 10
    assert ids(first) + ids(second) == [f"fill-{number:05d}" for number in range(20)]


def test_coverage_ends_before_now(client: KalshiFills) -> None:
    """What happens while we ask is left to the next question."""
    batch = client.fills_between(START, datetime(2026, 12, 1, tzinfo=UTC))
    assert batch.coverage[0].end == datetime(2026, 11, 21, 11, 59, 50, tzinfo=UTC)


def test_a_cursor_that_repeats_ends_the_reading(client: KalshiFills, stub: KalshiStub) -> None:
    """A venue that sends us in a circle is noticed; nobody claims the circle was all."""
    page = Answer.of({"fills": [row(1)], "cursor": "again"})
    stub.faults.extend([Fault(page), Fault(page)])
    batch = client.fills_between(START, END)
    assert ids(batch) == ["fill-00001"]
    assert batch.coverage == ()
    assert "incomplete" in batch.warnings[0]


def test_the_bound_on_pages_is_told(
    client: KalshiFills, stub: KalshiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading that hits its bound keeps what it has and claims no coverage."""
    monkeypatch.setattr(kalshi, "PAGES_MAX", 2)
    stub.rows[LIVE_PATH] = [row(number) for number in range(500)]
    batch = client.fills_between(START, END)
    assert len(batch.fills) == 400
    assert batch.coverage == ()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(error(429, "too_many_requests")),
        Fault(error(500, "internal")),
        Fault(Answer(b"<html>", 200)),
        Fault(drop=True),
        Fault(cut_at_bytes=25),
    ],
    ids=["429", "500", "html", "dropped", "broken off"],
)
def test_a_passing_fault_is_asked_again(
    client: KalshiFills, stub: KalshiStub, naps: Any, fault: Fault
) -> None:
    """Nothing is read twice and nothing is lost by a fault between two pages."""
    stub.rows[LIVE_PATH] = [row(number) for number in range(300)]
    stub.faults.extend([Fault(), fault])
    batch = client.fills_between(START, END)
    assert len(batch.fills) == 300
    assert batch.coverage
    assert len(naps.taken) == 1


def test_a_venue_that_stays_down_is_unavailable(client: KalshiFills, stub: KalshiStub) -> None:
    """After five attempts it is a TransientError, and the caller keeps its work pending."""
    stub.faults.extend([Fault(error(503, "down"))] * 9)
    with pytest.raises(VenueUnavailableError, match="5 attempts"):
        client.fills_between(START, END)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_final(client: KalshiFills, stub: KalshiStub, naps: Any, status: int) -> None:
    """What will be refused again is not asked again."""
    stub.faults.append(Fault(error(status, "no")))
    with pytest.raises(VenueRefusedError, match=str(status)):
        client.fills_between(START, END)
    assert naps.taken == []


def test_another_key_is_refused(client: KalshiFills, stub: KalshiStub) -> None:
    """The venue checks the signature against its own copy of the public key."""
    stub.public_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(VenueRefusedError, match="401"):
        client.fills_between(START, END)


@pytest.mark.parametrize("kind", ["garbage", "other kind"])
def test_what_is_no_rsa_key_is_refused_and_never_shown(kind: str) -> None:
    """A wrong key file is a configuration error that does not print the file."""
    pem = b"-----BEGIN NOTHING-----"
    if kind == "other kind":
        pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    with pytest.raises(ConfigurationError, match="kalshi key") as refusal:
        rsa_signer(pem)
    assert "BEGIN" not in str(refusal.value)


def test_an_answer_that_is_not_about_fills_is_not_covered(client: KalshiFills, stub: KalshiStub) -> None:
    """A page whose fills are no list goes to the dead letter, and nobody claims it was all."""
    stub.faults.append(Fault(Answer.of({"fills": {"a": 1}, "cursor": ""})))
    batch = client.fills_between(START, END)
    assert batch.coverage == ()
    assert [refused.field for refused in batch.rejected] == ["file"]


def test_reading_twice_gives_the_same_batch(client: KalshiFills, stub: KalshiStub) -> None:
    """The same venue asked again tells the same, to the byte."""
    stub.rows[LIVE_PATH] = [row(number) for number in range(230)]
    assert client.fills_between(START, END) == client.fills_between(START, END)


def test_settlements_are_read_by_page(client: KalshiFills, stub: KalshiStub) -> None:
    """Ended markets come as bookings; what covers fills is not claimed for them."""
    stub.rows[SETTLEMENTS_PATH] = [
        {
            "ticker": f"KXBTC-{number}",
            "market_result": "yes",
            "yes_count_fp": "2.00",
            "no_count_fp": "0.00",
            "revenue": 200,
            "settled_time": (START + timedelta(seconds=number)).isoformat(),
        }
        for number in range(250)
    ]
    batch = client.settlements_between(START, END)
    assert len({fill.fill_id for fill in batch.fills}) == 250
    assert batch.coverage == ()
    assert batch.rejected == ()
