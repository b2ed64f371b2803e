"""Answers of the broker about positions as the drain stores them, told one after another."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fill_samples import ACCOUNT, option

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from trading.model.broker import BrokerEvent, BrokerEventKind, BrokerPosition, OutboxEntry
from trading.model.broker_payloads import payload_of

NOW = datetime(2026, 7, 17, 17, 0, tzinfo=UTC)
BROKER_LAG = timedelta(days=3)  # a simulated broker plays another day
EVERY = timedelta(seconds=20)
CALL = option().instrument_id


def position(quantity: int, account: str = ACCOUNT) -> dict[str, object]:
    row = BrokerPosition(
        account=account, conid=893396239, instrument_id=CALL, symbol="CZR", quantity=Decimal(quantity),
        average_cost=None,
    )  # fmt: skip
    return payload_of(row)


def _entry(number: int, payload: Mapping[str, object], at: datetime) -> OutboxEntry:
    milliseconds = int(at.timestamp() * 1000)
    event = BrokerEvent(
        kind=BrokerEventKind.ANSWER, heard_at=at, broker_at=at - BROKER_LAG,
        payload={"question": "positions", "reason": "", "from_at": None, "to_at": None, **payload},
    )  # fmt: skip
    return OutboxEntry(
        stream="outbox:broker:{IBKR}", entry_id=f"{milliseconds}-0", epoch="e", sequence=number, event=event
    )


class Told:
    """Answers told one after another, twenty seconds apart from a moment on."""

    def __init__(self, warehouse: Warehouse, begin: datetime = NOW) -> None:
        self.store = ClickHouseBrokerEventStore(warehouse)
        self.begin = begin
        self.number = 0

    def __call__(
        self, *rows: dict[str, object], completeness: str = "complete", **more: object
    ) -> OutboxEntry:
        """One answer."""
        self.number += 1
        at = self.begin + EVERY * self.number
        told = {"rows": list(rows), "completeness": completeness, "accounts": [ACCOUNT], **more}
        entry = _entry(self.number, {"asked_at": at.isoformat(), **told}, at)
        self.store.record([entry], [], at)
        return entry
