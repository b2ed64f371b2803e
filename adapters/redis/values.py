"""Live values as JSON and back: money as strings, times in ISO with their zone, a schema version in each."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from trading.model.broker import BrokerOrder, BrokerPosition
from trading.model.broker_payloads import order_of, payload_of, position_of
from trading.model.money import canonical
from trading.ports.live_state import AccountDailyPnl, ClosedPosition, Lock, LockScope

VERSION = 1


def lock_text(lock: Lock) -> bytes:
    """Print a lock."""
    return _printed(lock.since, scope=str(lock.scope), scope_id=lock.scope_id, reason=lock.reason)


def lock_of(text: bytes) -> Lock:
    """Read a lock."""
    told = orjson.loads(text)
    return Lock(
        scope=LockScope(told["scope"]),
        scope_id=told["scope_id"],
        reason=told["reason"],
        since=_moment(told["ts"]),
    )


def closed_position_text(position: ClosedPosition) -> bytes:
    """Print a closed position."""
    return _printed(
        position.closed_at,
        account=position.account,
        session=position.session.isoformat(),
        instrument=position.instrument,
        symbol=position.symbol,
        currency=position.currency,
        realized=canonical(position.realized),
        fees=canonical(position.fees),
        quantity_closed=canonical(position.quantity_closed),
        placeholder=position.placeholder,
    )


def closed_position_of(text: bytes) -> ClosedPosition:
    """Read a closed position."""
    told = orjson.loads(text)
    return ClosedPosition(
        account=told["account"],
        session=date.fromisoformat(told["session"]),
        instrument=told["instrument"],
        symbol=told["symbol"],
        currency=told["currency"],
        realized=Decimal(told["realized"]),
        fees=Decimal(told["fees"]),
        quantity_closed=Decimal(told["quantity_closed"]),
        closed_at=_moment(told["ts"]) if told["ts"] else None,
        placeholder=told["placeholder"],
    )


def daily_pnl_text(pnl: AccountDailyPnl) -> bytes:
    """Print one account's P&L."""
    return _printed(
        pnl.computed_at,
        account=pnl.account,
        session=pnl.session.isoformat(),
        base_currency=pnl.base_currency,
        realized=canonical(pnl.realized),
        fees=canonical(pnl.fees),
        unrealized=None if pnl.unrealized is None else canonical(pnl.unrealized),
    )


def daily_pnl_of(text: bytes) -> AccountDailyPnl:
    """Read one account's P&L."""
    told: Mapping[str, Any] = orjson.loads(text)
    return AccountDailyPnl(
        account=told["account"],
        session=date.fromisoformat(told["session"]),
        base_currency=told["base_currency"],
        realized=Decimal(told["realized"]),
        fees=Decimal(told["fees"]),
        unrealized=None if told["unrealized"] is None else Decimal(told["unrealized"]),
        computed_at=_moment(told["ts"]),
    )


def position_text(position: BrokerPosition, asked_at: datetime) -> bytes:
    """Print an open position."""
    return _printed(asked_at, **payload_of(position))


def position_of_text(text: bytes) -> BrokerPosition:
    """Read an open position."""
    return position_of(orjson.loads(text))


def order_text(order: BrokerOrder) -> bytes:
    """Print a working order."""
    return _printed(None, **payload_of(order))


def order_of_text(text: bytes) -> BrokerOrder:
    """Read a working order."""
    return order_of(orjson.loads(text))


def heartbeat_text(now: datetime) -> bytes:
    """Print a heartbeat."""
    return _printed(now)


def heartbeat_of(text: bytes) -> datetime:
    """Read when a component last lived."""
    return _moment(orjson.loads(text)["ts"])


def _printed(ts: datetime | None, **fields: object) -> bytes:
    return orjson.dumps({"v": VERSION, "ts": ts.isoformat() if ts else None, **fields})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
