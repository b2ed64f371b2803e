"""HTTP/1.1 on a socket, as much of it as ClickHouse clients speak. Keep out queries.

Own code rather than `http.server`: its header parser costs about as much as `select 1` itself.
"""

import os
import select
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from warehouse_server.limits import (
    BODY_BYTES,
    IDLE_CONNECTION_S,
    RECEIVE_BYTES,
    REQUEST_HEAD_BYTES,
    SOCKET_READ_S,
    SOCKET_WRITE_S,
)
from warehouse_server.refusals import BAD_ARGUMENTS, QUERY_TOO_LARGE, Refusal, refuse

_REASONS: Final = {
    100: "Continue",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
CHUNK_LINE_BYTES: Final = 1024


class ClientGone(Exception):
    """The other side closed, or stopped taking or giving bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its body; header names in lower case, the last of equal parameters wins."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    keep_alive: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client holds its body back until told to send it."""
        return self.headers.get("expect", "").lower() == "100-continue"


class Connection:
    """One client's socket with what was received and not used yet."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._pending = bytearray()
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)

    def read_request(self) -> Request | None:
        """The next request, or None where the client is done with the connection."""
        self.sock.settimeout(IDLE_CONNECTION_S)
        end = self._pending.find(b"\r\n\r\n")
        while end < 0:
            if len(self._pending) > REQUEST_HEAD_BYTES:
                raise refuse(
                    QUERY_TOO_LARGE, "QUERY_IS_TOO_LARGE", f"request head over {REQUEST_HEAD_BYTES} bytes"
                )
            try:
                if not self._receive():
                    return None
            except ClientGone:
                return None
            end = self._pending.find(b"\r\n\r\n")
        head = bytes(self._pending[:end]).decode("latin-1")
        del self._pending[: end + 4]
        return _parse_head(head)

    def ready(self) -> bool:
        """Whether a read would return at once."""
        return bool(self._pending) or bool(self._poll.poll(0))

    def body(self, request: Request) -> Iterator[bytes]:
        """The body as it comes; ends exactly at its end, raises where it breaks off."""
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._encouraged(request, self._chunked())
        length = request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise refuse(BAD_ARGUMENTS, "BAD_ARGUMENTS", "expected a number as Content-Length")
        return self._encouraged(request, self._sized(int(length)))

    def _encouraged(self, request: Request, body: Iterator[bytes]) -> Iterator[bytes]:
        """Tell a client that waits for it to go on, once somebody wants the body."""
        if request.expects_continue:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.sock.settimeout(SOCKET_READ_S)
        for part in body:
            yield part
            self.sock.settimeout(SOCKET_READ_S)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it, or raise ClientGone."""
        try:
            self.sock.settimeout(SOCKET_WRITE_S)
            self.sock.sendall(data)
        except OSError as error:
            raise ClientGone(str(error)) from error

    def send_some(self, parts: list[bytes]) -> int:
        """Send what fits without waiting; the number of bytes taken.

        Not the socket's own send: with a timeout set, it waits for room even where told not to.
        """
        try:
            return os.writev(self.sock.fileno(), parts)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ClientGone(str(error)) from error

    def _receive(self) -> bool:
        try:
            data = self.sock.recv(RECEIVE_BYTES)
        except OSError as error:
            raise ClientGone(str(error)) from error
        self._pending += data
        return bool(data)

    def _take(self, most: int) -> bytes:
        if not self._pending and not self._receive():
            raise ClientGone("the body broke off")
        part = bytes(self._pending[:most])
        del self._pending[:most]
        return part

    def _sized(self, length: int) -> Iterator[bytes]:
        if length > BODY_BYTES:
            raise _too_large()
        while length:
            part = self._take(length)
            length -= len(part)
            yield part

    def _chunked(self) -> Iterator[bytes]:
        total = 0
        while size := self._chunk_size():
            total += size
            if total > BODY_BYTES:
                raise _too_large()
            yield from self._sized(size)
            self._line()
        while self._line():
            pass

    def _chunk_size(self) -> int:
        text = self._line().partition(b";")[0].strip()
        if not text or text.strip(_HEX_DIGITS):
            raise ClientGone(f"expected the size of a chunk, was {text[:20]!r}")
        return int(text, 16)

    def _line(self) -> bytes:
        end = self._pending.find(b"\r\n")
        while end < 0:
            if len(self._pending) > CHUNK_LINE_BYTES or not self._receive():
                raise ClientGone("the body broke off in a chunk line")
            end = self._pending.find(b"\r\n")
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Status line and headers, ready to send; line breaks in values are taken out."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [
        f"{name}: {value.replace(chr(13), ' ').replace(chr(10), ' ')}" for name, value in headers.items()
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def _parse_head(head: str) -> Request:
    first, *rest = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise refuse(BAD_ARGUMENTS, "BAD_ARGUMENTS", "expected an HTTP/1.1 request line")
    headers: dict[str, str] = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    path, _, query = parts[1].partition("?")
    asked = headers.get("connection", "").lower()
    keep_alive = asked == "keep-alive" if parts[2] == "HTTP/1.0" else asked != "close"
    return Request(parts[0], unquote_plus(path), parse_parameters(query), headers, keep_alive)


def parse_parameters(query: str) -> dict[str, str]:
    """URL parameters; bytes that are not UTF-8 survive as surrogates."""
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            parameters[_unquote(name)] = _unquote(value)
    return parameters


def _unquote(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text


def _too_large() -> Refusal:
    return refuse(QUERY_TOO_LARGE, "QUERY_IS_TOO_LARGE", f"request body over {BODY_BYTES} bytes")
