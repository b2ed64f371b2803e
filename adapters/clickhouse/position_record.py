"""What the broker answered about positions, and what we hold, from the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

import sql
from adapters.clickhouse.client import Warehouse
from trading.errors import InvalidFieldError
from trading.model.broker_payloads import position_of
from trading.model.fills import Venue
from trading.ports.position_record import PositionRecord
from trading.reconciliation.live_positions import ANSWERS_MAX, OurHoldings, OurPosition, PositionsAnswer

NO_BOOKS = date(1970, 1, 1)  # before every fill: all of them count
LAST_MOMENT = datetime(2199, 1, 1, tzinfo=UTC)
COPIED = (
    "instrument_id", "conid", "symbol", "underlying", "currency", "multiplier", "quantity", "missing",
    "mark", "rate_to_base", "changed_at",
)  # fmt: skip


class ClickHousePositionRecord(PositionRecord):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def answers(
        self, venue: Venue, since: datetime, stored_by: datetime | None = None
    ) -> Mapping[str, Sequence[PositionsAnswer]]:
        """Return the newest complete answers by account; only IBKR is asked for positions."""
        asked = {"since": since, "stored_by": stored_by or LAST_MOMENT, "most": ANSWERS_MAX}
        found: dict[str, list[PositionsAnswer]] = {}
        for row in self._warehouse.rows(sql.query("positions_answers"), asked) if venue is Venue.IBKR else ():
            answer = _answer_of(row)
            if answer is not None:
                found.setdefault(answer.account, []).append(answer)
        return {account: list(reversed(answers)) for account, answers in found.items()}

    def holdings(self, venue: Venue, account: str) -> OurHoldings:
        """Ask for the base books, then for their lots and the fills since."""
        whose = {"venue": str(venue), "account": account}
        base: Mapping[str, Any] = next(iter(self._warehouse.rows(sql.query("live_base"), whose)), {})
        asked = {
            **whose,
            "base": base.get("session", NO_BOOKS),
            "run_id": base.get("run_id", ""),
            "base_currency": base.get("base_currency", ""),
        }
        rows = self._warehouse.rows(sql.query("live_holdings"), asked)
        return OurHoldings(
            venue=venue,
            account=account,
            base_session=base.get("session"),
            positions=[OurPosition(**{name: row[name] for name in COPIED}) for row in rows],
        )


def _answer_of(row: Mapping[str, Any]) -> PositionsAnswer | None:
    """An answer with a row that cannot be read is not complete: nothing may be concluded from it."""
    try:
        positions = tuple(position_of(orjson.loads(line)) for line in row["lines"])
    except (InvalidFieldError, orjson.JSONDecodeError):
        return None
    return PositionsAnswer(
        account=row["account"], asked_at=row["asked_at"], broker_at=row["broker_at"], positions=positions
    )
