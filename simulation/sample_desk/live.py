"""What the gateway told: executions and commission reports as recorded messages, one JSON object a line.

`live_lines` is the stream of the day, with what streams do: messages that never came, came twice, came in
another order, commissions minutes late or before their execution, all of it again after a reconnect.
`same_day_lines` is the answer to the evening's executions request: complete, but only since midnight of New
York. Field layouts are those of messages recorded from a real gateway (31 fields and 8); busts are never
told here, the statement brings them.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from simulation.sample_desk.books import Effect
from simulation.sample_desk.contracts import plain
from simulation.sample_desk.flex_values import money
from simulation.sample_desk.month import Evening, is_executed
from simulation.sample_desk.numbering import COMBINATION_PART
from simulation.sample_desk.trades import Print, Trade, TradeKind
from trading.model.times import NEW_YORK

UNSET = "1.7976931348623157E308"  # how the gateway writes a number that it does not have
LIVE_REQUEST = "-1"
SAME_DAY_REQUEST = "9001"
COMBINATION_CONID = "28812380"
LOST_PERCENT, REPEATED_PERCENT, LATE_PERCENT = 3, 8, 10
COMMISSION_LOST_PERCENT, COMMISSION_EARLY_PERCENT, COMMISSION_TWICE_PERCENT = 6, 4, 5
RECONNECT_PERCENT = 33  # of the sessions: the gateway drops and everything so far is told again
EXECUTION, COMMISSION, ACCOUNTS = "11", "59", "15"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message and when it arrived."""

    arrived_at: datetime
    fields: tuple[str, ...]


def live_lines(evening: Evening, seed: int, untold: Collection[str] = ()) -> list[str]:
    """The stream as one client saw it; `untold` are fill ids that never came."""
    rng = Random(f"live {seed} {evening.account.name} {evening.session}")
    told: list[Told] = []
    for effect, row in _printed(evening, untold):
        told += _live_execution(rng, evening, effect, row)
        told += _live_commission(rng, effect, row)
    told += _combinations(evening, LIVE_REQUEST)
    told += _replayed(rng, told)
    return [_login(evening), *_lines(told)]


def same_day_lines(evening: Evening, untold: Collection[str] = ()) -> list[str]:
    """The answer to the executions request after the close: all since midnight, each with its commission."""
    midnight = datetime.combine(evening.session, time(0), NEW_YORK)
    told: list[Told] = []
    for effect, row in _printed(evening, untold):
        if effect.trade.executed_at >= midnight:
            told.append(
                Told(arrived_at=row.said_at, fields=_execution(evening, effect, row, SAME_DAY_REQUEST))
            )
            told.append(Told(arrived_at=row.said_at, fields=_commission(effect, row)))
    return [_login(evening), *_lines([*told, *_combinations(evening, SAME_DAY_REQUEST)])]


def _login(evening: Evening) -> str:
    """The first thing a gateway says: which accounts the login has."""
    return json.dumps({"fields": [ACCOUNTS, "1", evening.account.name]})


def _printed(evening: Evening, untold: Collection[str]) -> Iterable[tuple[Effect, Print]]:
    for effect in evening.effects:
        if is_executed(effect.trade) and effect.trade.fill_id not in untold:
            for row in effect.trade.prints:
                yield effect, row


def _live_execution(rng: Random, evening: Evening, effect: Effect, row: Print) -> list[Told]:
    draw = rng.randrange(100)
    if draw < LOST_PERCENT:
        return []
    late = timedelta(seconds=rng.randint(30, 900) if rng.randrange(100) < LATE_PERCENT else 0)
    fields = _execution(evening, effect, row, LIVE_REQUEST)
    first = Told(arrived_at=row.said_at + late, fields=fields)
    if draw >= 100 - REPEATED_PERCENT:
        return [
            first,
            Told(arrived_at=first.arrived_at + timedelta(seconds=rng.randint(1, 300)), fields=fields),
        ]
    return [first]


def _live_commission(rng: Random, effect: Effect, row: Print) -> list[Told]:
    draw = rng.randrange(100)
    if draw < COMMISSION_LOST_PERCENT:
        return []
    delay = rng.randint(60, 1_200) if rng.randrange(100) < LATE_PERCENT else 1
    if draw >= 100 - COMMISSION_EARLY_PERCENT:
        delay = -1
    fields = _commission(effect, row)
    first = Told(arrived_at=row.said_at + timedelta(seconds=delay), fields=fields)
    if draw < COMMISSION_LOST_PERCENT + COMMISSION_TWICE_PERCENT:
        return [first, Told(arrived_at=first.arrived_at + timedelta(seconds=2), fields=fields)]
    return [first]


def _replayed(rng: Random, told: Sequence[Told]) -> list[Told]:
    """After a reconnect everything so far comes again, in the order of the gateway."""
    if not told or rng.randrange(100) >= RECONNECT_PERCENT:
        return []
    ordered = sorted(told, key=lambda item: item.arrived_at)
    seen = ordered[: rng.randint(1, len(ordered))]
    back_at = seen[-1].arrived_at + timedelta(milliseconds=500)
    return [Told(arrived_at=back_at, fields=item.fields) for item in seen]


def _lines(told: Iterable[Told]) -> list[str]:
    ordered = sorted(told, key=lambda item: item.arrived_at)
    return [json.dumps({"fields": list(item.fields)}) for item in ordered]


def _execution(evening: Evening, effect: Effect, row: Print, request: str) -> tuple[str, ...]:
    trade = effect.trade
    order = trade.order
    done = _done_by_then(evening, trade, row)
    return (
        *(EXECUTION, request, str(order.order_id)),
        *_contract_fields(trade),
        row.exec_id,
        _stamp(trade.executed_at, evening.account.live_zone),
        trade.account,
        trade.exchange,
        "BOT" if trade.side > 0 else "SLD",
        *(plain(row.quantity), plain(row.price)),
        *(str(order.perm_id), str(order.client_id), "0"),
        *(plain(done), plain(row.price)),
        order.reference,
        *("", "", "", str(trade.liquidity)),
    )


def _contract_fields(trade: Trade) -> tuple[str, ...]:
    contract = trade.contract
    if contract.asset == "CASH":
        base, _, quote = contract.symbol.partition(".")
        return (
            str(contract.conid), base, "CASH", "", "0.0", "", "", trade.exchange, quote, contract.symbol,
            contract.symbol,
        )  # fmt: skip
    if contract.underlying is None:
        raise ValueError(f"contract: expected an underlying, was {contract.symbol}")
    symbol, root = contract.underlying.symbol, contract.underlying.option_root
    if contract.asset == "STK":
        return (str(contract.conid), symbol, "STK", "", "0.0", "", "", trade.exchange, "USD", symbol, "NMS")
    expiry = f"{contract.expiry:%Y%m%d}"
    strike, size = plain(contract.strike or 0), str(contract.multiplier)
    return (
        str(contract.conid), symbol, "OPT", expiry, strike, contract.right, size, trade.exchange, "USD",
        contract.symbol, root,
    )  # fmt: skip


def _done_by_then(evening: Evening, trade: Trade, row: Print) -> Decimal:
    """Quantity of the order filled so far, as the gateway counts it."""
    done = Decimal(0)
    for other in evening.trades:
        if other.order.perm_id == trade.order.perm_id and other.place <= trade.place:
            done += other.prints[0].quantity if other is not trade else row.quantity
    return done


def _commission(effect: Effect, row: Print) -> tuple[str, ...]:
    trade = effect.trade
    closing = effect.closed and row is trade.last
    realized = money(effect.realized) if closing else UNSET
    return (COMMISSION, "1", row.exec_id, money(row.fee), trade.fee_currency, realized, UNSET, "")


def _combinations(evening: Evening, request: str) -> list[Told]:
    """The gateway also reports the combination itself, as part 01 of its legs' id; only legs are fills."""
    groups: dict[int, list[Trade]] = defaultdict(list)
    for trade in evening.trades:
        if trade.order.group and trade.kind is TradeKind.EXECUTION:
            groups[trade.order.group].append(trade)
    return [_combination(evening, legs, request) for _, legs in sorted(groups.items())]


def _combination(evening: Evening, legs: Sequence[Trade], request: str) -> Told:
    first = legs[0]
    symbol = first.contract.underlying.symbol if first.contract.underlying else ""
    net = sum((leg.side * leg.last.price for leg in legs), Decimal(0))
    quantity = plain(first.prints[0].quantity)
    base = ".".join(first.last.exec_id.split(".")[:2])
    fields = (
        *(EXECUTION, request, str(first.order.order_id)),
        *(COMBINATION_CONID, symbol, "BAG", "", "0.0", "", "", first.exchange, "USD", symbol, "COMB"),
        f"{base}.{COMBINATION_PART:02d}.01",
        _stamp(first.executed_at, evening.account.live_zone),
        *(first.account, first.exchange, "BOT", quantity, plain(net)),
        *(str(first.order.perm_id), str(first.order.client_id), "0", quantity, plain(net)),
        *(first.order.reference, "", "", "", "2"),
    )
    return Told(arrived_at=first.executed_at, fields=fields)


def _stamp(moment: datetime, zone: str) -> str:
    """The gateway's time: with the zone it is set to, or in its newer UTC form when it is set to none."""
    if not zone:
        return f"{moment.astimezone(UTC):%Y%m%d-%H:%M:%S}"
    return f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d %H:%M:%S} {zone}"


def trade_rows_in(lines: Iterable[str]) -> int:
    """How many executions are told; reports of a combination itself are not counted."""
    told = (json.loads(line)["fields"] for line in lines)
    return sum(fields[0] == EXECUTION and fields[5] != "BAG" for fields in told)
