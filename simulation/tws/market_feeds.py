"""Subscriptions to level 1: the touch, the last trade, greeks and generic ticks, only what changed."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulation.broker.model import VOLATILITY_MOST, Greeks, Leg, Quote
from simulation.broker.questions import Day, Print
from simulation.sample_desk.contracts import Contract
from simulation.tws.line import CLOSE, HIGH, LOW, OPEN, Line
from simulation.tws.replies import Message
from simulation.tws.replies import market as say
from simulation.tws.subscriptions import AT_ONCE, Subscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

SAMPLED_EVERY: Final = {"OPT": timedelta(milliseconds=100)}  # documented; all else as shares
SAMPLED_EVERY_SHARE: Final = timedelta(milliseconds=250)
INTEREST_EVERY: Final = timedelta(minutes=1)  # it changes from session to session
PRINTS_MAX = 500  # RTVolume texts of one look; what is left is told at the next

CALL_OPEN_INTEREST, PUT_OPEN_INTEREST, RT_VOLUME, HALTED, RT_TRADE_VOLUME = 27, 28, 48, 49, 77
ASKS_OPEN_INTEREST, ASKS_RT_VOLUME, ASKS_RT_TRADE_VOLUME = 101, 233, 375
MARK_PRICE, LAST_OF_SESSION = 37, 57
ASKS_MARK, ASKS_LAST_OF_SESSION = frozenset({221, 232}), 318
BID_GREEKS, ASK_GREEKS, LAST_GREEKS, MODEL_GREEKS = 10, 11, 12, 13
GREEKS_DELAYED_BY: Final = 70


class Level1(Subscription):
    """The line of one contract."""

    def __init__(
        self, line: Line, contract: Contract, generic_ticks: frozenset[int], *, is_snapshot: bool
    ) -> None:
        super().__init__()
        self._line = line
        self.contract = contract
        self._generic = generic_ticks
        self._is_snapshot = is_snapshot
        self._texts = ("", "")
        self._day: Day | None = None
        self._interest_at = AT_ONCE
        self._model: Greeks | None = None
        self._has_greeks = False
        self._greeks_at: dict[int, Decimal | None] = {}
        self._prints = TapeText(line.request_id, contract.conid, generic_ticks)

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        conid = self.contract.conid
        sampled = now + SAMPLED_EVERY.get(self.contract.asset, SAMPLED_EVERY_SHARE)
        self.due_at = max(sampled, state.broker.next_change(conid, now))
        if state.faults.is_silent(conid):
            self._prints.miss(now)
            return []
        if self._texts != (texts := (state.faults.price_text, state.faults.greeks_text)):
            self._texts = texts
            self._line.forget()  # what was told in the other words is told again
            self._has_greeks, self._interest_at = False, AT_ONCE
        quote = state.broker.quote(conid, now)
        if state.faults.crossed_quotes and quote.bid and quote.ask:
            quote = replace(quote, bid=quote.ask, ask=quote.bid)
        messages = [*self._line.touch(quote), *self._halted(state), *self._marks(state, quote, now)]
        messages += [*self._prints.news(state, quote, now)]
        if self._prints.has_more:
            self.due_at = now
        if self.contract.asset == "OPT":
            messages += [*self._open_interest(state, now), *self._greeks(state, quote, now)]
        if self._is_snapshot:
            self.is_over = True
            messages.append(say.snapshot_end(self._line.request_id))
        return messages

    def _marks(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        """Open, high, low and the close before; and what was asked for: mark price, last of the session."""
        day = self._day
        if day is None or now >= day.until:
            day = self._day = state.broker.day(self.contract.conid, now)
        high, low, last = day.high, day.low, quote.last
        if high is not None and low is not None and last is not None and not low <= last <= high:
            day = self._day = replace(day, high=max(high, last), low=min(low, last))
        for tick, price in ((OPEN, day.open), (HIGH, day.high), (LOW, day.low), (CLOSE, day.close)):
            yield from self._line.mark(tick, price)
        if self._generic & ASKS_MARK and quote.bid is not None and quote.ask is not None:
            yield from self._line.mark(MARK_PRICE, (quote.bid + quote.ask) / 2)
        if ASKS_LAST_OF_SESSION in self._generic:
            yield from self._line.mark(LAST_OF_SESSION, quote.last)

    def _halted(self, state: "GatewayState") -> Iterator[Message]:
        halted = int(self.contract.conid in state.faults.halted)
        if self._line.is_new(HALTED, halted):
            yield say.tick_generic(self._line.request_id, HALTED, halted)

    def _open_interest(self, state: "GatewayState", now: datetime) -> Iterator[Message]:
        if ASKS_OPEN_INTEREST not in self._generic or now < self._interest_at:
            return
        self._interest_at = now + INTEREST_EVERY
        count = state.broker.open_interest(self.contract.conid)
        own, other = CALL_OPEN_INTEREST, PUT_OPEN_INTEREST
        if self.contract.right == "P":
            own, other = other, own
        for tick, told in ((own, count), (other, 0)):
            if self._line.is_new(tick, told):
                yield say.tick_size(self._line.request_id, tick, told)

    def _greeks(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        """Model values at each price where price or model changed; what cannot be computed is said once."""
        model = None if state.faults.withhold_greeks else state.broker.greeks(self.contract.conid, now)
        is_moved = not self._has_greeks or model != self._model
        self._model, self._has_greeks = model, True
        values = None
        for tick, price in (
            (BID_GREEKS, quote.bid),
            (ASK_GREEKS, quote.ask),
            (LAST_GREEKS, quote.last),
            (MODEL_GREEKS, None),
        ):
            if not is_moved and self._greeks_at[tick] == price:
                continue
            self._greeks_at[tick] = price
            told = told_at(model, price, is_model=tick == MODEL_GREEKS)
            if not self._line.is_new(("greeks", tick), told is not None) and told is None:
                continue
            shift = GREEKS_DELAYED_BY if self._line.is_delayed else 0
            if model is None or told is None:
                yield say.option_computation(self._line.request_id, tick + shift, None)
                continue
            values = values or say.values_of(model)
            yield say.option_computation_at(self._line.request_id, tick + shift, *told, values)


class CombinationLevel1(Subscription):
    """The line of a combination: what its legs would cost together; no last trade, no generic ticks."""

    def __init__(self, line: Line, legs: Sequence[Leg], *, is_snapshot: bool) -> None:
        super().__init__()
        self._line = line
        self._legs = tuple(legs)
        self._is_snapshot = is_snapshot

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + SAMPLED_EVERY["OPT"]
        if any(state.faults.is_silent(leg.conid) for leg in self._legs):
            return []
        quotes = [(leg, state.broker.quote(leg.conid, now)) for leg in self._legs]
        messages = [*self._line.touch(_together(quotes, now))]
        if self._is_snapshot:
            self.is_over = True
            messages.append(say.snapshot_end(self._line.request_id))
        return messages


class TapeText:
    """RTVolume: every trade as a text, with the total volume and the average since the line began."""

    def __init__(self, request_id: int, conid: int, generic_ticks: frozenset[int]) -> None:
        self._request_id, self._conid = request_id, conid
        self._ticks = [RT_VOLUME] * (ASKS_RT_VOLUME in generic_ticks)
        self._ticks += [RT_TRADE_VOLUME] * (ASKS_RT_TRADE_VOLUME in generic_ticks)
        self._since: datetime | None = None
        self._heard: int | None = None  # the session's volume at the last look
        self._value, self._volume = Decimal(0), 0
        self._waiting: deque[tuple[Print, int]] = deque()  # with the session's volume up to and with it

    @property
    def has_more(self) -> bool:
        """Whether trades wait for the next look."""
        return bool(self._waiting)

    def news(self, state: "GatewayState", quote: Quote, now: datetime) -> Iterator[Message]:
        """The trades since the last look, as many as one look takes."""
        self._hear(state, quote, now)
        for _ in range(min(PRINTS_MAX, len(self._waiting))):
            each, total = self._waiting.popleft()
            self._value += each.price * each.size
            self._volume += each.size
            average = round(self._value / self._volume, 8) if self._volume else each.price
            for tick in self._ticks:
                yield say.rt_volume(self._request_id, tick, each, total, average)

    def miss(self, now: datetime) -> None:
        """Trades up to now are never told: the total volume of the next one jumps."""
        self._since, self._heard = now, None

    def _hear(self, state: "GatewayState", quote: Quote, now: datetime) -> None:
        since, self._since = self._since, now
        heard, self._heard = self._heard, quote.volume
        if since is None or not self._ticks or heard == quote.volume:
            return  # without volume there was no trade
        prints = state.broker.prints(self._conid, since, now)
        total = quote.volume - sum(each.size for each in prints)
        for each in prints:
            total += each.size
            self._waiting.append((each, total))


def _together(quotes: Sequence[tuple[Leg, Quote]], now: datetime) -> Quote:
    """A combination's touch: bought at the asks of what it buys less the bids of what it sells."""
    near = [_leg_side(leg, quote, wants_bid=True) for leg, quote in quotes]
    far = [_leg_side(leg, quote, wants_bid=False) for leg, quote in quotes]
    return Quote(
        at=now,
        bid=_sum([price for price, _ in near]),
        ask=_sum([price for price, _ in far]),
        bid_size=min((size for _, size in near), default=0),
        ask_size=min((size for _, size in far), default=0),
    )


def _leg_side(leg: Leg, quote: Quote, *, wants_bid: bool) -> tuple[Decimal | None, int]:
    """What one leg adds to a side of the combination, and for how many combinations its size is enough."""
    takes_bid = (leg.action == "BUY") is wants_bid
    price, size = (quote.bid, quote.bid_size) if takes_bid else (quote.ask, quote.ask_size)
    ratio = max(1, leg.ratio)
    signed = None if price is None else price * ratio * (1 if leg.action == "BUY" else -1)
    return signed, size // ratio


def _sum(prices: Sequence[Decimal | None]) -> Decimal | None:
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(prices) else None


def told_at(model: Greeks | None, price: Decimal | None, *, is_model: bool) -> tuple[float, float] | None:
    """Volatility and price at a price of the option: the volatility moves by the difference over vega.

    None where there is no price, or where no volatility gives it: in the last minutes of an option's life its
    vega is next to nothing, and a tick of difference would be a volatility of thousands.
    """
    if model is None:
        return None
    volatility, told = model.implied_volatility, model.price
    if not is_model:
        if price is None or model.vega <= 0:
            return None
        told = float(price)
        volatility += (told - model.price) / model.vega / 100
    return (volatility, told) if 0 < volatility < VOLATILITY_MOST else None
