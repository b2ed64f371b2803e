"""Tells which venue wrote a file, by its content and never by its name, and lets that venue's adapter read
it.

XML is a statement of Interactive Brokers. JSON is told apart by the fields of its first fill. A file whose
venue names no account (Kalshi, Kraken) belongs to the account that its folder in the inbox is named after,
else to the account `DEFAULT_ACCOUNT` of that venue.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath

from adapters.ibkr.read_file import read as read_broker_file
from adapters.kalshi.normalize import normalize as normalize_kalshi
from adapters.kraken.normalize import normalize as normalize_kraken
from adapters.venue.payload import Refused, decode
from trading.model.fills import FillBatch, Source, Venue
from trading.ports.inbox import FileReader, FileRefusedError, ReadFile

DEFAULT_ACCOUNT = "main"
KRAKEN_FIELDS = frozenset({"fillTime", "fillType", "fill_type", "taker_order_type"})
KRAKEN_ENVELOPE = frozenset({"feed", "serverTime"})
KALSHI_FIELDS = frozenset({"ticker", "market_ticker", "yes_price", "yes_price_dollars", "count_fp"})
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
            raise FileRefusedError(f"{name}: expected fills of {venue}, was: {batch.rejected[0].reason}")
        return ReadFile(batches=(batch,), statements=())


def _broker_file(content: bytes, name: str) -> ReadFile:
    found = read_broker_file(content, name)
    without_rows = not found.statements and not any(map(_has_rows, found.batches))
    if without_rows:
        raise FileRefusedError(f"{name}: expected a statement or an export of a venue, was neither")
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
    row = _first_row(document)
    if isinstance(document, Mapping) and KRAKEN_ENVELOPE & document.keys() and "fills" in document:
        return Venue.KRAKEN
    if KRAKEN_FIELDS & row.keys():
        return Venue.KRAKEN
    return Venue.KALSHI if KALSHI_FIELDS & row.keys() else None


def _first_row(document: object) -> Mapping[str, object]:
    if isinstance(document, Mapping):
        rows = document.get("fills", document.get("msg", document))
        return _first_row(rows) if rows is not document else document
    if isinstance(document, list) and document:
        return _first_row(document[0])
    return {}


def _account(name: str) -> str:
    folders = PurePosixPath(name).parts[:-1]
    return folders[-1] if folders else DEFAULT_ACCOUNT
