"""What the broker answered about positions, and what we hold, from the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sql
from adapters.clickhouse.client import Warehouse
from trading.model.fills import Venue
from trading.model.money import ZERO
from trading.reconciliation.live_positions import OurHoldings, OurPosition

NO_BOOKS = date(1970, 1, 1)  # before every fill: all of them count
COPIED = (
    "instrument_id", "conid", "symbol", "underlying", "currency", "multiplier", "quantity", "missing",
    "mark", "rate_to_base", "changed_at",
)  # fmt: skip


def our_holdings(warehouse: Warehouse, venue: Venue, account: str) -> OurHoldings:
    """What we hold: the base books by one question, the lots of them and the fills since by another."""
    whose = {"venue": str(venue), "account": account}
    base: Mapping[str, Any] = next(iter(warehouse.rows(sql.query("live_base"), whose)), {})
    asked = {
        **whose,
        "base": base.get("session", NO_BOOKS),
        "run_id": base.get("run_id", ""),
        "base_currency": base.get("base_currency", ""),
    }
    rows = warehouse.rows(sql.query("live_holdings"), asked)
    return OurHoldings(
        venue=venue,
        account=account,
        base_session=base.get("session"),
        positions=[OurPosition(**{name: row[name] for name in COPIED}) for row in rows],
    )
