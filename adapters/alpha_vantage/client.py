"""One question to Alpha Vantage over HTTPS: bounded in bytes and in time, the answer whole or not at all.

What would cost money, hence this shape:

- The key stands in the query of every request. It goes only to the configured address (https, or loopback for
  a stub), redirects are not followed, and no error, log line or refused row carries it, the library's own log
  and the vendor's answers included (its refusals quote the key).
- Half a chain looks like a chain with fewer contracts: a body counts when it is whole and reads as JSON.
- Numbers are read as decimals; no price passes through a float.

Safe for threads. It asks once: who asks again, and when, is decided by the poller.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

import httpx

from adapters.alpha_vantage.refusals import kind_of, refusal_text
from adapters.venue.payload import JsonObject, Refused, decode
from adapters.venue.refusal_words import refusal_words
from adapters.venue.retry_after import retry_after_s
from adapters.venue.safe_address import check_address
from adapters.venue.whole_time import WholeTime, bound
from trading.errors import ConfigurationError, shown
from trading.market_settings import VendorSettings
from trading.ports.vendor_source import RefusalKind, VendorRefusedError, VendorUnavailableError

NAME = "alpha_vantage"
PATH = "/query"
HEADERS = {"User-Agent": "trading-desk", "Accept": "application/json"}
READ_TIMEOUT_S = 10.0  # between two pieces of a body; the whole has answer_timeout_s
CONNECTIONS_MAX = 16
HTTP_OK, HTTP_CLIENT_ERRORS, HTTP_SERVER_ERRORS = 200, 400, 500
HTTP_BUSY = frozenset({408, 425, 429})
HTTP_NO_KEY = frozenset({401, 403})
HIDDEN = "(hidden)"
KEY_CHARS_LEAST = 8  # real ones have 16; the words of a shorter one ("demo") may stand anywhere
QUOTED_KEY = re.compile(r"(api\s*key\s+as\s+)\S+", re.IGNORECASE)
LIBRARY_LOGS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")


class AlphaVantageClient:
    """GET requests with the key; `monotonic` is handed in by tests."""

    def __init__(self, settings: VendorSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not settings.alpha_vantage_key:
            raise ConfigurationError("alpha vantage: no key; set ALPHA_VANTAGE_KEY")
        check_address("vendors.alpha_vantage_url", settings.alpha_vantage_url)
        self._key = settings.alpha_vantage_key
        self._settings = settings
        self._monotonic = monotonic
        self._secrets = {self._key, quote(self._key, safe="")}
        self._filter = _WithoutSecrets(self._secrets)
        for name in LIBRARY_LOGS:
            logging.getLogger(name).addFilter(self._filter)
        self._client = httpx.Client(
            base_url=settings.alpha_vantage_url.rstrip("/"),
            timeout=httpx.Timeout(
                min(READ_TIMEOUT_S, settings.answer_timeout_s), connect=settings.connect_timeout_s
            ),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            headers=HEADERS,
            follow_redirects=False,
        )
        self._whole_time = WholeTime()
        bound(self._client, self._whole_time)

    def ask(self, params: Mapping[str, str]) -> JsonObject:
        """Return the answer to one question as a JSON object that is no refusal.

        Raises VendorRefusedError or VendorUnavailableError; their words name the function and the symbol.
        """
        what = f"{NAME} {params.get('function', '')} {params.get('symbol') or params.get('tickers', '')}"
        document = decode(self._without_key(self._body(what, params)))
        if isinstance(document, Refused):
            raise VendorUnavailableError(f"{what}: {self.clean(document.reason)}")
        if not isinstance(document, JsonObject):
            raise VendorUnavailableError(f"{what}: expected a JSON object, was {type(document).__name__}")
        text = refusal_text(document)
        if text:
            kind = kind_of(text)
            raise VendorRefusedError(kind, f"{what}: refused ({kind}): {shown(self.clean(text))}")
        return document

    def clean(self, text: str) -> str:
        """A text of somebody else without our key."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return QUOTED_KEY.sub(rf"\g<1>{HIDDEN}", text)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        for name in LIBRARY_LOGS:
            logging.getLogger(name).removeFilter(self._filter)

    def _without_key(self, body: bytes) -> bytes:
        """A body that quotes our key must not carry it into rows, the dead letter or the live market."""
        if len(self._key) < KEY_CHARS_LEAST:
            return body
        for secret in self._secrets:
            body = body.replace(secret.encode(), HIDDEN.encode())
        return body

    def _body(self, what: str, params: Mapping[str, str]) -> bytes:
        self._whole_time.begin(self._settings.connect_timeout_s + self._settings.answer_timeout_s)
        try:
            with self._client.stream("GET", PATH, params={**params, "apikey": self._key}) as answer:
                self._check_status(what, answer)
                return self._whole(what, answer)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as cause:
            # No cause is chained: what the library says of a request may hold its address, and so the key.
            why = self.clean(f"{type(cause).__name__}: {cause}")
        raise VendorUnavailableError(f"{what}: {why}")

    def _check_status(self, what: str, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == HTTP_OK:
            return
        said = refusal_words(answer, self.clean) if status >= HTTP_CLIENT_ERRORS else ""
        if status in HTTP_BUSY or status >= HTTP_SERVER_ERRORS:
            raise VendorUnavailableError(
                f"{what}: status {status}{said}", wait_s=retry_after_s(answer.headers)
            )
        if status in HTTP_NO_KEY:
            raise VendorRefusedError(RefusalKind.KEY, f"{what}: refused (key) with status {status}{said}")
        note = said if status >= HTTP_CLIENT_ERRORS else "; no redirect is followed with the key"
        raise VendorRefusedError(RefusalKind.OTHER, f"{what}: refused with status {status}{note}")

    def _whole(self, what: str, answer: httpx.Response) -> bytes:
        chunks, size = [], 0
        until = self._monotonic() + self._settings.answer_timeout_s
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if size > self._settings.answer_bytes_max:
                raise VendorUnavailableError(
                    f"{what}: expected at most {self._settings.answer_bytes_max} bytes (answer_bytes_max)"
                )
            if self._monotonic() > until:
                raise VendorUnavailableError(
                    f"{what}: expected a whole answer within {self._settings.answer_timeout_s} s"
                )
            chunks.append(chunk)
        return b"".join(chunks)


class _WithoutSecrets(logging.Filter):
    """The library logs the address of every request, which carries the key: such lines are dropped."""

    def __init__(self, secrets: set[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        return not any(secret in text for secret in self._secrets)
