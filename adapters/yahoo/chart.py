"""`/v8/finance/chart/^VIX1D`: the newest value in `meta`, the day's minutes beside it.

The interface is public and undocumented: it answers unknown clients with 429, and errors in an object of
their own (`chart.error`, or `finance.error` of the gate before it). A bar is dated by its beginning and
counts at its end, so that no value is older than it says; the bar that is still open is left out, since
`meta` is newer. Minutes without a value are null and are no values. Where the vendor has no bars of the
length that was asked for, it sends longer ones and says so (`dataGranularity`): a day's close would then
stand at its opening, so such bars are refused together, and the newest value counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from adapters.venue.payload import Refused, canonical_text, cut, decode
from adapters.venue.whole_answer import PublicAddress
from trading.errors import InvalidFieldError, shown
from trading.model.market import RefusedRow, VolatilitySource
from trading.model.times import from_epoch
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import IndexQuotes, IndexQuoteSource
from trading.volatility.observation import INDEX, VALUE_MAX, Observation, observed

PATH = "/v8/finance/chart/%5EVIX1D"
SYMBOL = "^VIX1D"
FEED = "volatility"
BARS_MAX = 20_000  # sixty sessions of five minutes are 4,700
PAYLOAD_CHARS_MAX = 500
PLACES_KEPT = 4


@dataclass(frozen=True, slots=True)
class _Span:
    """What is asked for."""

    reach: str
    interval: str
    length: timedelta


TODAY = _Span("1d", "1m", timedelta(minutes=1))
EARLIER = _Span("60d", "5m", timedelta(minutes=5))  # further back there are only days
INTERVALS = {span.length: span.interval for span in (TODAY, EARLIER)}


@dataclass(slots=True)
class YahooChart(IndexQuoteSource):
    """The port."""

    address: PublicAddress

    def today(self) -> IndexQuotes:
        """Ask for the newest value and the day's minutes."""
        return self._asked(TODAY)

    def earlier(self) -> IndexQuotes:
        """Ask for five minutes of sixty days."""
        return self._asked(EARLIER)

    def _asked(self, span: _Span) -> IndexQuotes:
        params = {"interval": span.interval, "range": span.reach, "includePrePost": "false"}
        return read_chart(self.address.get(PATH, params).body, span.length)


def read_chart(body: bytes, length: timedelta) -> IndexQuotes:
    """Read one answer; raises VendorUnavailableError where it is not the chart of the index."""
    document = decode(body)
    if isinstance(document, Refused):
        raise VendorUnavailableError(f"yahoo: {document.reason}")
    result = _result(document)
    meta = _mapping(result.get("meta"), "meta")
    if meta.get("symbol") != SYMBOL:
        raise VendorUnavailableError(f"yahoo: expected {SYMBOL}, was {shown(meta.get('symbol'))}")
    try:
        live = _observation(meta.get("regularMarketTime"), meta.get("regularMarketPrice"), timedelta(0))
    except InvalidFieldError as error:
        raise VendorUnavailableError(f"yahoo: no value: {error}") from error
    told = meta.get("dataGranularity")
    if told is not None and told != INTERVALS.get(length):
        return IndexQuotes(observations=(live,), refused=(_other_bars(told, length, live.at),))
    bars, refused = _bars(result, length, live.at)
    return IndexQuotes(observations=(*bars, live), refused=tuple(refused))


def _result(document: object) -> Mapping[str, object]:
    answer = _mapping(document, "answer")
    gate = answer.get("finance")
    if isinstance(gate, Mapping) and gate.get("error"):
        raise VendorUnavailableError(f"yahoo: refused: {shown(canonical_text(gate['error']))}")
    chart = _mapping(answer.get("chart"), "chart")
    if chart.get("error"):
        raise VendorUnavailableError(f"yahoo: refused: {shown(canonical_text(chart['error']))}")
    results = chart.get("result")
    if not isinstance(results, list) or len(results) != 1:
        raise VendorUnavailableError(f"yahoo: expected one result, was {shown(results)}")
    return _mapping(results[0], "result")


def _bars(
    result: Mapping[str, object], length: timedelta, live_at: datetime
) -> tuple[Sequence[Observation], Sequence[RefusedRow]]:
    stamps, closes = _columns(result)
    found: list[Observation] = []
    refused: list[RefusedRow] = []
    for stamp, close in zip(stamps, closes, strict=True):
        if close is None:
            continue
        try:
            bar = _observation(stamp, close, length)
        except InvalidFieldError as error:
            refused.append(_refused(stamp, close, error, live_at))
            continue
        if bar.at < live_at:
            found.append(bar)
    return sorted(found, key=lambda bar: bar.at), refused


def _columns(result: Mapping[str, object]) -> tuple[Sequence[object], Sequence[object]]:
    """Times and closes; none where the day has no bar yet."""
    stamps = result.get("timestamp") or []
    quotes = _mapping(result.get("indicators") or {}, "indicators").get("quote") or [{}]
    closes = (_mapping(quotes[0], "quote").get("close") if isinstance(quotes, list) else None) or []
    if not isinstance(stamps, list) or not isinstance(closes, list) or len(stamps) != len(closes):
        raise VendorUnavailableError("yahoo: expected as many closes as times")
    if len(stamps) > BARS_MAX:
        raise VendorUnavailableError(f"yahoo: expected at most {BARS_MAX} bars, was {len(stamps)}")
    return stamps, closes


def _observation(stamp: object, price: object, length: timedelta) -> Observation:
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise InvalidFieldError("at", "epoch seconds", stamp)
    return observed(VolatilitySource.YAHOO, from_epoch("at", stamp) + length, _points(price))


def _points(price: object) -> object:
    """Doubles of the vendor's have tails (18.020000457763672); the index has two places."""
    is_number = isinstance(price, Decimal) and price.is_finite() and abs(price) < VALUE_MAX
    return round(price, PLACES_KEPT) if isinstance(price, Decimal) and is_number else price


def _other_bars(told: object, length: timedelta, at: datetime) -> RefusedRow:
    error = InvalidFieldError("dataGranularity", f"bars of {length}", told)
    payload = cut(canonical_text({"dataGranularity": told}), PAYLOAD_CHARS_MAX)
    return RefusedRow(
        symbol=INDEX, feed=FEED, at=at.astimezone(UTC), field=error.field, reason=str(error), payload=payload
    )


def _refused(stamp: object, price: object, error: InvalidFieldError, at: datetime) -> RefusedRow:
    payload = cut(canonical_text({"timestamp": stamp, "close": price}), PAYLOAD_CHARS_MAX)
    return RefusedRow(
        symbol=INDEX, feed=FEED, at=at.astimezone(UTC), field=error.field, reason=str(error), payload=payload
    )


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise VendorUnavailableError(f"yahoo: expected an object as {name}, was {shown(value)}")
    return value
