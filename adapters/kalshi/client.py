"""Kalshi over REST: all fills in a span of time, by cursor, from the live and the historical endpoint.

Old fills move from ``/portfolio/fills`` to ``/historical/fills`` at a time only the venue knows, so both
are asked and a fill that both tell counts once. The cursor ends when it is empty; one that repeats is a
fault of the venue and ends the reading without coverage.

Signing: RSA-PSS with SHA-256, salt as long as the digest, over milliseconds, method and path without
query, in base64.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.kalshi.normalize import normalize
from adapters.venue.asking import Pace, VenueRequests, Verdict
from adapters.venue.payload import JsonObject, Refused, decode
from adapters.venue.readings import VENUE_LAG, covered, distinct
from trading.errors import ConfigurationError
from trading.model.fills import FillBatch, Source, Venue
from trading.model.times import aware_utc
from trading.ports.clock import Clock

BASE_URL = "https://external-api.kalshi.com"
API_PREFIX = "/trade-api/v2"
FILLS_PATHS = (f"{API_PREFIX}/portfolio/fills", f"{API_PREFIX}/historical/fills")
SETTLEMENTS_PATHS = (f"{API_PREFIX}/portfolio/settlements",)
PAGE_ROWS = 200  # of the venue's maximum 1,000: small answers fail seldom
PAGES_MAX = 1_000  # of one endpoint and call: 200,000 fills
INTERVAL_S = 0.06  # the basic tier reads 20 times a second

Signer = Callable[[bytes], bytes]


@dataclass(slots=True)
class KalshiFills:
    """Reads the fills of one account; `sign` makes an RSA-PSS signature (see `rsa_signer`)."""

    account: str
    key_id: str
    sign: Signer = field(repr=False)
    clock: Clock
    requests: VenueRequests

    def fills_between(self, start: datetime, end: datetime) -> FillBatch:
        """All fills from `start` to before `end`, as one batch.

        Its coverage says so only if every page of both endpoints was read and understood. Raises
        VenueRefusedError or VenueUnavailableError; what was read before is then asked for again, which
        is free of harm.
        """
        return self._read(FILLS_PATHS, start, end)

    def settlements_between(self, start: datetime, end: datetime) -> FillBatch:
        """The bookings of all markets that ended in the span; it claims no coverage, which is about fills."""
        return replace(self._read(SETTLEMENTS_PATHS, start, end), coverage=())

    def get(self, path: str, params: Mapping[str, str]) -> bytes:
        """One signed question about the account; raises VenueRefusedError or VenueUnavailableError."""
        return self.requests.get(path, params, lambda _query: self._headers(path))

    def _read(self, paths: tuple[str, ...], start: datetime, end: datetime) -> FillBatch:
        first, last = aware_utc("start", start), aware_utc("end", end)
        told_until = min(last, self.clock.now() - VENUE_LAG)
        pages: list[FillBatch] = []
        complete = [self._walk(path, first, last, pages) for path in paths]
        return self._merged(pages, first, last, told_until if all(complete) else None)

    def _walk(self, path: str, start: datetime, end: datetime, pages: list[FillBatch]) -> bool:
        # "After" and "before" by the venue's words: a second more on both sides, and ours are picked below.
        span = {"min_ts": str(int(start.timestamp()) - 1), "max_ts": str(int(end.timestamp()) + 1)}
        cursor, seen = "", {""}
        for _ in range(PAGES_MAX):
            params = {**span, "limit": str(PAGE_ROWS), **({"cursor": cursor} if cursor else {})}
            body = self.get(path, params)
            batch = normalize(body, account=self.account, source=Source.BACKFILL, origin=path)
            pages.append(batch)
            if any(row.field == "file" for row in batch.rejected):
                return False
            cursor = next_cursor(body)
            if not cursor:
                return True
            if cursor in seen:
                return False
            seen.add(cursor)
        return False

    def _merged(
        self,
        pages: list[FillBatch],
        start: datetime,
        end: datetime,
        told_until: datetime | None,
    ) -> FillBatch:
        fills = {
            (fill.account, fill.fill_id): fill
            for page in pages
            for fill in page.fills
            if start <= fill.fill_ts < end
        }
        fees = {
            (fee.account, fee.fill_id): fee
            for page in pages
            for fee in page.commissions
            if (fee.account, fee.fill_id) in fills
        }
        coverage, note = covered(Venue.KALSHI, self.account, Source.BACKFILL, start, told_until)
        return FillBatch(
            venue=Venue.KALSHI,
            source=Source.BACKFILL,
            origin=FILLS_PATHS[0],
            fills=tuple(fills.values()),
            commissions=tuple(fees.values()),
            rejected=distinct(row for page in pages for row in page.rejected),
            coverage=coverage,
            warnings=(*(warning for page in pages for warning in page.warnings), *note),
        )

    def _headers(self, path: str) -> Mapping[str, str]:
        stamp = str(int(self.clock.now().timestamp() * 1000))
        signature = self.sign(f"{stamp}GET{path}".encode())
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }


def kalshi_requests(base_url: str = BASE_URL) -> VenueRequests:
    """Requests paced and judged as this venue needs it."""
    return VenueRequests("kalshi", base_url, Pace(INTERVAL_S), judge=judge)


def judge(body: bytes) -> Verdict:
    """Kalshi says errors in the status; a body that is no JSON is a page of something in between."""
    return Verdict.BUSY if isinstance(decode(body), Refused) else Verdict.GOOD


def next_cursor(body: bytes) -> str:
    """The cursor of a page; empty at the end, and for what has none."""
    document = decode(body)
    cursor = document.get("cursor") if isinstance(document, JsonObject) else None
    return cursor if isinstance(cursor, str) else ""


def rsa_signer(private_key_pem: bytes) -> Signer:
    """Make a signer of a PEM key; raises ConfigurationError for what is no RSA key, without showing it."""
    from cryptography.hazmat.primitives import (  # 0.1 s to import; only live accounts sign
        hashes,
        serialization,
    )
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        key = serialization.load_pem_private_key(private_key_pem, password=None)
    except (ValueError, TypeError) as cause:
        raise ConfigurationError("kalshi key: expected an RSA key in PEM, was something else") from cause
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError("kalshi key: expected an RSA private key, was another kind")
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    return lambda message: key.sign(message, scheme, hashes.SHA256())
