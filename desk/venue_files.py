"""Files of a venue as the source files that ingestion takes; a file that cannot be read becomes a refused
row.

Belongs here: which adapter reads which venue's files. Keep out: what is in them.
"""

import os
from pathlib import Path

from adapters.ibkr.read_file import read as read_broker_file
from adapters.ibkr.refusal import FlexRefusedError
from adapters.inbox.reader import NORMALIZERS
from trading.errors import InvalidFieldError
from trading.model.fills import Source, Venue
from trading.services.ingest_fills import SourceFile

FILE_BYTES_MAX = 1 << 30


def read_venue_file(path: Path, venue: Venue, account: str) -> SourceFile:
    """Read one file; `account` names the account of venues that do not say it themselves."""
    check_file(path)
    if venue is Venue.IBKR:
        return _broker_file(path)
    read = NORMALIZERS[venue]
    batch = read(path.read_bytes(), account=account, source=Source.BACKFILL, origin=path.name)
    return SourceFile(name=str(path), batches=(batch,))


def check_file(path: Path) -> None:
    """Refuse what is no file that can be read; looked at before the first of several files is stored."""
    if not path.is_file():
        raise InvalidFieldError("FILE", "a file that exists", str(path))
    if not os.access(path, os.R_OK):
        raise InvalidFieldError("FILE", "a file that can be read", str(path))
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InvalidFieldError(str(path), f"at most {FILE_BYTES_MAX} bytes", path.stat().st_size)


def _broker_file(path: Path) -> SourceFile:
    try:
        found = read_broker_file(path)
    except FlexRefusedError as refusal:
        return SourceFile(name=str(path), batches=(refusal.as_batch(),))
    return SourceFile(name=str(path), batches=found.batches, statements=found.statements)
