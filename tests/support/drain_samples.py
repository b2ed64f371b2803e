"""Events as a broker session writes them, from a seed: executions, corrections, fees, answers, orders."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.ibkr.executions import COMMISSION_NAMES, EXECUTION_NAMES
from trading.model.broker import AccountValue, BrokerEvent, BrokerEventKind, BrokerOrder, BrokerPosition
from trading.model.broker_payloads import payload_of
from trading.ports.clock import Clock

OPEN = datetime(2026, 11, 13, 14, 30, tzinfo=UTC)
ACCOUNTS = ("DU1", "DU2")
EXECUTION_FIELDS = EXECUTION_NAMES[:31]


class SteppingClock(Clock):
    """A clock that a test moves; each look is a millisecond later."""

    def __init__(self, start: datetime = OPEN) -> None:
        self.at = start

    def now(self) -> datetime:
        """The time that the test set."""
        self.at += timedelta(milliseconds=1)
        return self.at


def execution(exec_id: str, account: str = "DU1", **changes: str) -> list[str]:
    """An execution message of one SPXW call."""
    told = {
        "msgId": "11",
        "reqId": "-1",
        "orderId": "5",
        "conId": "893396239",
        "symbol": "SPX",
        "secType": "OPT",
        "expiry": "20261113",
        "strike": "6900",
        "right": "C",
        "multiplier": "100",
        "exchange": "CBOE",
        "currency": "USD",
        "localSymbol": "SPXW  261113C06900000",
        "tradingClass": "SPXW",
        "execId": exec_id,
        "time": "20261113 10:30:00 US/Eastern",
        "account": account,
        "execExchange": "CBOE",
        "side": "BOT",
        "shares": "2",
        "price": "1.25",
        "permId": "77",
        "clientId": "3",
        "liquidation": "0",
        "cumQty": "2",
        "avgPrice": "1.25",
        "orderRef": "sig:1",
        "evRule": "",
        "evMultiplier": "",
        "modelCode": "",
        "liquidity": "2",
    }
    told |= changes
    return [told[name] for name in EXECUTION_FIELDS]


def commission(exec_id: str, amount: str = "1.3", currency: str = "USD") -> list[str]:
    """A commission report."""
    told = ["59", "1", exec_id, amount, currency, "0.0", "0.0", ""]
    assert len(told) == len(COMMISSION_NAMES)
    return told


def event(
    kind: BrokerEventKind, payload: dict[str, Any], at: datetime = OPEN, account: str = ""
) -> BrokerEvent:
    """An event heard then."""
    return BrokerEvent(kind=kind, heard_at=at, broker_at=at, account=account, payload=payload)


def message(fields: Sequence[str], at: datetime = OPEN) -> BrokerEvent:
    """A message as it came."""
    return event(BrokerEventKind.MESSAGE, {"fields": list(fields), "time_zone": "America/New_York"}, at)


def answer(
    question: str, rows: Sequence[Any] = (), completeness: str = "complete", at: datetime = OPEN, **more: Any
) -> BrokerEvent:
    """An answer that ended."""
    payload = {
        "question": question,
        "completeness": completeness,
        "reason": "",
        "rows": [payload_of(row) for row in rows],
        "accounts": list(ACCOUNTS),
        "asked_at": at.isoformat(),
        "from_at": None,
        "to_at": None,
    }
    return event(BrokerEventKind.ANSWER, payload | more, at)


def swept(start: datetime, end: datetime, completeness: str = "complete") -> BrokerEvent:
    """An answer about executions that covers this."""
    return answer("executions", (), completeness, at=end, from_at=start.isoformat(), to_at=end.isoformat())


def position(account: str = "DU1", conid: int = 1, quantity: str = "2") -> BrokerPosition:
    """What is held."""
    return BrokerPosition(
        account=account,
        conid=conid,
        instrument_id=f"OPT:{conid}",
        symbol="SPX",
        quantity=Decimal(quantity),
        average_cost=Decimal("125.65"),
    )


def order(status: str = "Submitted", perm_id: str = "77", **changes: Any) -> BrokerOrder:
    """An order for two calls."""
    told: dict[str, Any] = {
        "account": "DU1",
        "perm_id": perm_id,
        "order_ref": f"sig:{perm_id}",
        "client_id": 3,
        "order_id": 12,
        "parent_perm_id": "",
        "conid": 9,
        "instrument_id": "OPT:X",
        "symbol": "SPX",
        "side": "BUY",
        "order_type": "LMT",
        "quantity": Decimal(2),
        "limit_price": Decimal("0.75"),
        "stop_price": None,
        "time_in_force": "DAY",
        "oca_group": "",
        "oca_type": 0,
        "status": status,
        "filled": Decimal(0),
        "remaining": Decimal(2),
        "average_price": None,
    }
    return BrokerOrder(**{**told, **changes})


def ordered(told: BrokerOrder, at: datetime = OPEN) -> BrokerEvent:
    """An order event."""
    return event(BrokerEventKind.ORDER, payload_of(told), at, told.account)


def day_of_messages(seed: int, fills: int) -> list[list[str]]:
    """Executions, every fifth corrected, some combinations, each with its fee; all told up to three times."""
    rng = random.Random(seed)
    told: list[list[str]] = []
    for number in range(fills):
        account = rng.choice(ACCOUNTS)
        name = f"{seed:04x}.{number:06x}.01"
        for revision in range(1, 3 if number % 5 == 0 else 2):
            exec_id = f"{name}.{revision:02d}"
            at = OPEN + timedelta(seconds=number)
            told.append(
                execution(
                    exec_id,
                    account,
                    shares=str(rng.randint(1, 9) + revision),
                    price=f"{rng.randint(5, 900) / 100:.2f}",
                    side=rng.choice(("BOT", "SLD")),
                    time=at.strftime("%Y%m%d %H:%M:%S UTC"),
                    orderId=str(number // 3),
                )
            )
            told.append(commission(exec_id, f"{rng.randint(10, 400) / 100:.2f}"))
        if number % 11 == 0:
            told.append(execution(f"{name}.bag.01", account, secType="BAG"))
            told.append(commission(f"{name}.bag.01", "9.99"))
    repeats = [rng.choice(told) for _ in range(len(told) // 2)]
    again = [["11", "9001", *fields[2:]] for fields in repeats if fields[0] == "11"]
    return told + again + [fields for fields in repeats if fields[0] == "59"]


def day_of_events(seed: int, fills: int) -> list[BrokerEvent]:
    """The messages in a seeded disorder among answers, orders and figures, in the order of hearing."""
    rng = random.Random(seed)
    messages = day_of_messages(seed, fills)
    rng.shuffle(messages)
    events: list[BrokerEvent] = []
    for place, fields in enumerate(messages):
        at = OPEN + timedelta(milliseconds=200 * place)
        events.append(message(fields, at))
        if place % 7 == 0:
            status = rng.choice(("PreSubmitted", "Submitted", "Filled", "Cancelled"))
            events.append(ordered(order(status, str(100 + place % 13)), at))
        if place % 17 == 0:
            rows = [position(account, 1, str(rng.randint(-5, 5))) for account in ACCOUNTS]
            events.append(answer("positions", rows, rng.choice(("complete", "complete", "partial")), at))
        if place % 19 == 0:
            value = AccountValue(account="DU1", name="NetLiquidation", value=str(place), currency="USD")
            events.append(event(BrokerEventKind.ACCOUNT_VALUE, payload_of(value), at, "DU1"))
        if place % 23 == 0:
            events.append(swept(OPEN - timedelta(hours=1), at, rng.choice(("complete", "partial"))))
    return events
