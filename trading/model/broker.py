"""What a broker says and is told: answers that know whether they are whole, rows in them, events, commands.

A failed query is never an empty answer: `Complete`, `Partial` and `Failed` are different types, and only a
complete one lets anybody conclude that something is *not* there. Everything here is plain data, so that it
crosses Redis as JSON and the warehouse as a row. Keep out: the wire, the client library, what to do about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from trading.errors import InvalidFieldError
from trading.model.times import aware_utc

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Generic[Row]):
    """All there is: what is not in `rows` is not there. Times are this machine's, around the question."""

    rows: tuple[Row, ...]
    asked_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial(Generic[Row]):
    """What came before the answer broke off; nothing may be concluded from what is missing."""

    rows: tuple[Row, ...]
    reason: str
    asked_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer, and why."""

    reason: str
    asked_at: datetime
    answered_at: datetime


Answer = Complete[Row] | Partial[Row] | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPosition:
    """What the broker says an account holds; average_cost contains fees and the multiplier."""

    account: str
    conid: int
    instrument_id: str
    symbol: str
    quantity: Decimal
    average_cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An order as the broker tells it. Identity is `order_ref` and `perm_id`; the API's number is no key."""

    account: str
    perm_id: str
    order_ref: str
    client_id: int
    order_id: int
    parent_perm_id: str
    conid: int
    instrument_id: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: str
    oca_group: str
    oca_type: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None
    why_held: str = ""


# States in which an order may still fill; every other one is its end.
WORKING_STATUSES = frozenset({"ApiPending", "PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountValue:
    """One figure of an account as the broker tells it; `value` is its text, for some are no numbers."""

    account: str
    name: str
    value: str
    currency: str


class BrokerEventKind(StrEnum):
    """What the broker session writes to its outbox; the payload's fields are listed beside each."""

    MESSAGE = "message"  # one execution (11) or commission (59) as it came: fields
    ANSWER = "answer"  # an answer ended: question, completeness, rows, from_at, to_at, accounts, reason
    ORDER = "order"  # an order changed: the fields of BrokerOrder
    ORDER_ERROR = "order_error"  # the broker refused or warned: order_ref, perm_id, order_id, code, text
    ACCOUNT_VALUE = "account_value"  # the fields of AccountValue
    LINK = "link"  # the connection changed: state, code, text, client_id
    COMMAND = "command"  # what became of a command: command_id, verb, outcome, reason
    ALERT = "alert"  # what a person must see: code, text


class Question(StrEnum):
    """What can be asked of a broker, one answer event each."""

    POSITIONS = "positions"
    OPEN_ORDERS = "open_orders"
    COMPLETED_ORDERS = "completed_orders"
    EXECUTIONS = "executions"
    ACCOUNT_VALUES = "account_values"
    CLOCK = "clock"  # rows: one, with broker_at; skew_ms beside it


class Completeness(StrEnum):
    """The type of an answer, as text."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class LinkState(StrEnum):
    """Where the connection to the gateway stands."""

    CONNECTING = "connecting"
    ADOPTING = "adopting"  # connected; open orders, positions and executions are being walked
    READY = "ready"
    DATA_DEGRADED = "data_degraded"  # connected; a farm is down, or another session has the data
    LOST = "lost"  # the gateway lost the broker (1100), or we lost the gateway
    REFUSED = "refused"  # the gateway does not let us in (same client id, not logged in)
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerEvent:
    """One entry of the broker session's outbox.

    broker_at is the broker's own time where it said one; heard_at is this machine's. Decimals in the payload
    are text, times ISO 8601 in UTC.
    """

    kind: BrokerEventKind
    heard_at: datetime
    broker_at: datetime | None = None
    account: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse naive times."""
        aware_utc("heard_at", self.heard_at)
        if self.broker_at is not None:
            aware_utc("broker_at", self.broker_at)


class Verb(StrEnum):
    """What the broker session can be told."""

    PLACE = "place"  # payload: account, instrument fields, side, quantity, order_type, prices, order_ref, …
    MODIFY = "modify"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    SWEEP = "sweep"  # ask for executions now
    ASK = "ask"  # payload: question


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerCommand:
    """One thing the broker session is told. After `valid_until` it is refused, never done late.

    `fencing` is the number of the sender's lease: a lower one than the session has seen from the same
    `sender` is refused, so a paused worker cannot act after its successor.
    """

    command_id: str
    verb: Verb
    sender: str
    fencing: int
    issued_at: datetime
    valid_until: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what would make a command unanswerable."""
        if not self.command_id.strip():
            raise InvalidFieldError("command_id", "a non-blank id", self.command_id)
        aware_utc("issued_at", self.issued_at)
        aware_utc("valid_until", self.valid_until)


class Outcome(StrEnum):
    """What became of a command."""

    DONE = "done"
    REFUSED = "refused"  # by us or by the broker: it did not happen
    IN_DOUBT = "in_doubt"  # sent, and no answer: it may have happened


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One entry as it lies in its stream. (stream, entry_id) is its identity for ever.

    `sequence` counts entries of one `epoch` without holes; a new epoch starts when the stream was lost.
    """

    stream: str
    entry_id: str
    epoch: str
    sequence: int
    event: BrokerEvent
