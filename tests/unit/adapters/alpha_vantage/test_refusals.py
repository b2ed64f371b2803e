"""The words with which the vendor has said no over the years, and what each of them means."""

import pytest

from adapters.alpha_vantage.refusals import kind_of, refusal_text
from adapters.venue.payload import JsonObject
from trading.ports.vendor_source import RefusalKind

THANKS = "Thank you for using Alpha Vantage! "
PLANS = "https://www.alphavantage.co/premium/"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Please contact premium@alphavantage.co if you are targeting a higher API call volume.", "rate"),
        ("Our standard API call volume is 5 calls per minute and 500 calls per day.", "rate"),
        (f"Our standard API call frequency is 5 calls per minute. Please visit {PLANS}", "rate"),
        ("You have reached the 75 requests/minute limit of your key.", "rate"),
        (f"Please consider spreading out your requests (1 request per second). Plans: {PLANS}", "rate"),
        ("You have reached the 25 requests/day limit of your key.", "daily"),
        (f"We have detected your API key as X; the standard limit is 25 requests per day. {PLANS}", "daily"),
        ("The **demo** API key is for demo purposes only.", "key"),
        ("The outputsize=full parameter value is a premium feature for this endpoint.", "premium"),
        ("This endpoint requires realtime or 15-minute delayed market data entitlement.", "premium"),
        ("Invalid inputs. Please refer to the API documentation and try again.", "symbol"),
        ("This API function (REALTIME_OPTION) does not exist.", "other"),
        ("Error getting articles. Please try again later.", "other"),
    ],
)
def test_words_of_all_years_have_their_kind(words: str, kind: str) -> None:
    """Too often is waited out, a plan is for a person: taken one for the other, a feed stands an hour."""
    document = JsonObject({"Information": THANKS + words})
    assert kind_of(refusal_text(document)) is RefusalKind(kind)


def test_words_in_another_shape_are_told_too() -> None:
    """A refusal whose text is a list is no missing table."""
    assert "try again" in refusal_text(JsonObject({"Error Message": ["try again"]}))
    assert refusal_text(JsonObject({"Information": "", "data": []})) == ""
