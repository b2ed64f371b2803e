"""The broker's Flex Web Service: a statement is asked for, made, and fetched, in two steps over HTTPS.

SendRequest answers with a reference and the address to ask next; GetStatement answers "being generated" until
the statement is there. Three things would cost money or worse, hence this shape:

- The token opens the account's statements. It stands in the query of every request, so it goes only to https
  and hosts of the settings (a stub: to the loopback address that is configured), whatever an answer names;
  redirects are not followed; and no error and no line of a log carries it, the library's own included.
- Half a statement looks like a day with fewer trades. A body counts after its last byte and its last element.
- The service locks out who asks too often (ten requests a minute for each token): every request waits for its
  turn, every repetition is bounded and jittered, and what only a person can mend is not asked again.
"""

import logging
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx

from adapters.ibkr.flex_answer import (
    BrokenAnswerError,
    Envelope,
    WrongQueryError,
    is_envelope,
    read_envelope,
    read_statement,
)
from adapters.ibkr.flex_codes import Advice, meaning_of
from adapters.venue.asking import Pace
from adapters.venue.retry_after import retry_after_s
from adapters.venue.safe_address import LOOPBACK, shown_place
from adapters.venue.whole_time import WholeTime, bound
from trading.errors import ConfigurationError, shown
from trading.ports.statement_source import (
    FetchedStatement,
    StatementQuery,
    StatementRefusedError,
    StatementSource,
    StatementUnavailableError,
)
from trading.settings import FlexSettings

HEADERS = {"User-Agent": "Python/3 trading-desk"}  # the service refuses requests without one
VERSION = "3"
SEND_REQUEST, GET_STATEMENT = "SendRequest", "GetStatement"
BACKOFF_MAX_S = 60.0
RETRY_AFTER_MAX_S = 300.0  # a service that asks for more is unavailable
ANSWER_SECONDS_MAX = 600.0  # of one answer, however its headers or its body drip
HTTP_OK, HTTP_REDIRECTS, HTTP_CLIENT_ERRORS, HTTP_SERVER_ERRORS = 200, 300, 400, 500
HTTP_BUSY = frozenset({408, 425, 429})
HIDDEN = "(hidden)"

Found = TypeVar("Found")


class _TryAgainError(Exception):
    """This try failed, another may not; `wait_s` is what the service asks for."""

    def __init__(self, why: str, *, wait_s: float | None = None, is_polling: bool = False) -> None:
        self.wait_s = wait_s
        self.is_polling = is_polling
        super().__init__(why)


@dataclass(slots=True)
class FlexWebService(StatementSource):
    """Fetches statements by a token and query ids. `chance`, `sleep` and `pace` are handed in by tests."""

    settings: FlexSettings
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    pace: Pace | None = None
    _whole_time: WholeTime = field(default_factory=WholeTime)

    def __post_init__(self) -> None:
        """Refuse an address that would show the token to others."""
        self.pace = self.pace or Pace(self.settings.request_interval_ms / 1000)
        if self._refusal_of(self.settings.base_url):
            raise ConfigurationError(
                "flex.base_url: expected https and a host of flex.hosts, or http on loopback, was "
                f"{shown_place(self.settings.base_url)}"
            )

    def configured(self) -> Collection[StatementQuery]:
        """Return the queries that have an id, if there is a token."""
        ids = self._query_ids().items() if self.settings.token else ()
        return tuple(query for query, query_id in ids if query_id)

    def fetch(self, query: StatementQuery) -> FetchedStatement:
        """Have the statement made, wait for it, return it whole; both steps within their bounds."""
        query_id = self._query_ids()[query]
        if not query_id or not self.settings.token:
            raise ConfigurationError(f"flex: expected IBKR_FLEX_TOKEN and IBKR_FLEX_{query.upper()}_QUERY")
        with self._client() as client:
            step = f"{self.settings.base_url.rstrip('/')}/{SEND_REQUEST}"
            asked = self._repeated(SEND_REQUEST, query, lambda: self._request(client, step, query_id))
            where = asked.url or step.removesuffix(SEND_REQUEST) + GET_STATEMENT
            if refusal := self._refusal_of(where):
                raise StatementRefusedError(f"flex {query}: the service names an address that is {refusal}")
            return self._repeated(
                GET_STATEMENT, query, lambda: self._statement(client, where, asked.reference, query)
            )

    def _repeated(self, step: str, query: StatementQuery, attempt: Callable[[], Found]) -> Found:
        """Try within two bounds: failures, and polls of a statement that is being made."""
        failures = polls = 0
        why = ""
        for _ in range(self.settings.attempts_max + self.settings.polls_max):
            try:
                return attempt()
            except _TryAgainError as reason:
                polls, failures = polls + reason.is_polling, failures + (not reason.is_polling)
                why, wait_s = str(reason), reason.wait_s
            if failures >= self.settings.attempts_max or polls >= self.settings.polls_max:
                break
            if (wait_s or 0) > RETRY_AFTER_MAX_S:
                break
            self.sleep(self._backoff_s(failures + polls) if wait_s is None else wait_s)
        tries = failures + polls
        raise StatementUnavailableError(f"flex {query} {step}: nothing in {tries} tries, last {why}")

    def _request(self, client: httpx.Client, address: str, query_id: str) -> Envelope:
        body = self._asked(client, address, query_id)
        try:
            if not is_envelope(body):
                raise BrokenAnswerError("expected a reference, was a statement")
            envelope = read_envelope(body)
        except BrokenAnswerError as cause:
            raise _TryAgainError(self._clean(str(cause))) from None
        self._judge(envelope)
        return envelope

    def _statement(
        self, client: httpx.Client, address: str, reference: str, query: StatementQuery
    ) -> FetchedStatement:
        body = self._asked(client, address, reference)
        try:
            if is_envelope(body):
                self._judge(read_envelope(body))
                raise BrokenAnswerError("expected a statement, was another reference")
            return read_statement(query, body)
        except BrokenAnswerError as cause:
            raise _TryAgainError(self._clean(str(cause))) from None
        except WrongQueryError as cause:
            wanted = f"IBKR_FLEX_{query.upper()}_QUERY"
            reason = f"{wanted} is the id of another query: {cause}"
            raise StatementRefusedError(f"flex {query}: {reason}") from None

    def _judge(self, envelope: Envelope) -> None:
        """Turn an error code into what to do about it; success passes."""
        if not envelope.code:
            return
        meaning = meaning_of(envelope.code)
        told = f"code {envelope.code}, {meaning.words} ({self._clean(shown(envelope.message))})"
        if meaning.advice is Advice.FINAL:
            hint = f"; {meaning.hint}" if meaning.hint else ""
            raise StatementRefusedError(f"flex: refused with {told}{hint}")
        is_polling = meaning.advice is Advice.POLL
        raise _TryAgainError(told, wait_s=meaning.wait_s, is_polling=is_polling)

    def _asked(self, client: httpx.Client, address: str, what: str) -> bytes:
        """One request in its turn; the body of a good answer, whole."""
        assert self.pace is not None
        self.pace.wait()
        self._whole_time.begin(ANSWER_SECONDS_MAX)
        params = {"t": self.settings.token or "", "q": what, "v": VERSION}
        try:
            with client.stream("GET", address, params=params) as answer:
                self._check_status(answer)
                return self._body(answer)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as cause:
            # No cause is chained: what the library says of a request may hold its address, and so the token.
            why = self._clean(f"{type(cause).__name__}: {cause}")
        raise _TryAgainError(why)

    def _check_status(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in HTTP_BUSY or status >= HTTP_SERVER_ERRORS:
            raise _TryAgainError(f"status {status}", wait_s=retry_after_s(answer.headers))
        if HTTP_REDIRECTS <= status < HTTP_CLIENT_ERRORS:
            raise StatementRefusedError(f"flex: no redirect is followed with the token (status {status})")
        if status != HTTP_OK:
            raise StatementRefusedError(f"flex: refused with status {status}")

    def _body(self, answer: httpx.Response) -> bytes:
        limit, chunks, size = self.settings.statement_bytes_max, [], 0
        until = self.monotonic() + ANSWER_SECONDS_MAX
        for chunk in answer.iter_bytes():
            if self.monotonic() > until:
                raise _TryAgainError(f"expected a whole answer within {ANSWER_SECONDS_MAX} s")
            size += len(chunk)
            if size > limit:
                raise StatementRefusedError(f"flex: expected at most {limit} bytes (statement_bytes_max)")
            chunks.append(chunk)
        return b"".join(chunks)

    def _refusal_of(self, address: str) -> str:
        """Why the token must not go to an address; empty where it may."""
        try:
            asked, base = urlsplit(address), urlsplit(self.settings.base_url)
            same_place = (asked.scheme, asked.hostname, asked.port) == (base.scheme, base.hostname, base.port)
        except ValueError:
            return "malformed"
        if asked.username or asked.password:
            return "not plain"
        if asked.scheme == "http":
            return "" if same_place and asked.hostname in LOOPBACK else "not https"
        if asked.scheme != "https":
            return "not https"
        return "" if asked.hostname in self.settings.hosts.split() else "not at a host of flex.hosts"

    def _backoff_s(self, tries: int) -> float:
        ceiling: float = min(BACKOFF_MAX_S, self.settings.backoff_first_ms / 1000 * 2 ** (tries - 1))
        return ceiling * (0.5 + self.chance.random() / 2)

    def _query_ids(self) -> Mapping[StatementQuery, str | None]:
        return {
            StatementQuery.ACTIVITY: self.settings.activity_query,
            StatementQuery.CONFIRMATION: self.settings.confirmation_query,
        }

    def _clean(self, text: str) -> str:
        """A text of somebody else without our secrets."""
        for secret in (self.settings.token, *self._query_ids().values()):
            for form in {secret, quote(secret, safe="")} if secret else ():
                text = text.replace(form, HIDDEN)
        return text

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        timeout = httpx.Timeout(self.settings.answer_timeout_s, connect=self.settings.connect_timeout_s)
        with (
            _silenced_library(),
            httpx.Client(timeout=timeout, headers=HEADERS, follow_redirects=False) as client,
        ):
            bound(client, self._whole_time)
            yield client


class _Nothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


@contextmanager
def _silenced_library() -> Iterator[None]:
    """The library logs the address of every request, which carries the token: not while we ask."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore.http11", "httpcore.connection")]
    nothing = _Nothing()
    for each in loggers:
        each.addFilter(nothing)
    try:
        yield
    finally:
        for each in loggers:
            each.removeFilter(nothing)
