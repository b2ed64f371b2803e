"""Tells which venue wrote a file, by its content and never by its name, and lets that venue's adapter read
it.

XML is a statement of Interactive Brokers. JSON is told apart by the fields of its first rows, an answer about
positions by its list of them: it is read as the venue's statement. A file whose
venue names no account (Kalshi, Kraken) belongs to the account that its folder in the inbox is named after,
else to the account `DEFAULT_ACCOUNT` of that venue.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from adapters.ibkr.read_file import read as read_broker_file
from adapters.ibkr.refusal import FlexRefusedError
from adapters.kalshi.normalize import normalize as normalize_kalshi
from adapters.kalshi.positions_file import read_positions_file as read_kalshi_positions
from adapters.kraken.normalize import normalize as normalize_kraken
from adapters.kraken.positions_file import read_positions_file as read_kraken_positions
from adapters.venue.holdings import no_trade
from adapters.venue.payload import ROW_ERRORS, Refused, dead_letter, decode
from adapters.venue.positions_file import pages_of, statements_of
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
POSITIONS_READERS = {
    "market_positions": (Venue.KALSHI, read_kalshi_positions),
    "openPositions": (Venue.KRAKEN, read_kraken_positions),
}
POSITIONS_NAMES = tuple(f'"{name}"'.encode() for name in POSITIONS_READERS)  # a look that decodes nothing
NORMALIZERS = {Venue.KALSHI: normalize_kalshi, Venue.KRAKEN: normalize_kraken}


class VenueFileReader(FileReader):
    """Reads files of every venue that the desk knows."""

    def read(self, content: bytes, name: str) -> ReadFile:
        """Read a file, or refuse it with the reason."""
        if not content.strip():
            raise FileRefusedError(f"{name}: expected content, was an empty file")
        if any(name in content for name in POSITIONS_NAMES):
            found = _positions_file(content, name)
            if found is not None:
                return found
        venue = _json_venue(content)
        if venue is None:
            return _broker_file(content, name)
        batch = NORMALIZERS[venue](content, account=_account(name), source=Source.BACKFILL, origin=name)
        if batch.rejected and not batch.fills:
            reason = f"{name}: expected fills of {venue}, was: {batch.rejected[0].reason}"
            raise FileRefusedError(reason, batches=(batch,))
        return ReadFile(batches=(batch,), statements=())


def _positions_file(content: bytes, name: str) -> ReadFile | None:
    """An answer about positions as a statement; None for another file that has the word somewhere in it."""
    document = decode(content)
    first = document[0] if isinstance(document, list) and document else document
    reads = [
        POSITIONS_READERS[key] for key in POSITIONS_READERS if isinstance(first, Mapping) and key in first
    ]
    if not reads:
        return None
    venue, read = reads[0]
    try:
        told = read(pages_of(document), _account(name))
    except ROW_ERRORS as error:
        refused = dead_letter(venue, Source.BACKFILL, _account(name), error, first)
        batch = FillBatch(venue=venue, source=Source.BACKFILL, origin=name, rejected=(no_trade(refused),))
        raise FileRefusedError(f"{name}: {error}", batches=(batch,)) from error
    if told.refusal:
        raise FileRefusedError(f"{name}: not all positions of {venue}: {told.refusal}", batches=(told.batch,))
    statements = statements_of(told, content, name)
    return ReadFile(batches=tuple(statement.batch for statement in statements), statements=statements)


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
