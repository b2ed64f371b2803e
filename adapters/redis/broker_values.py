"""Broker events, commands and results as JSON and back: times in ISO with their zone, numbers as text.

A text that no UTF-8 holds (half a surrogate pair in a broker's message) is kept escaped. What cannot be read
raises InvalidFieldError, and its reader decides what becomes of it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from trading.errors import InvalidFieldError
from trading.model.broker import BrokerCommand, BrokerEvent, BrokerEventKind, Outcome, Verb
from trading.model.money import canonical
from trading.ports.broker_commands import CommandResult

VERSION = 1
EVENT_BYTES_MAX = 1_048_576  # the largest answer of a thousand positions has a third of it
FAULTS = (KeyError, TypeError, ValueError, AttributeError, RecursionError)  # what hostile JSON may raise


def event_text(event: BrokerEvent) -> bytes:
    """Print an event; refuses what is too long or no JSON."""
    return _printed(
        "payload",
        {
            "v": VERSION,
            "ts": event.heard_at.isoformat(),
            "kind": str(event.kind),
            "broker_at": event.broker_at.isoformat() if event.broker_at else None,
            "account": event.account,
            "payload": dict(event.payload),
        },
    )


def event_of(text: bytes) -> BrokerEvent:
    """Read an event."""
    try:
        told = _read(text)
        return BrokerEvent(
            kind=BrokerEventKind(told["kind"]),
            heard_at=datetime.fromisoformat(told["ts"]),
            broker_at=datetime.fromisoformat(told["broker_at"]) if told["broker_at"] else None,
            account=_text(told["account"]),
            payload=_object(told["payload"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("event", "an event as JSON", text) from cause


def command_text(command: BrokerCommand) -> bytes:
    """Print a command; refuses what is too long or no JSON."""
    return _printed(
        "payload",
        {
            "v": VERSION,
            "ts": command.issued_at.isoformat(),
            "command_id": command.command_id,
            "verb": str(command.verb),
            "sender": command.sender,
            "fencing": command.fencing,
            "valid_until": command.valid_until.isoformat(),
            "payload": dict(command.payload),
        },
    )


def command_of(text: bytes) -> BrokerCommand:
    """Read a command."""
    try:
        told = _read(text)
        return BrokerCommand(
            command_id=_text(told["command_id"]),
            verb=Verb(told["verb"]),
            sender=_text(told["sender"]),
            fencing=int(told["fencing"]),
            issued_at=datetime.fromisoformat(told["ts"]),
            valid_until=datetime.fromisoformat(told["valid_until"]),
            payload=_object(told["payload"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("command", "a command as JSON", text) from cause


def result_text(result: CommandResult) -> bytes:
    """Print what became of a command."""
    return _printed(
        "detail",
        {
            "v": VERSION,
            "ts": result.at.isoformat(),
            "command_id": result.command_id,
            "outcome": str(result.outcome),
            "reason": result.reason,
            "detail": dict(result.detail),
        },
    )


def result_of(text: bytes) -> CommandResult:
    """Read what became of a command."""
    try:
        told = _read(text)
        return CommandResult(
            command_id=_text(told["command_id"]),
            outcome=Outcome(told["outcome"]),
            at=datetime.fromisoformat(told["ts"]),
            reason=_text(told["reason"]),
            detail=_object(told["detail"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("result", "a result as JSON", text) from cause


def _printed(field: str, document: Mapping[str, object]) -> bytes:
    try:
        text = orjson.dumps(document, default=_plain)
    except TypeError:  # half a surrogate pair, or an integer beyond 64 bits
        text = _escaped(field, document)
    if len(text) > EVENT_BYTES_MAX:
        raise InvalidFieldError(field, f"at most {EVENT_BYTES_MAX} bytes as JSON", f"{len(text)} bytes")
    return text


def _escaped(field: str, document: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(document, default=_plain, separators=(",", ":"), allow_nan=False).encode()
    except FAULTS as cause:
        raise InvalidFieldError(field, "values that JSON holds", document) from cause


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON form of {type(value).__name__}")


def _read(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value
