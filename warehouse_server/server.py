"""The listener: a thread per connection, requests in turn, errors as documents. Keep out SQL."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

from warehouse_server.accounts import Accounts
from warehouse_server.answers import Answer
from warehouse_server.block_frames import FrameEncoder
from warehouse_server.compression import choose_encoding, encoder
from warehouse_server.execution import Executor
from warehouse_server.invocation import Invocation, read_invocation
from warehouse_server.limits import CONNECTIONS_MAX, DRAIN_BODY_BYTES, LISTEN_BACKLOG
from warehouse_server.refusals import UNKNOWN_EXCEPTION, Refusal, refuse
from warehouse_server.statement_source import StatementSource
from warehouse_server.wire import ClientGone, Connection, Request

HOST: Final = "127.0.0.1"
_METHODS: Final = ("GET", "POST", "HEAD")
_PROBES: Final = ("/ping", "/replicas_status")
_QUERY_PATHS: Final = ("/", "/query")
_IDLE_POLL_S: Final = 0.02


def bind(port: int) -> socket.socket:
    """A socket bound to loopback, not listening yet: a taken port is known before the engine opens."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    return sock


class Server:
    """Accepts connections until told to stop; what runs goes on."""

    def __init__(self, sock: socket.socket, accounts: Accounts, executor: Executor) -> None:
        self._sock = sock
        self._accounts = accounts
        self._executor = executor
        self._places = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._stopping = False
        self._serving = 0
        self._counting = threading.Lock()

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._sock.getsockname()[1])

    def start(self) -> None:
        """Listen, and accept in a thread of its own."""
        self._sock.listen(LISTEN_BACKLOG)
        threading.Thread(target=self._accept, daemon=True, name="accept").start()

    def stop(self) -> None:
        """Take no new connection and no further request on those that are open."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether every request under way got its last byte within the time."""
        deadline = time.monotonic() + timeout_s
        while self._serving and time.monotonic() < deadline:
            time.sleep(_IDLE_POLL_S)
        return not self._serving

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._serving += 1
        try:
            yield
        finally:
            with self._counting:
                self._serving -= 1

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _ = self._sock.accept()
            except OSError:
                continue
            if not self._places.acquire(blocking=False):
                _turn_away(client)
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True, name="client").start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client:
                connection = Connection(client)
                while not self._stopping and self._serve_one(connection):
                    pass
        except ClientGone:
            pass
        finally:
            self._places.release()

    def _serve_one(self, connection: Connection) -> bool:
        """Whether the connection may carry another request."""
        try:
            request = connection.read_request()
        except Refusal as refusal:
            Answer(connection, {}, keep_alive=False, head_only=False).fail(refusal)
            return False
        if request is None:
            return False
        with self._counted():
            return self._answer(connection, request) and request.keep_alive

    def _answer(self, connection: Connection, request: Request) -> bool:
        """Answer one request; whether its body was read to the end, so that another one may follow."""
        answer = Answer(connection, self._headers(), request.keep_alive, request.method == "HEAD")
        body: Iterator[bytes] | None = None
        read = False
        try:
            body = connection.body(request)
            if not _answered_without_query(request, answer):
                invocation = self._admit(request, answer)
                read = True
                source = StatementSource(connection, request, invocation, body)
                self._executor.execute(source.invocation, source, answer)
            answer.finish()
        except Refusal as refusal:
            answer.fail(refusal)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001  a fault of ours must not look like an answer
            answer.fail(refuse(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", f"{type(error).__name__}: {error}"))
        finally:
            answer.close()
        if body is None or (request.expects_continue and not read):
            return False
        return _drained(body)

    def _admit(self, request: Request, answer: Answer) -> Invocation:
        role = self._accounts.authenticate(request.headers, request.parameters)
        invocation = read_invocation(request, role)
        answer.name_query(invocation.query_id)
        _encode(answer, invocation)
        return invocation

    def _headers(self) -> dict[str, str]:
        return {
            "X-ClickHouse-Server-Display-Name": "embedded",
            "X-ClickHouse-Timezone": self._executor.engine.timezone,
        }


def _answered_without_query(request: Request, answer: Answer) -> bool:
    """Whether this was a probe of health, which needs no account."""
    if request.method not in _METHODS:
        raise refuse(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", f"expected one of {', '.join(_METHODS)}", 405)
    probe = request.path in _PROBES or (
        request.path == "/" and request.method != "POST" and not request.parameters
    )
    if probe:
        answer.describe(None)
        answer.write(b"Ok.\n")
    elif request.path not in _QUERY_PATHS:
        raise refuse(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", f"There is no handle {request.path[:128]}", 404)
    return probe


def _encode(answer: Answer, invocation: Invocation) -> None:
    name = choose_encoding(invocation.accept_encoding)
    if invocation.framed_response:
        answer.encode("", FrameEncoder())
    elif name is not None:
        answer.encode(name, encoder(name))
    if invocation.progress:
        answer.tell_progress()
    if invocation.wait_for_end:
        answer.wait_for_end()


def _drained(body: Iterator[bytes]) -> bool:
    """Read what an error left of the body: closing with unread bytes would take the error from the client."""
    left = DRAIN_BODY_BYTES
    for part in body:
        left -= len(part)
        if left < 0:
            return False
    return True


def _turn_away(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError):
        client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
