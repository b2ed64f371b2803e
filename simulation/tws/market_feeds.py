"""Subscriptions to level 1: the touch, the last trade, greeks and generic ticks, only what changed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulation.broker.model import Greeks, Quote
from simulation.broker.questions import ContractRecord
from simulation.tws.replies import Message
from simulation.tws.replies import market as say
from simulation.tws.subscriptions import Subscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

SAMPLED_EVERY: Final = {"OPT": timedelta(milliseconds=100)}  # documented; all else as shares
SAMPLED_EVERY_SHARE: Final = timedelta(milliseconds=250)
PRINTS_MAX = 500  # RTVolume texts of one sample
GONE = Decimal(-1)

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8
CALL_OPEN_INTEREST, PUT_OPEN_INTEREST, RT_VOLUME, HALTED, RT_TRADE_VOLUME = 27, 28, 48, 49, 77
ASKS_OPEN_INTEREST, ASKS_RT_VOLUME, ASKS_RT_TRADE_VOLUME = 101, 233, 375
BID_GREEKS, ASK_GREEKS, LAST_GREEKS, MODEL_GREEKS = 10, 11, 12, 13
DELAYED: Final = {BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, VOLUME: 74}
GREEKS_DELAYED_BY: Final = 70


class Level1(Subscription):
    """One market data line."""

    def __init__(
        self,
        request_id: int,
        record: ContractRecord,
        generic_ticks: frozenset[int],
        *,
        is_snapshot: bool,
        is_delayed: bool,
    ) -> None:
        super().__init__()
        self.request_id = request_id
        self.record = record
        self._generic = generic_ticks
        self._is_snapshot = is_snapshot
        self._is_delayed = is_delayed
        self._told: dict[int, object] = {}
        self._prints_since: datetime | None = None

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        contract = self.record.contract
        self.due_at = now + SAMPLED_EVERY.get(contract.asset, SAMPLED_EVERY_SHARE)
        if state.faults.silent_market:
            return []
        quote = state.broker.quote(contract.conid, now)
        if state.faults.crossed_quotes and quote.bid and quote.ask:
            quote = replace(quote, bid=quote.ask, ask=quote.bid)
        messages = [*self._touch(quote), *self._generic_ticks(state, quote, now)]
        if contract.asset == "OPT":
            messages += self._greeks(state, quote, now)
        if self._is_snapshot:
            self.is_over = True
            messages.append(say.snapshot_end(self.request_id))
        return messages

    def _touch(self, quote: Quote) -> Iterator[Message]:
        yield from self._side(BID, BID_SIZE, quote.bid, quote.bid_size)
        yield from self._side(ASK, ASK_SIZE, quote.ask, quote.ask_size)
        if quote.last is not None:
            yield from self._side(LAST, LAST_SIZE, quote.last, quote.last_size)
        if self._is_new(VOLUME, quote.volume):
            yield say.tick_size(self.request_id, self._tick(VOLUME), quote.volume)

    def _side(self, price_tick: int, size_tick: int, price: Decimal | None, size: int) -> Iterator[Message]:
        """A changed price is told with its size, and the size once more by itself; a size alone by itself."""
        told = GONE if price is None else price
        size_is_new = self._is_new(size_tick, size)
        if self._is_new(price_tick, told):
            yield say.tick_price(self.request_id, self._tick(price_tick), told, size)
            yield say.tick_size(self.request_id, self._tick(size_tick), size)
        elif size_is_new:
            yield say.tick_size(self.request_id, self._tick(size_tick), size)

    def _generic_ticks(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        conid = self.record.contract.conid
        halted = int(conid in state.faults.halted)
        if self._is_new(HALTED, halted):
            yield say.tick_generic(self.request_id, HALTED, halted)
        if ASKS_OPEN_INTEREST in self._generic and self.record.contract.asset == "OPT":
            yield from self._open_interest(state.broker.open_interest(conid))
        if self._generic & {ASKS_RT_VOLUME, ASKS_RT_TRADE_VOLUME}:
            yield from self._prints(state, quote, now)

    def _open_interest(self, count: int) -> Iterator[Message]:
        is_call = self.record.contract.right == "C"
        for tick, told in (
            (CALL_OPEN_INTEREST, count if is_call else 0),
            (PUT_OPEN_INTEREST, 0 if is_call else count),
        ):
            if self._is_new(tick, told):
                yield say.tick_size(self.request_id, tick, told)

    def _prints(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        since, self._prints_since = self._prints_since, now
        if since is None:
            return
        prints = state.broker.prints(self.record.contract.conid, since, now)[:PRINTS_MAX]
        total = quote.volume - sum(each.size for each in prints)
        ticks = [RT_VOLUME] * (ASKS_RT_VOLUME in self._generic)
        ticks += [RT_TRADE_VOLUME] * (ASKS_RT_TRADE_VOLUME in self._generic)
        for each in prints:
            total += each.size
            for tick in ticks:
                yield say.rt_volume(self.request_id, tick, each, total, each.price)

    def _greeks(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        model = None if state.faults.withhold_greeks else state.broker.greeks(self.record.contract.conid, now)
        for tick, price in (
            (BID_GREEKS, quote.bid),
            (ASK_GREEKS, quote.ask),
            (LAST_GREEKS, quote.last),
            (MODEL_GREEKS, None),
        ):
            greeks = model if tick == MODEL_GREEKS else _at_price(model, price)
            if self._is_new(1_000 + tick, greeks):
                shift = GREEKS_DELAYED_BY if self._is_delayed else 0
                yield say.option_computation(self.request_id, tick + shift, greeks)

    def _tick(self, tick: int) -> int:
        return DELAYED[tick] if self._is_delayed else tick

    def _is_new(self, tick: int, value: object) -> bool:
        if tick in self._told and self._told[tick] == value:
            return False
        self._told[tick] = value
        return True


def _at_price(model: Greeks | None, price: Decimal | None) -> Greeks | None:
    """Model values at another price of the option: the volatility moves by the difference over vega.

    None where there is no price, or where no volatility gives it.
    """
    if model is None or price is None or model.vega <= 0:
        return None
    volatility = model.implied_volatility + (float(price) - model.price) / model.vega / 100
    if volatility <= 0:
        return None
    return replace(model, implied_volatility=volatility, price=float(price))
