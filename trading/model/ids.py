"""Identity: fingerprint of a contract in a strategy, id of a decision, id of a fill that has none.

All are pure functions of their inputs: the same on every machine and after every restart, never of a clock, a
price that moves or an order of arrival. A fingerprint names a *contract in a strategy*; a signal id names a
*decision*. Taking one for the other either repeats a decision or forbids a legitimate re-entry after an exit.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha1

from trading.errors import InvalidFieldError
from trading.model.instruments import Option
from trading.model.money import canonical
from trading.model.times import aware_utc

FINGERPRINT_PREFIX = "sigfp:"
SIGNAL_ID_PREFIX = "sig:"
SYNTHETIC_PREFIX = "syn:"
DIGEST_CHARS = 20  # of sha1: 80 bits, no collision within any number of contracts or decisions we can make
GENERATIONS_PER_ANCHOR = 10_000  # decisions per fingerprint and session; a strategy makes a handful
REVISION_DIGITS_MAX = 9
FIELD_SEPARATOR = "\x1f"  # no field contains it, so no two tuples print alike


class GenerationAnchor(StrEnum):
    """Where the generations of a fingerprint start: a per-strategy setting."""

    SESSION = "session"
    EXPIRY = "expiry"  # for strategies that enter once in a contract's life

    def anchor(self, *, session: date, expiry: date) -> date:
        """The date the generations are counted from."""
        return session if self is GenerationAnchor.SESSION else expiry


def fingerprint(option: Option, *, strategy: str, side: str) -> str:
    """Name a contract in a strategy: ``sigfp:`` and 20 hex digits; `side` is the view, LONG or SHORT."""
    parts = (
        option.symbol,
        _name("strategy", strategy).lower(),
        _view(side),
        f"{option.expiry:%Y%m%d}",
        str(option.right),
        canonical(option.strike),
        str(option.multiplier),
        option.exchange,
    )
    return FINGERPRINT_PREFIX + _digest(":".join(_name("fingerprint part", part) for part in parts))


def generation_start(anchor: date) -> int:
    """First generation of an anchor date; later dates start above all generations of earlier ones."""
    return (anchor.year * 10_000 + anchor.month * 100 + anchor.day) * GENERATIONS_PER_ANCHOR


def generation_in_force(kept: int | None, anchor: date) -> int:
    """The generation of a decision made now: the one kept for the fingerprint, else the first.

    A kept generation stands until its decision has come to an acknowledged end, through any number of
    sessions: only `generation_after_end` raises it.
    """
    return generation_start(anchor) if kept is None else kept


def generation_after_end(ended: int, anchor: date) -> int:
    """The generation to keep once the one that `ended` is over: entry never filled, or position closed."""
    raised = ended + 1
    if raised % GENERATIONS_PER_ANCHOR == 0:
        raise InvalidFieldError("generation", f"fewer than {GENERATIONS_PER_ANCHOR} per anchor", ended)
    return max(raised, generation_start(anchor))


def signal_id(contract_fingerprint: str, *, schema_version: int, generation: int) -> str:
    """Name a decision: ``sig:`` and 20 hex digits over fingerprint, schema version and generation."""
    if not contract_fingerprint.startswith(FINGERPRINT_PREFIX):
        raise InvalidFieldError(
            "fingerprint", f"a text that starts with {FINGERPRINT_PREFIX}", contract_fingerprint
        )
    if generation < 0 or schema_version < 0:
        raise InvalidFieldError("generation", "zero or more", (schema_version, generation))
    return SIGNAL_ID_PREFIX + _digest(f"{contract_fingerprint}:{schema_version}:{generation}")


def split_ibkr_execution_id(exec_id: object) -> tuple[str, int]:
    """Split an execution id into the fill's id and the revision, its last dotted part.

    ``0000e0d5.67fe667b.01.02`` is revision 2 of the fill ``0000e0d5.67fe667b.01``. The rest is opaque text.
    """
    expected = "an execution id of dotted parts, the last one a number"
    if not isinstance(exec_id, str):
        raise InvalidFieldError("exec_id", expected, exec_id)
    fill_id, dot, revision = exec_id.strip().rpartition(".")
    is_number = revision.isascii() and revision.isdigit() and len(revision) <= REVISION_DIGITS_MAX
    if not dot or not is_number or not all(fill_id.split(".")) or any(map(str.isspace, fill_id)):
        raise InvalidFieldError("exec_id", expected, exec_id)
    return fill_id, int(revision)


def synthetic_fill_id(
    *,
    venue: str,
    account: str,
    order_id: str,
    side: str,
    quantity: Decimal,
    price: Decimal,
    venue_ts: datetime,
    ordinal: int,
) -> str:
    """Name a fill whose venue gives it no id: ``syn:`` and 40 hex digits over what the venue said.

    `venue_ts` is the venue's time, never ours. `ordinal` (see `ordinals`) keeps two equal partial fills in
    one millisecond apart. An order id is needed: without one nothing ties the tuple to one order.
    """
    if not order_id.strip():
        raise InvalidFieldError("order_id", "an order id, since the fill has no id", order_id)
    if ordinal < 0:
        raise InvalidFieldError("ordinal", "zero or more", ordinal)
    moment = aware_utc("venue_ts", venue_ts).isoformat(timespec="microseconds")
    parts = (
        venue,
        account,
        order_id.strip(),
        side,
        canonical(quantity),
        canonical(price),
        moment,
        str(ordinal),
    )
    text = FIELD_SEPARATOR.join(part.replace(FIELD_SEPARATOR, "") for part in parts)
    return SYNTHETIC_PREFIX + sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def ordinals(rows: Sequence[tuple[Hashable, str]]) -> list[int]:
    """Number the rows with equal keys 0, 1, 2, …; `rows` are (key, whole row as canonical text).

    The number of a row depends on what the rows say, not on where they stand: within a key they are counted
    in the order of their text, so the same rows in another order get the same numbers. Number all rows of one
    complete answer together; the same answer read twice gives the same numbers.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, (key, _) in enumerate(rows):
        places[key].append(place)
    numbers = [0] * len(rows)
    for same in places.values():
        for number, place in enumerate(sorted(same, key=lambda at: rows[at][1])):
            numbers[place] = number
    return numbers


def _view(side: str) -> str:
    view = side.strip().upper()
    if view not in ("LONG", "SHORT"):
        raise InvalidFieldError("side", "LONG or SHORT", side)
    return view


def _name(field: str, value: str) -> str:
    text = value.strip()
    if not text or ":" in text:
        raise InvalidFieldError(field, "a name without colon", value)
    return text


def _digest(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()[:DIGEST_CHARS]
