"""Tells which venue wrote a file, by its content and never by its name, and lets that venue's adapter read
it.

XML is a statement of Interactive Brokers. JSON is told apart by the fields of its first rows. A file whose
venue names no account (Kalshi, Kraken) belongs to the account that its folder in the inbox is named after,
else to the account `DEFAULT_ACCOUNT` of that venue.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from adapters.ibkr.read_file import read as read_broker_file
from adapters.ibkr.refusal import FlexRefusedError
from adapters.kalshi.normalize import normalize as normalize_kalshi
from adapters.kraken.normalize import normalize as normalize_kraken
from adapters.venue.payload import Refused, decode
from trading.model.fills import FillBatch, Source, Venue
from trading.ports.inbox import FileReader, FileRefusedError, ReadFile

DEFAULT_ACCOUNT = "main"
KRAKEN_FIELDS = frozenset({"fillTime", "fillType", "fill_type", "taker_order_type"})
KRAKEN_ENVELOPE = frozenset({"feed", "serverTime"})
KALSHI_FIELDS = frozenset({"ticker", "market_ticker", "yes_price", "yes_price_dollars", "count_fp"})
KALSHI_EMPTY_PAGE = frozenset({"fills", "cursor"})
ENVELOPES = frozenset({"fills", "settlements", "msg"})
ROWS_LOOKED_AT = 100  # from the start of a list, until the venue is known
LEVELS_MAX = 4  # a list of envelopes with a list of rows
NORMALIZERS = {Venue.KALSHI: normalize_kalshi, Venue.KRAKEN: normalize_kraken}


class VenueFileReader(FileReader):
    """Reads files of every venue that the desk knows."""

    def read(self, content: bytes, name: str) -> ReadFile:
        """Read a file, or refuse it with the reason."""
        if not content.strip():
            raise FileRefusedError(f"{name}: expected content, was an empty file")
        venue = _json_venue(content)
        if venue is None:
            return _broker_file(content, name)
        batch = NORMALIZERS[venue](content, account=_account(name), source=Source.BACKFILL, origin=name)
        if batch.rejected and not batch.fills:
            reason = f"{name}: expected fills of {venue}, was: {batch.rejected[0].reason}"
            raise FileRefusedError(reason, batches=(batch,))
        return ReadFile(batches=(batch,), statements=())


def _broker_file(content: bytes, name: str) -> ReadFile:
    try:
        found = read_broker_file(content, name)
    except FlexRefusedError as refusal:
        raise FileRefusedError(str(refusal), batches=(refusal.as_batch(),)) from refusal
    without_rows = not found.statements and not any(map(_has_rows, found.batches))
    if without_rows:
        refused = tuple(batch for batch in found.batches if batch.rejected)
        reason = f"{name}: expected a statement or an export of a venue, was neither"
        raise FileRefusedError(reason, batches=refused)
    return ReadFile(batches=found.batches, statements=found.statements)


def _has_rows(batch: FillBatch) -> bool:
    return bool(batch.fills or batch.commissions)


def _json_venue(content: bytes) -> Venue | None:
    """The venue of a JSON document by its fields; None where it is no JSON document or another venue's."""
    if content.lstrip()[:1] not in (b"{", b"["):
        return None
    document = decode(content)
    if isinstance(document, Refused):
        return None
    names = frozenset(_names(document))
    if {"fills"} < names and KRAKEN_ENVELOPE & names:
        return Venue.KRAKEN
    if KRAKEN_FIELDS & names:
        return Venue.KRAKEN
    return Venue.KALSHI if KALSHI_FIELDS & names or names == KALSHI_EMPTY_PAGE else None


def _names(document: object, levels: int = LEVELS_MAX) -> Iterator[str]:
    """Names of the fields in an envelope and in its first rows: one broken row does not hide the others."""
    if isinstance(document, Mapping):
        yield from document
        for key in ENVELOPES & document.keys():
            yield from _names(document[key], levels - 1)
    elif isinstance(document, list) and levels > 0:
        for row in document[:ROWS_LOOKED_AT]:
            yield from _names(row, levels - 1)


def _account(name: str) -> str:
    folders = PurePosixPath(name).parts[:-1]
    return folders[-1] if folders else DEFAULT_ACCOUNT
