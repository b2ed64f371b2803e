"""Reading the file `VIX1D_History.csv`: DATE,OPEN,HIGH,LOW,CLOSE with dates as mm/dd/yyyy, padded or not.

A file counts whole or not at all: its header, its last line's end, and no fewer sessions than before. Half a
file reads like a shorter history, and an error page like none. Columns are found by their names, others
beside them are left aside; a last line without an end counts where its last number has all places of the
others, which a cut one has not. A row in a whole file that is wrong (no date, no session, no number, a low
above a high, a day twice) is refused by name and the others count. Today's row is taken only once the index's
day is over.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from trading.calendar import is_session
from trading.errors import InvalidFieldError
from trading.model.market import RefusedRow, VolatilitySource
from trading.model.times import NEW_YORK
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory, DailyValue
from trading.volatility.observation import INDEX, observed
from trading.volatility.same_time import index_close

HEADER = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
FEED = "volatility_history"
DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
ROWS_MAX = 20_000
REFUSED_SHARE_MAX = 0.1  # a file with more wrong rows than that is another file
EPOCH = datetime(1990, 1, 1, tzinfo=UTC)


def read_daily_csv(file: DailyFile, until: datetime) -> DailyHistory:
    """Read a file as it was at `until`; raises VendorUnavailableError where it is another one, or not all."""
    columns, lines = _whole_lines(file.body)
    found: dict[date, DailyValue] = {}
    refused: list[RefusedRow] = []
    for line in lines:
        try:
            row = _value(_cells(columns, line), until)
            if row.session in found:
                raise InvalidFieldError("DATE", "each day once", row.session)
            found[row.session] = row
        except InvalidFieldError as error:
            refused.append(_refused(line, error, until))
    if not found or len(refused) > max(1, REFUSED_SHARE_MAX * len(lines)):
        raise _broken(f"{len(refused)} of {len(lines)} rows cannot be read")
    values = tuple(found[session] for session in sorted(found))
    return DailyHistory(file=file, values=values, refused=tuple(refused))


def _whole_lines(body: bytes) -> tuple[Sequence[str], Sequence[str]]:
    """The names of the columns, and the rows."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken("not a text") from error
    header, *lines = text.splitlines() or [""]
    columns = [name.strip().upper() for name in header.split(",")]
    if any(columns.count(name) != 1 for name in HEADER):
        raise _broken(f"expected the header {','.join(HEADER)}, was {header[:60]!r}")
    if not text.endswith("\n") and not _is_whole(columns, (lines or [header])[-1]):
        raise _broken("its last line has no end")
    if len(lines) > ROWS_MAX:
        raise _broken(f"expected at most {ROWS_MAX} rows, was {len(lines)}")
    return columns, [line for line in lines if line.strip()]


def _is_whole(columns: Sequence[str], line: str) -> bool:
    """Whether nothing is missing of a line without an end: its last number has all places of the others."""
    cells = line.split(",")
    if len(cells) != len(columns) or columns[-1] not in HEADER[1:]:
        return False
    told = zip(columns, cells, strict=True)
    places = {len(cell.partition(".")[2]) for name, cell in told if name in HEADER[1:]}
    return len(places) == 1 and places != {0}


def _cells(columns: Sequence[str], line: str) -> Mapping[str, str]:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != len(columns):
        raise InvalidFieldError("row", f"{len(columns)} cells", len(cells))
    return dict(zip(columns, cells, strict=True))


def _value(cells: Mapping[str, str], until: datetime) -> DailyValue:
    session = _session(cells["DATE"])
    if index_close(session) > until:
        raise InvalidFieldError("DATE", f"a session that is over at {until:%Y-%m-%d %H:%M} UTC", session)
    prices = _prices({name: cells[name] for name in HEADER[1:]}, index_close(session))
    opened, high, low, closed = (prices[name] for name in HEADER[1:])
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise InvalidFieldError("HIGH", "low <= open, close <= high", [cells[name] for name in HEADER[1:]])
    return DailyValue(session=session, opened=opened, high=high, low=low, closed=closed)


def _session(text: str) -> date:
    match = DAY.fullmatch(text)
    try:
        day = date(int(match[3]), int(match[1]), int(match[2])) if match else None
        if day is not None and is_session(day):
            return day
    except ValueError:
        pass
    raise InvalidFieldError("DATE", "a session as mm/dd/yyyy", text)


def _prices(cells: Mapping[str, str], at: datetime) -> Mapping[str, Decimal]:
    prices = {}
    for name, text in cells.items():
        try:
            prices[name] = observed(VolatilitySource.CBOE_HISTORY, at, text).value
        except InvalidFieldError as error:
            raise InvalidFieldError(name, error.expected, text) from error
    return prices


def _refused(line: str, error: InvalidFieldError, until: datetime) -> RefusedRow:
    """Dated by the row's own day where it has one, so that the same row is the same refusal every day."""
    match = DAY.match(line.strip())
    try:
        at = datetime(int(match[3]), int(match[1]), int(match[2]), tzinfo=NEW_YORK) if match else EPOCH
    except ValueError:
        at = EPOCH
    return RefusedRow(
        symbol=INDEX,
        feed=FEED,
        at=at.astimezone(UTC) if EPOCH <= at <= until else EPOCH,
        field=error.field,
        reason=str(error),
        payload=line[:500],
    )


def _broken(why: str) -> VendorUnavailableError:
    return VendorUnavailableError(f"cboe: the daily history is refused whole: {why}")
