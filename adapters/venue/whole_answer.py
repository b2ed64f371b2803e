"""One GET to a public address without a key: bounded in bytes and in time, the answer whole or not at all.

Redirects are not followed and nothing is repeated here: who asks again, and when, is the caller's plan.

The HTTP library ends a compressed body without a word where its bytes end, so half of one is an answer to it.
Here the body is taken as it came, unpacked in bounded pieces, and has to end with gzip's own trailer.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from adapters.venue.refusal_words import refusal_words
from adapters.venue.retry_after import retry_after_s
from adapters.venue.safe_address import check_address
from adapters.venue.whole_time import WholeTime, bound
from trading.errors import shown
from trading.ports.vendor_source import RefusalKind, VendorRefusedError, VendorUnavailableError

HTTP_OK, HTTP_NOT_MODIFIED, HTTP_CLIENT_ERRORS, HTTP_SERVER_ERRORS = 200, 304, 400, 500
HTTP_BUSY = frozenset({408, 425, 429})
HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; trading-desk)",  # some refuse requests without a known one
    "Accept-Encoding": "gzip",
}
GZIP = 16 + zlib.MAX_WBITS
PLAIN = frozenset({"", "identity"})


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """Status 200 with its body, or 304 without one; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLimits:
    """Seconds until a connection and until the last byte, and how many bytes."""

    connect_s: float
    answer_s: float
    bytes_max: int


@dataclass(slots=True)
class PublicAddress:
    """One server; safe for threads. `monotonic` is handed in by tests."""

    name: str
    url: str
    limits: AnswerLimits
    monotonic: Callable[[], float] = time.monotonic
    _client: httpx.Client = field(init=False)
    _whole_time: WholeTime = field(init=False)

    def __post_init__(self) -> None:
        """Refuse an address that is neither https nor on this machine."""
        check_address(self.name, self.url)
        timeout = httpx.Timeout(self.limits.answer_s, connect=self.limits.connect_s)
        self._client = httpx.Client(timeout=timeout, headers=HEADERS, follow_redirects=False)
        self._whole_time = WholeTime()
        bound(self._client, self._whole_time)

    def get(
        self,
        path: str = "",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WholeAnswer:
        """Ask once; raises VendorRefusedError or VendorUnavailableError."""
        self._whole_time.begin(self.limits.connect_s + self.limits.answer_s)
        try:
            with self._client.stream(
                "GET", self.url.rstrip("/") + path, params=params or None, headers=dict(headers or {})
            ) as answer:
                self._check(answer)
                return WholeAnswer(answer.status_code, dict(answer.headers), self._body(answer))
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise VendorUnavailableError(f"{self.name}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _check(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in (HTTP_OK, HTTP_NOT_MODIFIED):
            return
        if status in HTTP_BUSY or status >= HTTP_SERVER_ERRORS:
            raise VendorUnavailableError(
                f"{self.name}: status {status}{refusal_words(answer)}", wait_s=retry_after_s(answer.headers)
            )
        note = refusal_words(answer) if status >= HTTP_CLIENT_ERRORS else "; no redirect is followed"
        raise VendorRefusedError(RefusalKind.OTHER, f"{self.name}: refused with status {status}{note}")

    def _body(self, answer: httpx.Response) -> bytes:
        chunks, size = [], 0
        until = self.monotonic() + self.limits.answer_s
        for chunk in self._unpacked(answer):
            size += len(chunk)
            if size > self.limits.bytes_max:
                raise VendorUnavailableError(f"{self.name}: expected at most {self.limits.bytes_max} bytes")
            if self.monotonic() > until:
                raise VendorUnavailableError(
                    f"{self.name}: expected a whole answer within {self.limits.answer_s:g} s"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _unpacked(self, answer: httpx.Response) -> Iterator[bytes]:
        """The pieces of a body; the last one of a compressed body is followed by its trailer, or raises."""
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        if encoding in PLAIN:
            yield from answer.iter_raw()
            return
        if encoding != "gzip":
            raise VendorUnavailableError(f"{self.name}: expected gzip or no encoding, was {shown(encoding)}")
        unpacking = zlib.decompressobj(GZIP)
        try:
            for packed in answer.iter_raw():
                yield unpacking.decompress(packed, self.limits.bytes_max + 1)
        except zlib.error as error:
            raise VendorUnavailableError(f"{self.name}: expected a body in gzip: {error}") from error
        if not unpacking.eof:
            raise VendorUnavailableError(f"{self.name}: expected the trailer of gzip, the body ended before")
