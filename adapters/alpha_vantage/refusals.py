"""What Alpha Vantage says with status 200 when it says no, told apart by its words.

A refusal is a document with `Information`, `Note` or `Error Message` in the place of data; an options answer
may also carry rows of a made-up contract and a `message` that is not "success". The words have changed over
the years and name several things at once (a too-fast refusal speaks of the day's limit and of premium plans),
so the order of the rules matters: first what passes, then what a person must mend.
"""

import re
from collections.abc import Mapping

from adapters.venue.payload import canonical_text
from trading.ports.vendor_source import RefusalKind

REFUSING_KEYS = ("error message", "note", "information")
SUCCESS = "success"
NOTHING = re.compile(r"no data", re.IGNORECASE)  # of a day on which nothing traded: an empty answer
NO_ARTICLES = re.compile(r"no articles found", re.IGNORECASE)  # stands in the place of an empty feed
RULES: tuple[tuple[RefusalKind, re.Pattern[str]], ...] = (
    (
        RefusalKind.RATE,
        re.compile(
            r"spreading out|burst pattern|per (minute|second)|/(minute|second)|call (frequency|volume)"
            r"|requests more (sparingly|evenly)"
        ),
    ),
    (RefusalKind.DAILY, re.compile(r"rate limit.*per day|daily (rate )?limit|per day|/day")),
    (
        RefusalKind.KEY,
        re.compile(r"api ?key is invalid|claim your free api key|demo\W+(api )?key|invalid api ?key"),
    ),
    (RefusalKind.PREMIUM, re.compile(r"premium|entitle|subscri")),
    (RefusalKind.SYMBOL, re.compile(r"invalid (api call|input)|no data|not found|invalid symbol")),
)


def is_without_articles(document: Mapping[str, object]) -> bool:
    """Whether the vendor says that it has no articles: an empty answer, though in the shape of a refusal."""
    told = [value for name, value in document.items() if name.lower() in REFUSING_KEYS]
    return len(told) == 1 and isinstance(told[0], str) and NO_ARTICLES.match(told[0]) is not None


def refusal_text(document: Mapping[str, object]) -> str:
    """The words of a refusal; empty where the document is none."""
    if is_without_articles(document):
        return ""
    for name, value in document.items():
        if name.lower() in REFUSING_KEYS and value:
            return value if isinstance(value, str) else canonical_text(value)
    message = document.get("message")
    if not isinstance(message, str) or "data" not in document or message.strip().lower() == SUCCESS:
        return ""
    is_empty = document["data"] == [] and NOTHING.search(message)
    return "" if is_empty else message


def kind_of(text: str) -> RefusalKind:
    """What the words mean."""
    said = " ".join(text.lower().replace("*", "").split())
    return next((kind for kind, words in RULES if words.search(said)), RefusalKind.OTHER)
