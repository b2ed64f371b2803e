"""What the Flex Web Service's error codes mean, and which of them are worth another try.

Source: the broker's guide, "Flex Web Service Version 3, Error Codes". A code that is not in the table counts
as final: asking again for what nobody understands only fills the quota (one request a second, ten a minute
for each token), and the next scheduled pass asks anew anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Advice(Enum):
    """What to do about a code."""

    POLL = auto()  # it is being made: ask for it again
    AGAIN = auto()  # the service cannot now: try later
    FINAL = auto()  # a person must do something


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code in our words, what to do about it, and for a person: where to look."""

    words: str
    advice: Advice
    hint: str = ""
    wait_s: float | None = None  # before the next try; None: the client's own backoff


TOKEN_HINT = "make a new token in Client Portal (Flex Web Service) and set IBKR_FLEX_TOKEN"  # noqa: S105
QUERY_HINT = "look up the query id in Client Portal (Flex Queries)"
QUOTA_WINDOW_S = 60.0  # sooner it would only count against the same minute
UNKNOWN = Meaning("a code that is not in the broker's table", Advice.FINAL)

CODES: Mapping[int, Meaning] = {
    1001: Meaning("the statement could not be generated now", Advice.AGAIN),
    1003: Meaning("the statement is not available", Advice.AGAIN, "its period may hold nothing yet"),
    1004: Meaning("the statement is incomplete now", Advice.AGAIN),
    1005: Meaning("settlement data is not ready", Advice.AGAIN),
    1006: Meaning("FIFO profit and loss is not ready", Advice.AGAIN),
    1007: Meaning("mark-to-market profit and loss is not ready", Advice.AGAIN),
    1008: Meaning("FIFO and mark-to-market profit and loss are not ready", Advice.AGAIN),
    1009: Meaning("the server is under heavy load", Advice.AGAIN),
    1010: Meaning("legacy Flex queries are not served any more", Advice.FINAL, "make an Activity Flex query"),
    1011: Meaning("the service account is inactive", Advice.FINAL, "activate the Flex Web Service"),
    1012: Meaning("the token has expired", Advice.FINAL, TOKEN_HINT),
    1013: Meaning("the token is not for this IP address", Advice.FINAL, TOKEN_HINT),
    1014: Meaning("the query is invalid", Advice.FINAL, QUERY_HINT),
    1015: Meaning("the token is invalid", Advice.FINAL, TOKEN_HINT),
    1016: Meaning("the account is invalid", Advice.FINAL, "the query names an account of somebody else"),
    1017: Meaning("the reference code is invalid", Advice.FINAL, "fetch anew: it is kept for a while only"),
    1018: Meaning("too many requests from this token", Advice.AGAIN, "ten a minute", wait_s=QUOTA_WINDOW_S),
    1019: Meaning("the statement is being generated", Advice.POLL),
    1020: Meaning("the request is not valid", Advice.FINAL, f"{TOKEN_HINT}; {QUERY_HINT}"),
    1021: Meaning("the statement could not be retrieved now", Advice.AGAIN),
}


def meaning_of(code: int) -> Meaning:
    """What a code means."""
    return CODES.get(code, UNKNOWN)
