"""Market data: ticks, greeks, depth, tick by tick."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Greeks
from simulation.broker.questions import DepthRow, Print
from simulation.tws.fields import double, flag, plain
from simulation.tws.replies import Message

NOT_COMPUTED = "-1"  # volatility, price, dividend, underlying
NOT_COMPUTED_GREEK = "-2"
PAST_LIMIT = 1
UNREPORTED = 2
CAN_AUTO_EXECUTE = 1
EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def request_parameters(request_id: int, min_tick: Decimal, exchange_map: str, permissions: int) -> Message:
    """What comes first on a market data line."""
    return ["81", str(request_id), plain(min_tick), exchange_map, str(permissions)]


def data_type(request_id: int, kind: int) -> Message:
    """1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""
    return ["58", "1", str(request_id), str(kind)]


def tick_price(
    request_id: int, tick: int, price: Decimal, size: int, mask: int = CAN_AUTO_EXECUTE
) -> Message:
    """A price with its size; exactly seven texts. A price that is gone is -1."""
    return ["1", "6", str(request_id), str(tick), double(price), str(size), str(mask)]


def tick_size(request_id: int, tick: int, size: int) -> Message:
    """A size alone."""
    return ["2", "6", str(request_id), str(tick), str(size)]


def tick_generic(request_id: int, tick: int, value: Decimal | int) -> Message:
    """A number of its own kind, halted among them."""
    return ["45", "6", str(request_id), str(tick), double(value)]


def tick_string(request_id: int, tick: int, value: str) -> Message:
    """A text of its own kind, RTVolume among them."""
    return ["46", "6", str(request_id), str(tick), value]


def rt_volume(request_id: int, tick: int, trade: Print, total: int, average: Decimal) -> Message:
    """One trade as `price;size;ms;total volume;average;single`."""
    at_ms = (trade.at - EPOCH) // MILLISECOND
    text = f"{plain(trade.price)};{trade.size};{at_ms};{total};{plain(average)};true"
    return tick_string(request_id, tick, text)


def snapshot_end(request_id: int) -> Message:
    """A snapshot is whole."""
    return ["57", "1", str(request_id)]


def values_of(greeks: Greeks) -> tuple[str, ...]:
    """What is the same at every price: delta, gamma, vega, theta, underlying."""
    tail = (greeks.gamma, greeks.vega, greeks.theta, greeks.underlying)
    return (double(greeks.delta), *map(double, tail))


def option_computation_at(
    request_id: int, tick: int, volatility: float, price: float, values: tuple[str, ...]
) -> Message:
    """Model values of an option at one price, the others as `values_of` spelled them."""
    delta, *tail = values
    return ["21", str(request_id), str(tick), "1", double(volatility), delta, double(price), "0.0", *tail]


def option_computation(request_id: int, tick: int, greeks: Greeks | None) -> Message:
    """Model values of an option; where none could be computed, the marks for that."""
    if greeks is not None:
        volatility, price = greeks.implied_volatility, greeks.price
        return option_computation_at(request_id, tick, volatility, price, values_of(greeks))
    head = ["21", str(request_id), str(tick), "1"]
    values = [NOT_COMPUTED, NOT_COMPUTED_GREEK, NOT_COMPUTED, NOT_COMPUTED]
    return [*head, *values, *[NOT_COMPUTED_GREEK] * 3, NOT_COMPUTED]


def depth(request_id: int, position: int, operation: int, side: int, row: DepthRow | None) -> Message:
    """One change of a book: operation 0 insert, 1 update, 2 delete; side 0 ask, 1 bid."""
    price, size = _level(row)
    return ["12", "1", str(request_id), str(position), str(operation), str(side), price, size]


def depth_by_maker(
    request_id: int, position: int, operation: int, side: int, row: DepthRow | None, is_smart: bool
) -> Message:
    """The same with whose size it is: a market maker's, or an exchange's in a SMART book."""
    price, size = _level(row)
    maker = row.maker if row else ""
    head = ["13", "1", str(request_id), str(position), maker, str(operation), str(side)]
    return [*head, price, size, flag(is_smart)]


def _level(row: DepthRow | None) -> tuple[str, str]:
    return (double(row.price), str(row.size)) if row else ("0.0", "0")


def tick_by_tick_trade(request_id: int, kind: int, trade: Print) -> Message:
    """One trade; kind 1 last, 2 all last."""
    mask = PAST_LIMIT * trade.past_limit + UNREPORTED * trade.unreported
    head = ["99", str(request_id), str(kind), _seconds(trade.at), double(trade.price), str(trade.size)]
    return [*head, str(mask), trade.exchange, trade.conditions]


def tick_by_tick_quote(
    request_id: int, at: datetime, bid: Decimal, ask: Decimal, bid_size: int, ask_size: int
) -> Message:
    """One change of the touch."""
    head = ["99", str(request_id), "3", _seconds(at), double(bid), double(ask)]
    return [*head, str(bid_size), str(ask_size), "0"]


def tick_by_tick_mid(request_id: int, at: datetime, mid: Decimal) -> Message:
    """One change of the middle."""
    return ["99", str(request_id), "4", _seconds(at), double(mid)]


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
