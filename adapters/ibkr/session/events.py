"""What the session writes to its outbox, field by field: one function per kind of event.

Payloads are JSON: decimals as text, times ISO 8601 in UTC. Keep out: when something is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.ibkr.session.questions import Answered
from trading.model.broker import (
    AccountValue,
    BrokerCommand,
    BrokerEvent,
    BrokerEventKind,
    BrokerOrder,
    BrokerPosition,
    Complete,
    Completeness,
    Failed,
    LinkState,
    Outcome,
)
from trading.model.broker_payloads import payload_of

ALERT_TEXT_CHARS_MAX = 4_000


def message_event(
    fields: Sequence[str], account: str, time_zone: str, broker_at: datetime | None, at: datetime
) -> BrokerEvent:
    """An execution or commission as it came, and the zone of times in it that name none."""
    payload = {"fields": list(fields), "time_zone": time_zone}
    return BrokerEvent(
        kind=BrokerEventKind.MESSAGE, heard_at=at, broker_at=broker_at, account=account, payload=payload
    )


def answer_event(
    answered: Answered,
    accounts: Sequence[str],
    *,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    broker_at: datetime | None = None,
    rows: Sequence[dict[str, Any]] | None = None,
    **beside: Any,
) -> BrokerEvent:
    """An answer that ended; `rows` replaces the answer's own, `beside` stands next to them."""
    answer = answered.answer
    told = () if isinstance(answer, Failed) else answer.rows
    payload: dict[str, Any] = {
        "question": answered.asked.question.value,
        "completeness": completeness_of(answered).value,
        "reason": "" if isinstance(answer, Complete) else answer.reason,
        "rows": [payload_of(row) for row in told] if rows is None else list(rows),
        "accounts": list(accounts),
        "asked_at": answer.asked_at.isoformat(),
        "answered_at": answer.answered_at.isoformat(),
        "from_at": None if from_at is None else from_at.isoformat(),
        "to_at": None if to_at is None else to_at.isoformat(),
        **beside,
    }
    return BrokerEvent(
        kind=BrokerEventKind.ANSWER,
        heard_at=answer.answered_at,
        broker_at=broker_at,
        account=answered.asked.account,
        payload=payload,
    )


def completeness_of(answered: Answered) -> Completeness:
    """The type of an answer as text."""
    if isinstance(answered.answer, Complete):
        return Completeness.COMPLETE
    return Completeness.FAILED if isinstance(answered.answer, Failed) else Completeness.PARTIAL


def row_event(
    row: BrokerOrder | AccountValue | BrokerPosition, broker_at: datetime | None, at: datetime
) -> BrokerEvent:
    """An order or a figure of an account that changed."""
    kind = BrokerEventKind.ORDER if isinstance(row, BrokerOrder) else BrokerEventKind.ACCOUNT_VALUE
    return BrokerEvent(
        kind=kind, heard_at=at, broker_at=broker_at, account=row.account, payload=payload_of(row)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNamed:
    """Which order something is about; perm_id is empty while the broker has not told it."""

    account: str
    order_ref: str
    perm_id: str
    order_id: int


def order_error_event(
    about: OrderNamed, code: int, text: str, advanced: str, meaning: str, at: datetime
) -> BrokerEvent:
    """What the broker said about an order; `advanced` is its JSON, `meaning` what we take it for."""
    payload = {
        "order_ref": about.order_ref,
        "perm_id": about.perm_id,
        "order_id": about.order_id,
        "code": code,
        "text": text,
        "advanced": advanced,
        "about": meaning,
    }
    return BrokerEvent(kind=BrokerEventKind.ORDER_ERROR, heard_at=at, account=about.account, payload=payload)


def link_event(state: LinkState, code: int | None, text: str, client_id: int, at: datetime) -> BrokerEvent:
    """The connection changed."""
    payload = {"state": state.value, "code": code, "text": text, "client_id": client_id}
    return BrokerEvent(kind=BrokerEventKind.LINK, heard_at=at, payload=payload)


def command_event(
    command: BrokerCommand, outcome: Outcome, reason: str, at: datetime, **detail: Any
) -> BrokerEvent:
    """What became of a command."""
    payload = {
        "command_id": command.command_id,
        "verb": command.verb.value,
        "sender": command.sender,
        "fencing": command.fencing,
        "order_ref": str(command.payload.get("order_ref", "")),
        "outcome": outcome.value,
        "reason": reason,
        **detail,
    }
    account = str(command.payload.get("account", ""))
    return BrokerEvent(kind=BrokerEventKind.COMMAND, heard_at=at, account=account, payload=payload)


def alert_event(code: str, text: str, at: datetime, **detail: Any) -> BrokerEvent:
    """Something that a person must see."""
    payload = {"code": code, "text": text[:ALERT_TEXT_CHARS_MAX], **detail}
    return BrokerEvent(kind=BrokerEventKind.ALERT, heard_at=at, payload=payload)
