"""The Kraken client reads every fill over real HTTP, or says that it did not."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.kraken import client as kraken
from adapters.kraken.client import KrakenFills, judge
from adapters.venue.asking import Pace, VenueRefusedError, VenueRequests, VenueUnavailableError
from simulation.http.kraken import KrakenStub, error
from simulation.http.server import Answer, Fault
from trading.errors import ConfigurationError, InvalidFieldError
from trading.model.fills import Source
from trading.ports.clock import Clock

START = datetime(2026, 11, 20, tzinfo=UTC)


def row(number: int, *, millisecond: int | None = None, **changes: Any) -> dict[str, Any]:
    moment = START + timedelta(milliseconds=number * 500 if millisecond is None else millisecond)
    return {
        "fill_id": f"fill-{number:05d}",
        "symbol": "PF_ETHUSD",
        "side": "buy" if number % 2 else "sell",
        "order_id": f"order-{number // 3}",
        "fillTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "size": 0.001,
        "price": 3162.5,
        "fillType": "taker",
        "fee_paid": 0.001581,
        "fee_currency": "USD",
    } | changes


@pytest.fixture
def stub(kraken_secret: str) -> Iterator[KrakenStub]:
    with KrakenStub([], api_key="key", secret=kraken_secret) as venue:
        yield venue  # type: ignore[misc]


@pytest.fixture
def answer_s() -> float:
    """How long an answer may take: longer than on any machine, but where it is slow on purpose."""
    return 30.0


@pytest.fixture
def client(
    stub: KrakenStub, kraken_secret: str, clock: Clock, naps: Any, answer_s: float
) -> Iterator[KrakenFills]:
    requests = VenueRequests(
        "kraken",
        stub.url,
        Pace(0.0),
        judge=judge,
        chance=random.Random(1),
        sleep=naps,
        timeout=httpx.Timeout(answer_s),
    )
    yield KrakenFills(account="main", api_key="key", secret=kraken_secret, clock=clock, requests=requests)
    requests.close()


def ids(batch: Any) -> list[str]:
    return sorted(fill.fill_id for fill in batch.fills)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 1_000])
def test_every_page_is_read(client: KrakenFills, stub: KrakenStub, count: int) -> None:
    """However many fills there are, all come back once, with their fees and a coverage."""
    stub.fills = [row(number) for number in range(count)]
    batch = client.fills_since(START)
    assert ids(batch) == [f"fill-{number:05d}" for number in range(count)]
    assert len(batch.commissions) == count
    assert [(c.start, c.end) for c in batch.coverage] == [
        (START, datetime(2026, 11, 21, 11, 59, 50, tzinfo=UTC))
    ]
    assert batch.source is Source.BACKFILL


def test_fills_of_one_millisecond_survive_a_page_break(client: KrakenFills, stub: KrakenStub) -> None:
    """A page that ends in the middle of a millisecond loses none of it."""
    stub.fills = [row(number, millisecond=number // 70) for number in range(300)]
    assert ids(client.fills_since(START)) == [f"fill-{number:05d}" for number in range(300)]


def test_a_whole_page_in_one_millisecond_is_told_and_not_covered(
    client: KrakenFills, stub: KrakenStub
) -> None:
    """There is nothing to page on: what was read is kept, and nobody claims it was all."""
    stub.fills = [row(number, millisecond=7) for number in range(150)]
    batch = client.fills_since(START)
    assert len(batch.fills) == 100
    assert batch.coverage == ()
    assert "incomplete" in batch.warnings[0]


def test_only_what_is_since_the_moment(client: KrakenFills, stub: KrakenStub) -> None:
    """Older fills of the last page are left out, and no page older than the moment is asked for."""
    stub.fills = [row(number) for number in range(400)]
    batch = client.fills_since(START + timedelta(milliseconds=399 * 500))
    assert ids(batch) == ["fill-00399"]
    assert len(stub.journal) == 1


def test_the_bound_on_pages_is_told(
    client: KrakenFills, stub: KrakenStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading that hits its bound keeps what it has and claims no coverage."""
    monkeypatch.setattr(kraken, "PAGES_MAX", 2)
    stub.fills = [row(number) for number in range(500)]
    batch = client.fills_since(START)
    assert len(stub.journal) == 2
    assert 190 <= len(batch.fills) <= 200
    assert batch.coverage == ()


@pytest.mark.parametrize(
    ("fault", "answer_s"),
    [
        (Fault(Answer(b"busy", 429)), 30.0),
        (Fault(Answer(b"busy", 429, {"Retry-After": "3"})), 30.0),
        (Fault(Answer(b"<html>", 502)), 30.0),
        (Fault(Answer(b"", 503)), 30.0),
        (Fault(error("apiLimitExceeded")), 30.0),
        (Fault(error("Unavailable")), 30.0),
        (Fault(Answer(b"<html>maintenance</html>", 200)), 30.0),
        (Fault(drop=True), 30.0),
        (Fault(cut_at_bytes=40), 30.0),
        (Fault(delay_s=2.0), 1.5),
    ],
    ids=[
        "429",
        "429 with wait",
        "502",
        "503",
        "limit",
        "unavailable",
        "html",
        "dropped",
        "broken off",
        "slow",
    ],
)
def test_a_passing_fault_is_asked_again(
    client: KrakenFills, stub: KrakenStub, naps: Any, fault: Fault, answer_s: float
) -> None:
    """Limits, server errors, broken connections and slow answers are retried; the nonce is new each time."""
    stub.fills = [row(number) for number in range(120)]
    stub.faults.extend([fault, Fault(), fault])
    batch = client.fills_since(START)
    assert len(batch.fills) == 120
    assert batch.coverage
    assert len(stub.journal) == 4
    assert len({request.headers["nonce"] for request in stub.journal}) == 4
    expected = 3.0 if fault.answer and fault.answer.headers else None
    assert all(nap == expected if expected else 0.25 <= nap <= 0.5 for nap in naps.taken)


def test_backoff_grows_with_jitter_and_ends(client: KrakenFills, stub: KrakenStub, naps: Any) -> None:
    """Five attempts, four waits that double, never all clients at one moment, then a TransientError."""
    stub.faults.extend([Fault(Answer(b"down", 500))] * 9)
    with pytest.raises(VenueUnavailableError, match=r"5 attempts.*500"):
        client.fills_since(START)
    assert len(stub.journal) == 5
    assert [0.5 * 2**n <= nap * 2 and nap <= 0.5 * 2**n for n, nap in enumerate(naps.taken)] == [True] * 4


def test_a_wait_of_hours_is_not_waited(client: KrakenFills, stub: KrakenStub, naps: Any) -> None:
    """A venue that asks for an hour is unavailable now."""
    stub.faults.append(Fault(Answer(b"", 429, {"Retry-After": "3600"})))
    with pytest.raises(VenueUnavailableError, match="1 attempts"):
        client.fills_since(START)
    assert naps.taken == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(error("authenticationError")),
        Fault(Answer(b"no", 403)),
        Fault(Answer(b"", 302)),
        Fault(Answer(b"", 404)),
    ],
    ids=["key", "403", "redirect", "404"],
)
def test_a_refusal_is_final(client: KrakenFills, stub: KrakenStub, naps: Any, fault: Fault) -> None:
    """What will be refused again is not asked again."""
    stub.faults.append(fault)
    with pytest.raises(VenueRefusedError, match="kraken /derivatives"):
        client.fills_since(START)
    assert (len(stub.journal), naps.taken) == (1, [])


def test_a_wrong_secret_is_refused_and_never_shown(client: KrakenFills, stub: KrakenStub) -> None:
    """The venue checks the signature; our message carries neither key nor secret."""
    stub.secret = "b3RoZXI="
    with pytest.raises(VenueRefusedError) as refusal:
        client.fills_since(START)
    assert client.secret not in str(refusal.value)
    assert client.secret not in repr(client)
    client.secret = "not base64!"
    with pytest.raises(ConfigurationError) as misuse:
        client.fills_since(START)
    assert "not base64!" not in str(misuse.value)


def test_bad_rows_of_a_page_do_not_stop_the_paging(client: KrakenFills, stub: KrakenStub) -> None:
    """Refused rows come back once each, however often pages overlap."""
    stub.fills = [row(number) for number in range(205)]
    stub.fills[50] = row(50, price=-1)
    stub.fills[150] = row(150, symbol="nothing")
    batch = client.fills_since(START)
    assert len(batch.fills) == 203
    assert sorted(refused.field for refused in batch.rejected) == ["price", "symbol"]
    assert batch.coverage


def test_a_naive_moment_is_refused(client: KrakenFills) -> None:
    """Since when, exactly?"""
    with pytest.raises(InvalidFieldError, match="since"):
        client.fills_since(datetime(2026, 11, 20))


def test_reading_twice_gives_the_same_batch(client: KrakenFills, stub: KrakenStub) -> None:
    """The same venue asked again tells the same, to the byte."""
    stub.fills = [row(number) for number in range(230)]
    assert client.fills_since(START) == client.fills_since(START)
