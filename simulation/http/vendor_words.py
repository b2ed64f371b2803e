"""The words with which Alpha Vantage says no: all with status 200, some quote the key.

As they were seen over the years; a client must tell them apart by these words alone.
"""

from collections.abc import Mapping

from simulation.http.server import Answer
from trading.model.symbols import symbol_of_vendor

KEY = "DEMOKEY0123456789"
SITE = "https://www.alphavantage.co"
THANKS = "Thank you for using Alpha Vantage!"
PLANS = f"any of the premium plans at {SITE}/premium/"
NO_ARTICLES = (
    "No articles found. Please adjust the time range or refer to the API documentation"
    f" {SITE}/documentation#newsapi and try again."
)
REFUSALS: Mapping[str, tuple[str, str]] = {
    "minute": (
        "Information",
        f"{THANKS} Please stay under the number of API requests per minute for your premium subscription"
        " plan.",
    ),
    "burst": (
        "Information",
        "Burst pattern detected. Please consider spreading out your API requests more evenly across a"
        " 1-minute window and query no more than 5 requests per second.",
    ),
    "spread": (
        "Information",
        f"{THANKS} Please consider spreading out your free API requests more sparingly (1 request per"
        f" second). You may subscribe to {PLANS} to lift the free key rate limit (25 requests per day).",
    ),
    "note": (
        "Note",
        f"{THANKS} Our standard API call frequency is 5 calls per minute and 500 calls per day. Please visit"
        f" {SITE}/premium/ if you would like to target a higher API call frequency.",
    ),
    "day": (
        "Information",
        "We have detected your API key as {key} and our standard API rate limit is 25 requests per day."
        f" Please subscribe to {PLANS} to instantly remove all daily rate limits.",
    ),
    "key": (
        "Error Message",
        "the parameter apikey is invalid or missing. Please claim your free API key on"
        f" ({SITE}/support/#api-key). It should take less than 20 seconds.",
    ),
    "demo": (
        "Information",
        "The **demo** API key is for demo purposes only. Please claim your free API key at"
        f" ({SITE}/support/#api-key) to explore our full API offerings.",
    ),
    "premium": (
        "Information",
        f"{THANKS} This is a premium endpoint. You may subscribe to {PLANS} to instantly unlock all premium"
        " endpoints",
    ),
    "symbol": (
        "Error Message",
        f"Invalid API call. Please retry or visit the documentation ({SITE}/documentation/) for the"
        " function.",
    ),
    "inputs": (
        "Information",
        f"Invalid inputs. Please refer to the API documentation {SITE}/documentation#newsapi and try again.",
    ),
}


def asked_symbol(text: str) -> str:
    """The house's name of a symbol in a question; empty for one with a blank: the vendor knows none."""
    return "" if not text or " " in text else symbol_of_vendor("symbol", text)


def refusal(kind: str, key: str = KEY) -> Answer:
    """One of the refusals by name."""
    name, words = REFUSALS[kind]
    return Answer.of({name: words.replace("{key}", key)})


def no_articles() -> Answer:
    """What a search for news that finds nothing gets: no empty feed but words, in the shape of a refusal."""
    return Answer.of({"Information": NO_ARTICLES})


def premium_sample() -> Answer:
    """What a plan without live options gets: a made-up contract under a message that is not "success"."""
    row = {"contractID": "XXYYZZ999999C00001000", "symbol": "XXYYZZ", "expiration": "2099-99-99"}
    words = REFUSALS["premium"][1]
    return Answer.of({"endpoint": "Realtime Options", "message": words, "data": [row]})
