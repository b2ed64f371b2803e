"""What can be alerted: every code, and whether what it tells has an end.

An event is said once and has none: a loss, a refusal, a message that nobody could read. A condition goes on
until it is found to hold no more: whoever can see that writes its end, and what it is open for is what a
person still has to look at. Which of the two a code is, is a property of its definition here, and nowhere
else: who raises it says its code only. Belongs here: codes and ends. Keep out: words, levels, what to do
(docs/alerts.md, which a test holds to this).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

CODE_CHARS_MAX = 200
TEXT_CHARS_MAX = 2_000
LINK_CODES = (326, 503, 506, 507, 1100, 1300, 2110, 10197)  # of the broker's, about the link


class AlertKind(StrEnum):
    """Whether it has an end."""

    EVENT = "event"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDefinition:
    """A code; one that ends in a dash or an underscore is the beginning of many. `ends` is None of events.

    `is_fact`: what is so for everybody, so that anybody who sees that it is so no more ends it. Other
    conditions are found by processes in themselves, and each that raised one ends it for itself.
    """

    code: str
    ends: str | None = None
    is_fact: bool = False

    @property
    def kind(self) -> AlertKind:
        """Which of the two it is."""
        return AlertKind.EVENT if self.ends is None else AlertKind.CONDITION

    def covers(self, code: str) -> bool:
        """Whether a code is this one, or begins with it."""
        return code == self.code or (self.code[-1] in "-_" and code.startswith(self.code))


CONDITIONS = {
    "feed_stale-": "the last of its symbols tells again, its hours are over, or its process was followed",
    **{f"{who}_code_{code}": "the link is ready" for who in ("ingest", "broker") for code in LINK_CODES},
    "ingest_clock_skew": "the clocks are together",
    "broker_clock_skew": "the clocks are together",
    "ingest_clock_not_believed": "a time is told that is believed",
    "ingest_queue_full": "half of the queue is empty",
    "broker_queue_full": "half of the queue is empty",
    "ingest_numbers_ended": "its process ended: the next one is told a number anew",
    "broker_numbers_ended": "its process ended: the next one is told a number anew",
    "market_outbox_full": "every symbol that was refused is taken",
    "market_drain_stuck": "a block is stored, or none waits",
    "outbox_full": "an event is taken",
    "broker_outbox_full": "half of what waited is kept",
    "drain_stuck": "an entry is stored, or none waits",
    "vendor_day_spent": "the vendor answers",
    "vendor_key_refused": "the vendor answers",
    "vendor_premium_refused-": "the feed is answered for every symbol that was refused",
    "vendor_symbol_refused-": "the feed is answered for every symbol that was refused",
    "live_position-": "the break is open no more",
    "break-": "the break is open no more",
    "breaks-": "none of them is open",
    "lock-": "nothing locks the scope",
    "residents": "the broker session and the drain say that they live",
    "residents-": "it says that it lives",
    "stands_by-": "it writes, or it ended",
    "shifts": "somebody works the shift",
}
FACTS = frozenset(
    ("live_position-", "break-", "breaks-", "lock-", "residents", "residents-", "stands_by-", "shifts")
)
EVENTS = (
    "feed_resolved-",
    "ingest_code_",
    "broker_code_",
    "ingest_undecodable_",
    "broker_undecodable_",
    "ingest_not_described",
    "ingest_not_refilled",
    "ingest_book_crossed_",
    "ingest_market_gap",
    "ingest_capture_ended",
    "market_outbox_lost",
    "market_blocks_refused",
    "broker_outbox_lost",
    "broker_event_left_out",
    "command_unreadable",
    "outbox_entries_refused",
    "fenced_out-",
    "alerts_lost",
    "alerts_crowded",
)
DEFINITIONS = (
    *(AlertDefinition(code=code, ends=ends, is_fact=code in FACTS) for code, ends in CONDITIONS.items()),
    *(AlertDefinition(code=code) for code in EVENTS),
)
UNDEFINED = AlertDefinition(code="?")  # told as an event: a mistake of ours must not hide what happened


@lru_cache(maxsize=4_096)
def definition_of(code: str) -> AlertDefinition:
    """The closest definition of a code, UNDEFINED where there is none."""
    found = [each for each in DEFINITIONS if each.covers(code)]
    return max(found, key=lambda each: len(each.code), default=UNDEFINED)


def is_condition(code: str) -> bool:
    """Whether a code is of what goes on until its end is written."""
    return definition_of(code).kind is AlertKind.CONDITION
