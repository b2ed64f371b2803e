"""Broker events, commands and results as JSON and back: times in ISO with their zone, numbers as text.

What cannot be read raises InvalidFieldError, and its reader decides what becomes of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.redis.json_texts import FAULTS, printed, read, text_of
from trading.errors import InvalidFieldError
from trading.model.broker import BrokerCommand, BrokerEvent, BrokerEventKind, Outcome, Verb
from trading.ports.broker_commands import CommandResult

VERSION = 1
EVENT_BYTES_MAX = 1_048_576  # the largest answer of a thousand positions has a third of it


def event_text(event: BrokerEvent) -> bytes:
    """Print an event; refuses what is too long or no JSON."""
    return printed(
        "payload",
        {
            "v": VERSION,
            "ts": event.heard_at.isoformat(),
            "kind": str(event.kind),
            "broker_at": event.broker_at.isoformat() if event.broker_at else None,
            "account": event.account,
            "payload": dict(event.payload),
        },
        EVENT_BYTES_MAX,
    )


def event_of(text: bytes) -> BrokerEvent:
    """Read an event."""
    try:
        told = read(text)
        return BrokerEvent(
            kind=BrokerEventKind(told["kind"]),
            heard_at=datetime.fromisoformat(told["ts"]),
            broker_at=datetime.fromisoformat(told["broker_at"]) if told["broker_at"] else None,
            account=text_of(told["account"]),
            payload=_object(told["payload"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("event", "an event as JSON", text) from cause


def command_text(command: BrokerCommand) -> bytes:
    """Print a command; refuses what is too long or no JSON."""
    return printed(
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
        EVENT_BYTES_MAX,
    )


def command_of(text: bytes) -> BrokerCommand:
    """Read a command."""
    try:
        told = read(text)
        return BrokerCommand(
            command_id=text_of(told["command_id"]),
            verb=Verb(told["verb"]),
            sender=text_of(told["sender"]),
            fencing=int(told["fencing"]),
            issued_at=datetime.fromisoformat(told["ts"]),
            valid_until=datetime.fromisoformat(told["valid_until"]),
            payload=_object(told["payload"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("command", "a command as JSON", text) from cause


def result_text(result: CommandResult) -> bytes:
    """Print what became of a command."""
    return printed(
        "detail",
        {
            "v": VERSION,
            "ts": result.at.isoformat(),
            "command_id": result.command_id,
            "outcome": str(result.outcome),
            "reason": result.reason,
            "detail": dict(result.detail),
        },
        EVENT_BYTES_MAX,
    )


def result_of(text: bytes) -> CommandResult:
    """Read what became of a command."""
    try:
        told = read(text)
        return CommandResult(
            command_id=text_of(told["command_id"]),
            outcome=Outcome(told["outcome"]),
            at=datetime.fromisoformat(told["ts"]),
            reason=text_of(told["reason"]),
            detail=_object(told["detail"]),
        )
    except FAULTS as cause:
        raise InvalidFieldError("result", "a result as JSON", text) from cause


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value
