"""A server that drips its headers holds nobody for longer than an answer may take."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from vendor_desk import NOON, SYMBOL, vendor_settings

from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.source import AlphaVantage
from adapters.venue.whole_answer import AnswerLimits, PublicAddress
from trading.ports.vendor_source import VendorUnavailableError

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
    client = AlphaVantageClient(vendor_settings(url, answer_timeout_s=1))
    with pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        AlphaVantage(client).chain(SYMBOL, NOON)
    client.close()


def test_a_public_source_that_drips_headers_is_left(url: str) -> None:
    """The sources of the index are asked in the same way."""
    address = PublicAddress("cboe", url, AnswerLimits(connect_s=1, answer_s=1, bytes_max=1_000))
    with pytest.raises(VendorUnavailableError, match="ReadTimeout"):
        address.get()
    address.close()
