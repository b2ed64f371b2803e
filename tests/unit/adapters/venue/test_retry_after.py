"""How long a vendor asks to be left alone, in both forms of the header."""

import pytest

from adapters.venue.retry_after import retry_after_s

DATE = "Mon, 23 Nov 2026 17:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("999999999", 3600.0),
        ("Mon, 23 Nov 2026 17:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 16:00:00 GMT", 0.0),
        ("Fri, 23 Nov 2096 17:00:00 GMT", 3600.0),
        ("-1", None),
        ("1e9", None),
        ("\u0663", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_and_dates_are_read_and_nonsense_is_none(text: str, wait_s: float | None) -> None:
    """A date is counted from the answer's own, so that a wrong clock of ours does not matter."""
    assert retry_after_s({"Retry-After": text, "Date": DATE}) == wait_s
