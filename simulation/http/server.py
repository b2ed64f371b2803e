"""A small HTTP server on loopback that answers as a venue would, and misbehaves on demand.

A venue is a class with `answer`; what is common is here: threads, the journal of requests, and scripted
faults, each used up by one request: a status, a delay, a body that drips or breaks off, a connection closed
without a word.
"""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

JOURNAL_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @property
    def params(self) -> dict[str, str]:
        """The decoded query."""
        return dict(parse_qsl(self.query))


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: object, status: int = 200) -> Answer:
        """A JSON answer."""
        return cls(json.dumps(document).encode(), status)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request: `answer` instead of the real one, late, broken off, or nothing at all.

    `drip_s` is a pause between pieces of `drip_bytes`: a body that comes, but hardly.
    """

    answer: Answer | None = None
    delay_s: float = 0.0
    cut_at_bytes: int | None = None
    drop: bool = False
    drip_s: float = 0.0
    drip_bytes: int = 256


class StubVenue(ABC):
    """A venue on a loopback port of its own (`port` 0: a free one) while the context lasts."""

    def __init__(self, port: int = 0) -> None:
        self.journal: deque[Request] = deque(maxlen=JOURNAL_MAX)
        self.faults: deque[Fault] = deque()
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """What the venue says to a request."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take_fault(self, request: Request) -> Fault | None:
        """Note the request and use up the next fault."""
        with self._lock:
            self.journal.append(request)
            return self.faults.popleft() if self.faults else None

    def __enter__(self) -> StubVenue:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up: that is what some tests are about."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Only what is no broken connection is worth a word."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(venue: StubVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request("GET", target.path, target.query, headers)
            fault = venue.take_fault(request) or Fault()
            time.sleep(fault.delay_s)
            if fault.drop:
                self.close_connection = True
                return
            self._send(fault.answer or venue.answer(request), fault)

        def _send(self, answer: Answer, fault: Fault) -> None:
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", **answer.headers}
            for name, value in {**headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            body = answer.body[: fault.cut_at_bytes]
            self.close_connection = fault.cut_at_bytes is not None
            try:
                for start in range(0, len(body), fault.drip_bytes if fault.drip_s else max(1, len(body))):
                    time.sleep(fault.drip_s)
                    piece = fault.drip_bytes if fault.drip_s else len(body)
                    self.wfile.write(body[start : start + piece])
            except ConnectionError:  # who asked has had enough
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the journal has it."""

    return Handler
