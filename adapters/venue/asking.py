"""Asking a venue over HTTP: paced, bounded in time and size, retried with jitter where that may help.

A refusal that will be the same next time (bad key, bad request) is a VenueRefusedError at once; a busy
or broken venue is asked again up to `ATTEMPTS_MAX` times, honoring its Retry-After, and is then a
VenueUnavailableError. Every answer is read whole before it counts: a body that breaks off is a failed
attempt, never half an answer.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Lock

import httpx

from adapters.venue.retry_after import retry_after_s
from adapters.venue.whole_time import WholeTime, bound
from trading.errors import PermanentError, TransientError, shown

ATTEMPTS_MAX = 5
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
RETRY_AFTER_MAX_S = 120.0  # a venue that asks for more is unavailable
ANSWER_BYTES_MAX = 64 * 2**20  # a page of fills has 100 kB
ANSWER_SECONDS_MAX = 120.0  # of one answer with its headers, however they drip
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
HTTP_OK = 200
HTTP_TOO_MANY = 429
HTTP_SERVER_ERRORS = 500
HTTP_REQUEST_TIMEOUT = 408


class VenueRefusedError(PermanentError):
    """The venue said no, and will say it again: names venue, path and what it said; never carries a key."""


class VenueUnavailableError(TransientError):
    """The venue could not be reached, was busy or broken for all attempts."""


class Verdict(Enum):
    """What an answer with status 200 says in its body."""

    GOOD = auto()
    BUSY = auto()
    REFUSED = auto()


def always_good(_body: bytes) -> Verdict:
    """For venues that say it all in the status."""
    return Verdict.GOOD


@dataclass(slots=True)
class Pace:
    """At most one request per interval; waits instead of breaking the venue's limit. Safe for threads."""

    interval_s: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    _next_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self.monotonic()
            due, self._next_at = self._next_at, max(now, self._next_at) + self.interval_s
        if due > now:
            self.sleep(due - now)


@dataclass(slots=True)
class VenueRequests:
    """GET requests to one venue. `chance` seeds the jitter; `sleep` and `pace` are handed in by tests."""

    name: str
    base_url: str
    pace: Pace
    judge: Callable[[bytes], Verdict] = always_good
    chance: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], None] = time.sleep
    attempts_max: int = ATTEMPTS_MAX
    timeout: httpx.Timeout = field(default_factory=lambda: TIMEOUT)
    _client: httpx.Client | None = None
    _whole_time: WholeTime = field(default_factory=WholeTime)

    def get(self, path: str, params: Mapping[str, str], sign: Callable[[str], Mapping[str, str]]) -> bytes:
        """Return the body of one answer; `sign` makes fresh headers of the query for every attempt."""
        why, attempt = "", 0
        for attempt in range(self.attempts_max):
            self.pace.wait()
            try:
                status, wait_s, body = self._ask(path, params, sign)
            except (httpx.TransportError, httpx.DecodingError) as error:
                status, wait_s, why = 0, None, f"{type(error).__name__}: {error}"
            else:
                verdict = self._verdict(status, body)
                if verdict is Verdict.GOOD:
                    return body
                why = f"status {status}, {shown(body)}"
                if verdict is Verdict.REFUSED:
                    raise VenueRefusedError(f"{self.name} {path}: refused with {why}")
            if wait_s is not None and wait_s > RETRY_AFTER_MAX_S:
                break
            if attempt + 1 < self.attempts_max:
                self.sleep(self._backoff_s(attempt) if wait_s is None else wait_s)
        raise VenueUnavailableError(
            f"{self.name} {path}: no good answer in {attempt + 1} attempts, last {why}"
        )

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(
        self, path: str, params: Mapping[str, str], sign: Callable[[str], Mapping[str, str]]
    ) -> tuple[int, float | None, bytes]:
        if self._client is None:
            self._client = httpx.Client(base_url=self.base_url, timeout=self.timeout, follow_redirects=False)
            bound(self._client, self._whole_time)
        self._whole_time.begin(ANSWER_SECONDS_MAX)
        query = str(httpx.QueryParams(dict(params)))
        request = self._client.build_request(
            "GET", f"{path}?{query}" if query else path, headers=dict(sign(query))
        )
        response = self._client.send(request, stream=True)
        try:
            return response.status_code, retry_after_s(response.headers), _bounded_body(response)
        finally:
            response.close()

    def _verdict(self, status: int, body: bytes) -> Verdict:
        if status == HTTP_OK:
            return self.judge(body)
        is_busy = status in (HTTP_TOO_MANY, HTTP_REQUEST_TIMEOUT) or status >= HTTP_SERVER_ERRORS
        return Verdict.BUSY if is_busy else Verdict.REFUSED

    def _backoff_s(self, attempt: int) -> float:
        ceiling: float = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2**attempt)
        return ceiling * (0.5 + self.chance.random() / 2)


def _bounded_body(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise VenueRefusedError(
                f"{response.url.path}: expected at most {ANSWER_BYTES_MAX} bytes, was more"
            )
        chunks.append(chunk)
    return b"".join(chunks)
