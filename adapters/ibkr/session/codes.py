"""The broker's error and notice codes, and what each of them means to the session: a table, no decisions.

Belongs here: code, meaning, what it is about, what it does to the link, whether a person must see it. A code
that is not here is unknown, and an unknown code is an alert. Source: IBKR, TWS API message codes.

Codes that the library takes for the end of an order (it calls the order cancelled after every error that it
does not know as a warning) end nothing here: an order is over when a status says so, or when open and
completed orders, asked anew, say so. That is why every error about an order has the orders read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.ibkr.session.link_state import Signal


class About(StrEnum):
    """What a code is about."""

    LINK = "link"  # the connection, ours or the gateway's
    PACE = "pace"  # too many messages: the queue pauses
    REQUEST = "request"  # the request with that number failed
    REFUSED = "refused"  # the order with that number does not live, or not as it was sent
    CANCEL_REFUSED = "cancel_refused"  # the cancel was too late or named nothing
    CANCELLED = "cancelled"  # the order was cancelled; its status says so, too
    WARNING = "warning"  # the order lives; the text is worth keeping
    NOTICE = "notice"  # nothing to do
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a code means."""

    meaning: str
    about: About
    signal: Signal | None = None
    alert: bool = False


def reaction_to(code: int) -> Reaction:
    """What to do about a code; notices of the platform (2100 to 2199) need no line of their own."""
    known = REACTIONS.get(code)
    if known is not None:
        return known
    if code in PLATFORM_NOTICES:
        return Reaction(meaning="notice of the platform", about=About.NOTICE)
    return UNKNOWN_CODE


def _link(meaning: str, signal: Signal | None, *, alert: bool = False) -> Reaction:
    return Reaction(meaning=meaning, about=About.LINK, signal=signal, alert=alert)


def _all(about: About, meanings: Mapping[int, str]) -> dict[int, Reaction]:
    return {code: Reaction(meaning=text, about=about) for code, text in meanings.items()}


PLATFORM_NOTICES = range(2100, 2200)
UNKNOWN_CODE = Reaction(meaning="no reaction is defined", about=About.UNKNOWN, alert=True)

REACTIONS: Mapping[int, Reaction] = {
    326: _link("client id is in use", Signal.CLIENT_ID_TAKEN, alert=True),
    501: _link("already connected", None),
    502: _link("gateway cannot be reached", Signal.CLOSED),
    503: _link("gateway is too old", Signal.NOT_LET_IN, alert=True),
    504: _link("not connected", Signal.CLOSED),
    506: _link("unsupported version", Signal.NOT_LET_IN, alert=True),
    507: _link("bad message length, or the gateway closed the connection", Signal.CLOSED, alert=True),
    1100: _link("the gateway lost the broker", Signal.BROKER_LOST, alert=True),
    1101: _link("the broker is back, requests were lost", Signal.BROKER_BACK),
    1102: _link("the broker is back, requests were kept", Signal.BROKER_BACK),
    1300: _link("the gateway's port was reset", Signal.PORT_RESET, alert=True),
    2103: _link("market data farm is down", Signal.FARM_DOWN),
    2104: _link("market data farm is up", Signal.FARM_UP),
    2105: _link("historical data farm is down", Signal.FARM_DOWN),
    2106: _link("historical data farm is up", Signal.FARM_UP),
    2107: _link("historical data farm is asleep until it is needed", Signal.FARM_UP),
    2108: _link("market data farm is asleep until it is needed", Signal.FARM_UP),
    2110: _link("the gateway has no connection to its server", Signal.FARM_DOWN, alert=True),
    2119: _link("market data farm is connecting", None),
    2157: _link("contract data farm is down", Signal.FARM_DOWN),
    2158: _link("contract data farm is up", Signal.FARM_UP),
    10197: _link("another session of the user has the market data", Signal.FARM_DOWN, alert=True),
    100: Reaction(meaning="too many messages", about=About.PACE, alert=True),
    **_all(
        About.REQUEST,
        {
            162: "historical data were refused, or came too often",
            165: "historical data service says",
            166: "expired contract",
            200: "no such contract",
            300: "no such market data request",
            309: "too many depth requests",
            310: "no such depth request",
            316: "depth was halted: ask again",
            317: "depth was reset: empty the book",
            320: "server could not read the request",
            321: "server refused the request",
            322: "server could not process the request",
            354: "no market data permission",
            366: "no such historical request",
            420: "real-time request was refused",
            430: "fundamental data are not there",
            10089: "market data need a subscription",
            10090: "part of the market data needs a subscription",
            10092: "deep book is not offered here",
            10182: "live updates broke off: ask again",
            10186: "no market data permission, delayed data are off",
            10187: "historical ticks were refused",
            10189: "tick-by-tick was refused",
            10190: "too many tick-by-tick requests",
            10225: "subscription was ended by a bust: ask again",
        },
    ),
    **_all(
        About.REFUSED,
        {
            103: "order number was used before",
            104: "a filled order cannot be changed",
            105: "the changed order is another than the one it changes",
            106: "order cannot be transmitted",
            107: "incomplete order cannot be transmitted",
            109: "price is out of the range for this order",
            110: "price is no multiple of the tick",
            111: "type and validity do not go together",
            113: "validity is not allowed here",
            116: "exchange is not there",
            119: "stop price is missing or wrong",
            126: "family account cannot be ordered for",
            132: "order size is wrong",
            133: "order cannot be submitted: exchange is closed",
            135: "no order has this number",
            136: "order cannot be cancelled",
            140: "size is no integer",
            141: "price is no number",
            144: "size does not match",
            146: "trigger method is wrong",
            147: "not all of the order came",
            152: "what is hidden is not allowed here",
            201: "order was rejected",
            203: "security cannot be traded in this account",
            325: "discretionary is not allowed here",
            327: "only the sender may change it",
            328: "trailing orders are for limit and stop orders",
            329: "order cannot be changed to this type",
            336: "account and group contradict each other",
            355: "size does not fit the market rule",
            382: "price violates the percentage constraint",
            383: "size violates the size constraint",
            387: "order type is not allowed here",
            388: "size is below the minimum",
            391: "validity date is wrong",
            400: "algorithm is wrong",
            403: "stop price is wrong",
            434: "size cannot be zero",
            435: "account must be named",
            436: "an allocation must be named",
            461: "trading class must be named",
            511: "order could not be sent",
            10006: "parent order is missing",
            10020: "display size is wrong",
            10149: "order number is wrong",
            10268: "an attribute of the order is not supported any more",
            10318: "order type is not offered here",
            10326: "the OCA group of an order cannot be changed",
            10327: "the OCA type of an order cannot be changed",
        },
    ),
    **_all(
        About.CANCEL_REFUSED,
        {
            161: "order is in no state to be cancelled",
            10147: "no order with that number to cancel",
            10148: "order cannot be cancelled in its state",
        },
    ),
    202: Reaction(meaning="order was cancelled", about=About.CANCELLED),
    **_all(
        About.WARNING,
        {
            399: "the broker says about the order",
            404: "order is held until it can be done",
            481: "size was cut to the limit",
            492: "some conditions of the order are not supported",
            2109: "outside regular hours is ignored for it",
            2137: "order crosses another of ours",
            2148: "order warning",
            10349: "validity was set to the day by a preset",
        },
    ),
    **_all(
        About.NOTICE,
        {
            10167: "market data are delayed",
            10168: "market data are not subscribed, delayed data are off",
            10285: "fractional sizes need a newer client",
            10314: "times should name their zone",
            2174: "times without a zone will be refused in future",
        },
    ),
}


def table() -> str:
    """The codes as a Markdown table, by what they are about; an asterisk marks those that alert a person."""
    lines = ["| about | codes |", "| --- | --- |"]
    for about in About:
        codes = sorted(code for code, reaction in REACTIONS.items() if reaction.about is about)
        shown = ", ".join(f"{code}{'*' if REACTIONS[code].alert else ''}" for code in codes)
        lines.append(f"| {about} | {shown or 'every other code*'} |")
    return "\n".join(lines)
