"""Kraken Futures over REST: all fills since a moment, newest page first.

``GET /derivatives/api/v3/fills`` returns the 100 newest fills, or with ``lastFillTime`` the 100 before
that time. Fills of one millisecond may be cut by a page, so the next page is asked for from one
millisecond later: the overlap repeats fills (which costs nothing, they have ids) instead of losing some.

Signing: ``Authent`` is the base64 of HMAC-SHA512, with the decoded secret, over the SHA-256 of query,
nonce and path without ``/derivatives``. The nonce is the clock in milliseconds, raised by one where two
requests share one.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from adapters.kraken.normalize import normalize
from adapters.venue.asking import Pace, VenueRequests, Verdict
from adapters.venue.payload import JsonObject, Refused, decode
from adapters.venue.readings import VENUE_LAG, covered, distinct
from trading.errors import ConfigurationError
from trading.model.fills import FillBatch, Source, Venue
from trading.model.times import aware_utc
from trading.ports.clock import Clock

BASE_URL = "https://futures.kraken.com"
FILLS_PATH = "/derivatives/api/v3/fills"
SIGNED_PREFIX = "/derivatives"
PAGE_ROWS = 100  # of the venue
PAGES_MAX = 1_000  # of one call: 100,000 fills
INTERVAL_S = 0.1  # the venue's budget is 500 cost units in 10 s, and fills cost 2 (25 with lastFillTime)
NO_PARAMS: Mapping[str, str] = MappingProxyType({})
BUSY_WORDS = ("apiLimitExceeded", "Unavailable", "Server Error", "marketUnavailable")


class Page(NamedTuple):
    """One answer, and the moment of its oldest fill."""

    batch: FillBatch
    oldest: datetime | None


@dataclass(slots=True)
class KrakenFills:
    """Reads the fills of one account; `secret` is the private key as the venue prints it, in base64."""

    account: str
    api_key: str
    secret: str = field(repr=False)
    clock: Clock
    requests: VenueRequests
    _nonce: int = 0

    def fills_since(self, since: datetime) -> FillBatch:
        """All fills from `since` to now, as one batch.

        Its coverage says so only if every page was read and understood. Raises VenueRefusedError or
        VenueUnavailableError; what was read before is then asked for again, which is free of harm.
        """
        start, told_until = aware_utc("since", since), self.clock.now() - VENUE_LAG
        pages: list[FillBatch] = []
        before: datetime | None = None
        complete = False
        while len(pages) < PAGES_MAX and not complete:
            page = self._page(before)
            pages.append(page.batch)
            if any(row.field == "file" for row in page.batch.rejected):
                break
            complete = page.batch.total_rows < PAGE_ROWS or (page.oldest is not None and page.oldest < start)
            following = page.oldest and page.oldest + timedelta(milliseconds=1)
            if not complete and (following is None or (before is not None and following >= before)):
                break  # a whole page in one millisecond, or without times: nothing to page on
            before = following
        return self._merged(pages, start, told_until if complete else None)

    def get(self, path: str, params: Mapping[str, str] = NO_PARAMS) -> bytes:
        """One signed question about the account; raises VenueRefusedError or VenueUnavailableError."""
        return self.requests.get(path, params, lambda query: self._headers(path, query))

    def _page(self, before: datetime | None) -> Page:
        params = {} if before is None else {"lastFillTime": _iso_ms(before)}
        body = self.get(FILLS_PATH, params)
        batch = normalize(body, account=self.account, source=Source.BACKFILL, origin=FILLS_PATH)
        return Page(batch, min((fill.fill_ts for fill in batch.fills), default=None))

    def _merged(self, pages: list[FillBatch], start: datetime, told_until: datetime | None) -> FillBatch:
        fills = {fill.fill_id: fill for page in pages for fill in page.fills if fill.fill_ts >= start}
        fees = {fee.fill_id: fee for page in pages for fee in page.commissions if fee.fill_id in fills}
        coverage, note = covered(Venue.KRAKEN, self.account, Source.BACKFILL, start, told_until)
        return FillBatch(
            venue=Venue.KRAKEN,
            source=Source.BACKFILL,
            origin=FILLS_PATH,
            fills=tuple(fills.values()),
            commissions=tuple(fees.values()),
            rejected=distinct(row for page in pages for row in page.rejected),
            coverage=coverage,
            warnings=(*(warning for page in pages for warning in page.warnings), *note),
        )

    def _headers(self, path: str, query: str) -> Mapping[str, str]:
        self._nonce = max(int(self.clock.now().timestamp() * 1000), self._nonce + 1)
        nonce = str(self._nonce)
        signature = authent(self.secret, query, nonce, path)
        return {"APIKey": self.api_key, "Nonce": nonce, "Authent": signature}


def kraken_requests(base_url: str = BASE_URL) -> VenueRequests:
    """Requests paced and judged as this venue needs it."""
    return VenueRequests("kraken", base_url, Pace(INTERVAL_S), judge=judge)


def authent(secret: str, query: str, nonce: str, path: str) -> str:
    """The ``Authent`` header; raises ConfigurationError, without showing it, for a secret not in base64."""
    try:
        key = base64.b64decode(secret, validate=True)
    except ValueError as cause:
        raise ConfigurationError("kraken secret: expected base64, was something else") from cause
    digest = hashlib.sha256((query + nonce + path.removeprefix(SIGNED_PREFIX)).encode()).digest()
    return base64.b64encode(hmac.new(key, digest, hashlib.sha512).digest()).decode()


def _iso_ms(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def judge(body: bytes) -> Verdict:
    """Kraken says errors with status 200: some pass (limits, maintenance), the others stay."""
    document = decode(body)
    if isinstance(document, Refused):
        return Verdict.BUSY
    if not isinstance(document, JsonObject) or document.get("result") != "error":
        return Verdict.GOOD
    said = str(document.get("error") or document.get("errors") or "")
    return Verdict.BUSY if any(word in said for word in BUSY_WORDS) else Verdict.REFUSED
