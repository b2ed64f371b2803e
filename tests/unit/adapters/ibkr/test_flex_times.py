"""Times of the broker: the forms that are read, their zones, and the forms that are not guessed at."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.ibkr.flex_times import read_flex_moment, read_split_moment, read_tws_moment
from trading.errors import InvalidFieldError

NOON = datetime(2026, 7, 17, 16, 4, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "20260717;120440",
        "2026-07-17;12:04:40",
        "2026-07-17;120440",
        "20260717;12:04:40",
        "20260717;120440 EDT",
        "2026-07-17;12:04:40 EDT",
        "2026-07-17;11:04:40 EST",
        "2026-07-17;12:04:40 America/New_York",
        "20260717;110440 America/Chicago",
        "20260717;160440 UTC",
        " 20260717;120440 ",
    ],
)
def test_one_moment_in_all_its_spellings(text: str) -> None:
    """Without a zone it is New York's."""
    assert read_flex_moment("dateTime", text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20260717",
        "20260717 120440",
        "20260717,120440",
        "20260717T120440",
        "2026-07-17T12:04:40Z",
        "07/17/2026;12:04:40",
        "17-07-2026;120440",
        "17JUL26;120440",
        "20260732;120440",
        "20260717;250000",
        "20260717;120460",
        "20260717;1204",
        "20260717;12:0440",
        "1784304280",
        "1784304280000",
        "20260717;120440 Mars/Olympus",
        "20260717;120440 British Summer Time",
        "20260717;120440 ../../etc/localtime",
        "20260717;120440 America",
        "20260308;023000",
        "00010101;000000",
        "99991231;235959",
        "２０２６0717;120440",
    ],
)
def test_other_forms_are_refused_by_name(text: str) -> None:
    """A form that could be read in two ways, or no time at all, names the field."""
    with pytest.raises(InvalidFieldError) as refused:
        read_flex_moment("dateTime", text)
    assert refused.value.field == "dateTime"


def test_a_repeated_hour_is_its_first() -> None:
    """01:30 on the first Sunday of November happens twice; the earlier one is meant."""
    assert read_flex_moment("dateTime", "20261101;013000") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_date_and_time_in_two_attributes() -> None:
    """Old statements split them."""
    assert read_split_moment("tradeTime", "2026-07-17", "12:04:40") == NOON
    assert read_split_moment("tradeTime", "20260717", "120440 EDT") == NOON
    with pytest.raises(InvalidFieldError):
        read_split_moment("tradeTime", "20260717", "noon")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("20260717  12:04:40", "America/New_York"),
        ("20260717 12:04:40", "America/New_York"),
        ("20260717  17:04:40", "Europe/London"),
        ("20260717 12:04:40 America/New_York", "Europe/London"),
        ("20260717 12:04:40 US/Eastern", "Europe/London"),
        ("20260717-16:04:40", "Europe/London"),
        ("20260717 12:04:40 EDT", "Europe/London"),
    ],
)
def test_the_gateways_times(text: str, zone: str) -> None:
    """A named zone counts, else the gateway's; the dashed form is UTC whatever the gateway is set to."""
    assert read_tws_moment("time", text, ZoneInfo(zone)) == NOON


def test_a_gateway_that_says_edt_in_winter_means_new_yorks_clock() -> None:
    """A fill that is told with the word and again with the zone's name has one time."""
    london = ZoneInfo("Europe/London")
    named = read_tws_moment("time", "20261113 09:32:12 US/Eastern", london)
    assert read_tws_moment("time", "20261113 09:32:12 EDT", london) == named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20260717",
        "20260717;120440",
        "20260717   12:04:40",
        "20260717 12:04:40 Atlantis",
        "1784304280",
        "nan",
    ],
)
def test_what_the_gateway_never_writes_is_refused(text: str) -> None:
    """An unknown zone loses no fill silently: it is refused with its reason."""
    with pytest.raises(InvalidFieldError):
        read_tws_moment("time", text, ZoneInfo("America/New_York"))
