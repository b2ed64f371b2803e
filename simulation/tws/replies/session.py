"""The connection itself: version, accounts, next id, time, notices and errors."""

from collections.abc import Sequence
from datetime import datetime

from simulation.tws import versions
from simulation.tws.replies import Message

NO_REQUEST = -1


def handshake(version: int, connected_at: str) -> Message:
    """The two texts that end the handshake; no message id."""
    return [str(version), connected_at]


def managed_accounts(accounts: Sequence[str]) -> Message:
    """The accounts this login sees, comma-separated."""
    return ["15", "1", ",".join(accounts)]


def next_valid_id(order_id: int) -> Message:
    """The lowest order id the client may use."""
    return ["9", "1", str(order_id)]


def current_time(now: datetime) -> Message:
    """The gateway's clock in whole seconds since the epoch."""
    return ["49", "1", str(int(now.timestamp()))]


def error(version: int, request_id: int, code: int, text: str, reject_json: str = "") -> Message:
    """An error or notice about a request, an order, or (-1) the connection."""
    message = ["4", "2", str(request_id), str(code), text]
    return [*message, reject_json] if version >= versions.REJECT_JSON else message
