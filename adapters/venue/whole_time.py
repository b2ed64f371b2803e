"""A bound for the whole of one request over HTTP, its headers included.

The library's time-outs are between two pieces, so a server that drips a header every few seconds holds a
worker for a day, and with a handful of such answers all of a vendor's workers: its feeds end. Here each read
has what is left of the whole. Keep out: how much an answer may have (who reads its body counts).
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx


class WholeTime(threading.local):
    """The end of the request that this thread makes; none outside of one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._until: float | None = None

    def begin(self, seconds: float) -> None:
        """The next request of this thread is to be over in so many seconds."""
        self._until = self._monotonic() + seconds

    def left(self, timeout: float | None) -> float | None:
        """What a read may take; raises ReadTimeout where the whole time is over."""
        if self._until is None:
            return timeout
        left = self._until - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole answer took too long")
        return left if timeout is None else min(left, timeout)


def bound(client: httpx.Client, whole: WholeTime) -> None:
    """Have all connections of a client keep the time; the library has no parameter for it."""
    for transport in (client._transport, *client._mounts.values()):
        pool: Any = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend, whole)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, whole: WholeTime) -> None:
        self._inner, self._whole = inner, whole

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.connect_tcp(
            host, port, self._whole.left(timeout), local_address=local_address, socket_options=socket_options
        )
        return _Stream(stream, self._whole)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, whole: WholeTime) -> None:
        self._inner, self._whole = inner, whole

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._whole.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._whole.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._whole.left(timeout))
        return _Stream(inner, self._whole)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
