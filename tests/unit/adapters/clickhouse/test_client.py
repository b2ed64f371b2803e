"""The client against a server that misbehaves: every failure has its kind, nothing is stored twice."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.clickhouse import client as module
from adapters.clickhouse.client import Warehouse, connection_options
from trading.errors import ConfigurationError, WarehouseError, WarehouseUnavailableError


class FakeServer(ThreadingHTTPServer):
    """Answers inserts as told: a list of (status, written rows), the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, int]] = [(200, 2)]
        self.tokens: list[str] = []
        self.statements: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://writer:pw@127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Just enough of the protocol for the driver to connect and insert."""

    server: FakeServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one statement."""
        asked = parse_qs(urlsplit(self.path).query)
        body = (
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self._chunked()
            else self._chunks()
        )
        text = asked.get("query", [""])[0] + body[:200].decode("utf-8", "replace")
        self.server.statements.append(text)
        if "version()" in text:
            return self._answer(200, b"26.9.2.1\tUTC\n", 0)
        if "system.settings" in text or "DESCRIBE" in text:
            return self._answer(200, b"", 0)
        if "INSERT" in text:
            self.server.tokens.append(asked.get("insert_deduplication_token", [""])[0])
            status, written = (
                self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
            )
            return self._answer(
                status, b"" if status == 200 else b"Code: 202. DB::Exception: too many", written
            )
        status, _ = self.server.answers[0]
        return self._answer(status, b"Code: 47. DB::Exception: no such column" if status != 200 else b"", 0)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding") == "chunked"

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, written: int) -> None:
        self.send_response(status)
        self.send_header("X-ClickHouse-Summary", json.dumps({"written_rows": str(written)}))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A fake server, and no pauses between attempts."""
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    running = FakeServer()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def arrow_rows() -> Any:
    """Two rows."""
    import pyarrow as pa

    return pa.table({"a": [1, 2]})


def test_fewer_rows_written_than_sent_are_sent_once_more_by_the_same_token(server: FakeServer) -> None:
    """The second time all are there: one token, two sends."""
    server.answers = [(200, 1), (200, 2)]
    assert Warehouse(server.url).insert_arrow("core.t", arrow_rows(), "token") == 2
    assert server.tokens == ["token", "token"]


def test_rows_that_stay_short_are_an_error_that_says_how_many(server: FakeServer) -> None:
    """A server that acknowledges fewer rows than were sent is never believed."""
    server.answers = [(200, 1)]
    with pytest.raises(WarehouseError, match="expected 2 rows written, was 1"):
        Warehouse(server.url).insert_arrow("core.t", arrow_rows(), "token")
    assert len(server.tokens) == 2


def test_a_busy_server_is_asked_again_a_bounded_number_of_times(server: FakeServer) -> None:
    """503 may go away; an insert is repeated by its token, and in the end it is unavailability."""
    server.answers = [(503, 0), (503, 0), (200, 2)]
    assert Warehouse(server.url).insert_arrow("core.t", arrow_rows(), "token") == 2
    server.answers = [(503, 0)]
    server.tokens.clear()
    with pytest.raises(WarehouseUnavailableError):
        Warehouse(server.url).insert_arrow("core.t", arrow_rows(), "token")
    assert server.tokens == ["token"] * module.ATTEMPTS_MAX


def test_a_command_without_a_token_is_sent_once(server: FakeServer) -> None:
    """What cannot be told apart from its repeat is not repeated."""
    server.answers = [(503, 0)]
    with pytest.raises(WarehouseUnavailableError):
        Warehouse(server.url).command("alter table core.t drop partition '1'")
    assert sum("alter table" in text for text in server.statements) == 1


def test_a_refused_query_is_an_error_and_not_an_empty_answer(server: FakeServer) -> None:
    """400 with a code of the server is permanent."""
    server.answers = [(400, 0)]
    with pytest.raises(WarehouseError, match="no such column"):
        Warehouse(server.url).rows("select nope")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nobody listens: transient, in bounded time, without the password in the message."""
    warehouse = Warehouse("http://writer:s3cret@127.0.0.1:1", attempts=1)
    with pytest.raises(WarehouseUnavailableError) as refused:
        warehouse.rows("select 1")
    assert "s3cret" not in str(refused.value)


def test_parameters_that_the_server_would_not_bind_are_refused(server: FakeServer) -> None:
    """A value never becomes SQL text, not even by a forgotten placeholder."""
    with pytest.raises(WarehouseError, match="placeholder"):
        Warehouse(server.url).rows("select %(name)s", {"name": "x'; drop table t"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://writer:p%40ss@127.0.0.1:18123", ("127.0.0.1", 18123, False, "writer", "p@ss", "default")),
        ("http://localhost", ("localhost", 8123, False, "default", "", "default")),
        ("https://u@ch.example/core", ("ch.example", 8443, True, "u", "", "core")),
        ("http://u:p@[::1]:9000/marts/", ("::1", 9000, False, "u", "p", "marts")),
    ],
)
def test_both_forms_of_the_address_are_read(url: str, expected: tuple[object, ...]) -> None:
    """Scheme, user, password, port and database, or their defaults."""
    read = connection_options(url)
    assert (
        tuple(read[name] for name in ("host", "port", "secure", "username", "password", "database"))
        == expected
    )


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8123", "clickhouse://u:secret@h", "http://u:secret@h:99999", "http://"]
)
def test_a_malformed_address_is_refused_without_its_password(url: str) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match="CLICKHOUSE_URL") as refused:
        connection_options(url)
    assert "secret" not in str(refused.value)


def test_times_without_a_zone_are_utc() -> None:
    """The embedded engine drops the zone on the wire; nothing naive leaves the client."""
    naive = datetime(2026, 7, 17, 16, 0)
    assert module._aware([None, naive]) == [None, datetime(2026, 7, 17, 16, 0, tzinfo=UTC)]
    assert module._aware(["text"]) == ["text"]
