"""The exchange's file of the index: real-shaped lines, whatever a broken file holds, and each wrong row."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cboe.daily_csv import read_daily_csv
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory

LINES = """\
DATE,OPEN,HIGH,LOW,CLOSE
11/06/2026,15.430000,16.020000,14.110000,14.250000
11/09/2026,14.900000,15.700000,13.980000,15.120000
11/10/2026,15.010000,19.440000,14.870000,18.930000
11/11/2026,18.500000,18.770000,15.200000,15.330000
11/12/2026,15.600000,17.000000,15.120000,16.480000
11/13/2026,16.100000,16.900000,14.000000,14.020000
11/16/2026,14.900000,15.500000,13.700000,13.990000
11/17/2026,14.200000,14.930000,13.010000,14.440000
11/18/2026,14.600000,16.220000,14.100000,16.010000
11/19/2026,16.300000,17.480000,15.000000,15.020000
"""
FRIDAY_MORNING = datetime(2026, 11, 20, 15, tzinfo=UTC)


def read(text: str | bytes, until: datetime = FRIDAY_MORNING) -> DailyHistory:
    """Read a file."""
    return read_daily_csv(DailyFile(body=text if isinstance(text, bytes) else text.encode()), until)


def with_line(line: str) -> str:
    """The file with one line more."""
    return f"{LINES}{line}\n"


@pytest.mark.parametrize("text", [LINES, LINES.replace("\n", "\r\n"), "\ufeff" + LINES, LINES + "\n\n"])
def test_a_whole_file_is_read_oldest_first(text: str) -> None:
    """Either line end, a mark before it, empty lines after it: ten sessions and exact numbers."""
    history = read(text)
    assert [value.session.day for value in history.values] == [6, 9, 10, 11, 12, 13, 16, 17, 18, 19]
    assert history.values[-1].closed == Decimal("15.02")
    assert history.refused == ()


@pytest.mark.parametrize(
    "text",
    [
        LINES.replace("2026,", "2026,7,").replace("DATE,", "DATE,VOLUME,"),
        LINES.replace("DATE,OPEN,HIGH,LOW,CLOSE", "Date, Open, High, Low, Close"),
        LINES.replace("11/06", "11/6").replace("11/09", "11/9"),
        LINES[:-1],
    ],
    ids=["a column more", "another case", "days without zeros", "no end at the end"],
)
def test_what_is_surely_the_same_file_is_read(text: str) -> None:
    """Columns by name, a day without its zero, a last line whose last number has all its places."""
    assert read(text).values == read(LINES).values
    assert read(text).refused == ()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("11/20/2026,16,17,15,15", "DATE"),  # today's index is not over at ten in the morning
        ("11/21/2026,16,17,15,15", "DATE"),  # a Saturday
        ("13/01/2026,16,17,15,15", "DATE"),
        ("2026-11-05,16,17,15,15", "DATE"),
        ("11/05/26,16,17,15,15", "DATE"),
        ("11/19/2026,16,17,15,15", "DATE"),  # a second time
        ("11/05/2026,16,17,15", "row"),
        ("11/05/2026,16,17,15,15,1", "row"),
        ("11/05/2026,,17,15,15", "OPEN"),
        ("11/05/2026,16,1e9,15,15", "HIGH"),
        ("11/05/2026,16,17,0,15", "LOW"),
        ("11/05/2026,16,17,15,-15", "CLOSE"),
        ("11/05/2026,16,17,15,NaN", "CLOSE"),
        ("11/05/2026,16,15.5,15,15", "HIGH"),
        ("11/05/2026,16,17,15.5,15", "HIGH"),
        ("nothing", "row"),
    ],
)
def test_a_wrong_row_is_named_and_the_others_count(line: str, field: str) -> None:
    """Which field, what was expected, the line as it came."""
    history = read(with_line(line))
    assert len(history.values) == 10
    (refused,) = history.refused
    assert (refused.field, refused.payload) == (field, line)
    assert read(with_line(line)).refused == (refused,)


def test_todays_row_counts_when_the_index_is_over() -> None:
    """A quarter past four, and on a half day a quarter past one."""
    text = with_line("11/20/2026,16,17,15,15")
    assert len(read(text, datetime(2026, 11, 20, 21, 15, tzinfo=UTC)).values) == 11
    assert len(read(text, datetime(2026, 11, 20, 21, 14, 59, tzinfo=UTC)).values) == 10
    half = with_line("11/27/2026,16,17,15,15")
    assert read(half, datetime(2026, 11, 27, 18, 15, tzinfo=UTC)).values[-1].session == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected the header"),
        ("<html><body>Access denied</body></html>\n", "expected the header"),
        (LINES.replace("DATE,OPEN", "DAY,OPEN"), "expected the header"),
        (LINES[:-2], "its last line has no end"),
        (LINES[:-20], "its last line has no end"),
        (LINES.replace("000\n", "\n").replace("15.020", "15")[:-1], "its last line has no end"),
        (LINES.replace("CLOSE", "CLOSE,CLOSE"), "expected the header"),
        ("DATE,OPEN,HIGH,LOW,CLOSE", "its last line has no end"),
        ("DATE,OPEN,HIGH,LOW,CLOSE\n", "0 of 0 rows"),
        (LINES.replace("2026", "26"), "10 of 10 rows"),
        (LINES.replace("1/1", "1-1"), "rows cannot be read"),
        (b"\xff\xfe" + LINES.encode("utf-16-le"), "not a text"),
    ],
)
def test_what_is_not_the_whole_file_is_refused_whole(text: str | bytes, words: str) -> None:
    """An error page, half a file, another file: none of it counts."""
    with pytest.raises(VendorUnavailableError, match="is refused whole") as refusal:
        read(text)
    assert words in str(refusal.value)


@given(st.binary(max_size=400) | st.text(alphabet=LINES + "x-e\r", max_size=400).map(str.encode))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Either a history or a refusal by name."""
    try:
        history = read(b"DATE,OPEN,HIGH,LOW,CLOSE\n" + body)
    except VendorUnavailableError:
        return
    assert history.values


@given(st.integers(0, len(LINES) - 1))
def test_every_shorter_file_is_refused_or_has_only_whole_rows(length: int) -> None:
    """Cut anywhere: never a row that the whole file does not have."""
    try:
        values = read(LINES[:length]).values
    except VendorUnavailableError:
        return
    assert set(values) <= set(read(LINES).values)
