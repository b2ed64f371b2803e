"""Made-up positions for the live comparison: few words for what we hold, an answer, and the time between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.broker import BrokerPosition
from trading.model.fills import Venue
from trading.ports.position_record import PositionRecord
from trading.reconciliation.live_positions import OurHoldings, OurPosition, PositionsAnswer

ACCOUNT = "DU1"
FRIDAY = date(2026, 7, 17)
NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
QUIET = timedelta(seconds=10)
CALL = "OPT:CLF   260717C00011500"
PUT = "OPT:CLF   260717P00007500"
NEXT_MONTH = "OPT:CLF   260821C00012000"
INDEX = "OPT:SPXW  260717C06000000"
SHARES = "STK:2001"
CONIDS = {CALL: 1001, PUT: 1002, NEXT_MONTH: 1003, INDEX: 3001, SHARES: 2001}


def symbol_of(instrument_id: str) -> str:
    """What the contract is on."""
    return "SPX" if instrument_id == INDEX else "CLF"


def mine(instrument_id: str, quantity: int, **changes: Any) -> OurPosition:
    """What we hold of a contract, marked at 2 dollars."""
    told: dict[str, Any] = {
        "instrument_id": instrument_id, "conid": CONIDS.get(instrument_id),
        "symbol": symbol_of(instrument_id), "underlying": symbol_of(instrument_id), "currency": "USD",
        "multiplier": Decimal(1 if instrument_id == SHARES else 100), "quantity": Decimal(quantity),
        "mark": Decimal(2), "rate_to_base": Decimal(1),
    }  # fmt: skip
    return OurPosition(**{**told, **changes})


def holdings(*positions: OurPosition, base: date | None = FRIDAY - timedelta(days=1)) -> OurHoldings:
    """Our side of the account."""
    return OurHoldings(venue=Venue.IBKR, account=ACCOUNT, base_session=base, positions=positions)


def answer(at: int, told: Mapping[str, int], **changes: Any) -> PositionsAnswer:
    """A complete answer, asked `at` seconds after noon; quantities by contract."""
    rows = tuple(
        BrokerPosition(
            account=ACCOUNT, conid=CONIDS.get(name, 9), instrument_id=name, symbol=symbol_of(name),
            quantity=Decimal(quantity), average_cost=None,
        )
        for name, quantity in told.items()
    )  # fmt: skip
    when = NOON + timedelta(seconds=at)
    fields: dict[str, Any] = {"account": ACCOUNT, "asked_at": when, "broker_at": when, "positions": rows}
    return PositionsAnswer(**{**fields, **changes})


def two(told: Mapping[str, int], **changes: Any) -> list[PositionsAnswer]:
    """The same answer twice, twenty seconds apart."""
    return [answer(20, told, **changes), answer(40, told, **changes)]


@dataclass(slots=True)
class ToldPositions(PositionRecord):
    """A record that says what a test says."""

    ours: OurHoldings
    told: list[PositionsAnswer] = field(default_factory=list)

    def answers(
        self, venue: Venue, since: datetime, stored_by: datetime | None = None
    ) -> Mapping[str, Sequence[PositionsAnswer]]:
        """By account, oldest first."""
        found: dict[str, list[PositionsAnswer]] = {}
        for item in self.told:
            if item.asked_at >= since:
                found.setdefault(item.account, []).append(item)
        return found

    def holdings(self, venue: Venue, account: str) -> OurHoldings:
        """What the test says that we hold."""
        return self.ours
