"""A server that drips its headers holds nobody for longer than an answer may take."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from vendor_desk import NOON, SYMBOL, vendor_settings

from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.source import AlphaVantage
from adapters.ibkr import flex_web
from adapters.ibkr.flex_web import FlexWebService
from adapters.venue import asking
from adapters.venue.asking import Pace, VenueRequests, VenueUnavailableError
from adapters.venue.whole_answer import AnswerLimits, PublicAddress
from trading.ports.statement_source import StatementQuery, StatementUnavailableError
from trading.ports.vendor_source import VendorUnavailableError
from trading.settings import FlexSettings

HEADERS = [b"HTTP/1.1 200 OK\r\n", *[b"X-Slow: 1\r\n"] * 30, b'Content-Length: 12\r\n\r\n{"data": []}']
NOTICES = [
    *[b"HTTP/1.1 100 Continue\r\n\r\n"] * 30,
    b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": []}',
]
PAUSE_S = 0.15


@pytest.fixture(params=[HEADERS, NOTICES], ids=["headers", "notices"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server each of whose pieces comes in time; its answer is good."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                for piece in request.param:
                    time.sleep(PAUSE_S)
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def test_a_vendor_that_drips_headers_is_left(url: str) -> None:
    """A worker that waited for a day would be lost to all feeds of the key."""
    client = AlphaVantageClient(vendor_settings(url, connect_timeout_s=1, answer_timeout_s=1))
    with pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        AlphaVantage(client).chain(SYMBOL, NOON)
    client.close()


def test_a_public_source_that_drips_headers_is_left(url: str) -> None:
    """The sources of the index are asked in the same way."""
    address = PublicAddress("cboe", url, AnswerLimits(connect_s=1, answer_s=1, bytes_max=1_000))
    with pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        address.get()
    address.close()


def test_a_venue_that_drips_headers_is_left(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's venues are asked within a bound of the whole answer, too."""
    monkeypatch.setattr(asking, "ANSWER_SECONDS_MAX", 1.0)
    requests = VenueRequests("kraken", url, Pace(0.0), attempts_max=1)
    with pytest.raises(VenueUnavailableError, match="ReadTimeout"):
        requests.get("/fills", {}, lambda _query: {})
    requests.close()


def test_a_flex_service_that_drips_headers_is_left(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that does not come is unavailable, and the night's other work goes on."""
    monkeypatch.setattr(flex_web, "ANSWER_SECONDS_MAX", 1.0)
    settings = FlexSettings(
        token="1" * 24,
        activity_query="7",
        confirmation_query=None,
        base_url=url,
        hosts="flex.example",
        request_interval_ms=1,
        attempts_max=1,
        polls_max=1,
        backoff_first_ms=1,
        connect_timeout_s=5,
        answer_timeout_s=5,
        statement_bytes_max=1_000,
    )
    with pytest.raises(StatementUnavailableError, match="ReadTimeout"):
        FlexWebService(settings, pace=Pace(0.0)).fetch(StatementQuery.ACTIVITY)
