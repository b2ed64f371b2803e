"""Single values: how a client writes them, how the gateway spells them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.tws.fields import (
    UNSET_DOUBLE,
    UNSET_INT,
    Cursor,
    MalformedRequest,
    RefusedRequest,
    double,
    number,
    whole,
)
from simulation.tws.moments import bar_size_s, duration_s, moment
from simulation.tws.versions import NEWEST, NoCommonVersion, negotiated
from trading.model.times import NEW_YORK


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("201.94"), "201.94"),
        (Decimal("5.00"), "5.0"),
        (Decimal(0), "0.0"),
        (Decimal("-0.0"), "0.0"),
        (Decimal("1E+3"), "1000.0"),
        (0.15, "0.15"),
        (None, UNSET_DOUBLE),
    ],
)
def test_doubles_are_spelled_as_java_spells_them(value: Decimal | float | None, told: str) -> None:
    """Always with a point, never with an exponent of ours; unset is the largest double."""
    assert double(value) == told


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_what_is_told_reads_back_as_it_was(value: Decimal) -> None:
    """No digit is lost on the way."""
    assert number("x", double(value)) == value


@pytest.mark.parametrize(
    "value", ["", UNSET_INT, UNSET_DOUBLE, "1.7976931348623157e+308", "9223372036854775807"]
)
def test_every_spelling_of_unset_is_none(value: str) -> None:
    """Empty, or the largest number of a type."""
    assert number("x", value) is None
    assert whole("x", value) == 0


@pytest.mark.parametrize("value", ["nan", "Infinity", "1e999", "x", "9" * 31, "٣", "1_0_", "--1"])
def test_what_is_no_finite_number_is_refused_by_name_and_value(value: str) -> None:
    """The message says which field and what stood there."""
    with pytest.raises(MalformedRequest, match="lmtPrice"):
        number("lmtPrice", value)


def test_a_cursor_names_what_it_missed() -> None:
    """Too short, too long, a fraction where a whole number stands, a group that is too large."""
    cursor = Cursor(["1.5", "501", "x"])
    with pytest.raises(MalformedRequest, match=r"orderId.*'1.5'"):
        cursor.integer("orderId")
    with pytest.raises(MalformedRequest, match=r"legs.*501"):
        cursor.count("legs")
    with pytest.raises(MalformedRequest, match="1 fields were left"):
        cursor.end()
    cursor.text("rest")
    with pytest.raises(MalformedRequest, match=r"tif.*ended after 3"):
        cursor.text("tif")


@pytest.mark.parametrize(
    ("asked", "own", "spoken"),
    [
        ("v157..176", 176, 176),
        ("v157..176", 165, 165),
        ("v100..170", 176, 170),
        ("v176..180 +PACEAPI", 173, 173),
    ],
)
def test_both_speak_the_lower_maximum(asked: str, own: int, spoken: int) -> None:
    """Whatever the client's minimum is: it is the client that complains."""
    assert negotiated(asked, own) == spoken


@pytest.mark.parametrize("asked", ["", "157..176", "v", "v1..156", "vx..y", "v" + "9" * 9])
def test_what_is_no_range_of_ours_is_refused(asked: str) -> None:
    """Nonsense and clients older than the codec."""
    with pytest.raises(NoCommonVersion):
        negotiated(asked, NEWEST)


AT = datetime(2026, 11, 13, 15, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "20261113-15:30:05",
        "20261113 10:30:05",
        "20261113  10:30:05",
        "20261113 10:30:05 US/Eastern",
        "20261113 10:30:05 America/New_York",
        "20261113 15:30:05 UTC",
    ],
)
def test_every_way_to_write_a_moment_is_the_same_moment(text: str) -> None:
    """Dashed is UTC, without a zone is New York."""
    assert moment("endDateTime", text) == AT


@pytest.mark.parametrize("text", ["20261113", "20261313 10:00:00", "20261113 10:00:00 Mars/Olympus", "now"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """Never a guess about a time."""
    with pytest.raises(MalformedRequest, match="endDateTime"):
        moment("endDateTime", text)


def test_no_moment_is_none() -> None:
    """An empty end is "now", which only the caller knows."""
    assert moment("endDateTime", "") is None
    assert AT.astimezone(NEW_YORK).hour == 10


def test_durations_and_bar_sizes_are_seconds() -> None:
    """Units and sizes of the API's tables; all else is refused."""
    assert [duration_s(text) for text in ("30 S", "2 D", "1 W")] == [30, 172_800, 604_800]
    assert [bar_size_s(text) for text in ("5 secs", "1 min", "1 day")] == [5, 60, 86_400]
    for wrong in ("2", "D", "-1 D", "2 parsecs", "9999999 S"):
        with pytest.raises(RefusedRequest):
            duration_s(wrong)
    with pytest.raises(RefusedRequest, match="7 secs"):
        bar_size_s("7 secs")
