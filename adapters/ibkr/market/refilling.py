"""History is asked for the minutes that nobody heard whole: when, how often, and what a refusal does.

A link that was lost, a process that was away and a line that was refused all leave holes in the minutes;
where they are is told by the minutes themselves (`trading/market/minute_holes`), so none is forgotten, and
after a restart they are found again in what the live state has. One request for each symbol and hole.

What can lose money here: asking so often that the broker refuses what matters more. So few questions are on
their way at once, they are counted as the broker counts them (`request_pacing`), a failed one rests ever
longer and is given up with an alert, and one that was answered is never asked again. Keep out: what an answer
brings (`refills`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.request_pacing import RequestPacing
from adapters.ibkr.market.requests import HistoryAsked, MarketSend
from adapters.ibkr.session.context import Context
from adapters.ibkr.session.pacing import Request, Urgency
from trading.market.minute_holes import MinuteHole

AT_ONCE_MAX = 5  # of the fifty that the broker lets be open
LOOK_EVERY = timedelta(milliseconds=500)
SETTLES_S = 60.0  # broker seconds after a hole's end: late pieces may still fill it
SETTLES_LEAST_S = 3.0  # of this machine: on a fast day a pause of ours is many minutes of the market's
REST_FIRST_S, REST_MAX_S = 60.0, 960.0  # broker seconds
TRIES_MAX = 10  # an hour and a half: farms of the past are away for as long
QUEUE_ROOM = 30  # requests that wait to be sent: lines go before the past
HISTORY_REFUSED = 162
NO_DATA, TOO_OFTEN = "no data", "pacing"
FINAL_CODES = frozenset({200, 320, 321})  # the question itself is wrong


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that waits for its answer."""

    symbol: str
    hole: MinuteHole
    expires_at: datetime


@dataclass(slots=True)
class _Rest:
    """What failed of a symbol's first hole."""

    tries: int = 0
    until: datetime | None = None


class Refilling:
    """The questions to history of one session."""

    def __init__(
        self,
        context: Context,
        plans: Mapping[str, SymbolPlan],
        feeds: Feeds,
        acts: RecordedFeeds,
        pacing: RequestPacing,
        market_time: Callable[[], datetime | None],
    ) -> None:
        self._context, self._feeds, self._acts = context, feeds, acts
        self._pacing, self._market_time = pacing, market_time
        self._symbols = [name for name, plan in plans.items() if plan.bars]
        self._settles = timedelta(seconds=max(SETTLES_S, SETTLES_LEAST_S * context.settings.speed))
        self._timeout = timedelta(seconds=context.settings.request_timeout_s)
        self._asked: dict[int, _Asked] = {}
        self._rests: dict[str, _Rest] = {}
        self._all_rest_until: datetime | None = None
        self._due: datetime | None = None

    # time passes

    def work(self, now: datetime) -> None:
        """Give up what was not answered, and ask for what is due."""
        if self._due is not None and now < self._due:
            return
        self._due = now + LOOK_EVERY
        for number in [number for number, each in self._asked.items() if each.expires_at <= now]:
            self._context.send(Request(send=MarketSend.HISTORY_END, number=number, rank=Urgency.CANCEL))
            self._failed(number, "no answer", now)
        at = self._market_time()
        if at is not None and (self._all_rest_until is None or self._all_rest_until <= now):
            self._ask(at - self._settles, now)

    def next_due(self) -> datetime | None:
        """When a look is due."""
        return self._due

    def begin_session(self) -> None:
        """Other minutes; what was asked of the ones before is of no use."""
        self.forget()
        self._rests.clear()

    def forget(self) -> None:
        """The connection is gone; its questions are asked again, which counts as no try."""
        self._asked.clear()
        self._due = None

    def _ask(self, until: datetime, now: datetime) -> None:
        busy = {each.symbol for each in self._asked.values()}
        for symbol in tuple(self._symbols):
            if len(self._asked) >= AT_ONCE_MAX or self._context.pacing.waiting() >= QUEUE_ROOM:
                return
            feeds, rest = self._feeds.symbols.get(symbol), self._rests.get(symbol)
            if feeds is None or symbol in busy or (rest is not None and rest.until and rest.until > now):
                continue
            holes = feeds.minutes.holes.holes(until)
            if holes and self._pacing.refill_free_at(feeds.contract.conid, now) <= now:
                self._send(symbol, holes[0], now)

    def _send(self, symbol: str, hole: MinuteHole, now: datetime) -> None:
        number, contract = self._context.take_number(), self._feeds.symbols[symbol].contract
        asked = HistoryAsked(contract=contract, since=hole.since, until=hole.until)
        if self._context.send(Request(send=MarketSend.HISTORY, number=number, content=asked)):
            self._pacing.take_refill(contract.conid, now)
            self._asked[number] = _Asked(symbol, hole, now + self._timeout)
            self._acts.refill(number, symbol, hole, self._market_time())
            self._symbols.remove(symbol)  # each has its turn
            self._symbols.append(symbol)

    # what the broker says

    def ended(self, number: int) -> None:
        """An answer is whole."""
        asked = self._asked.pop(number, None)
        if asked is not None:
            self._rests.pop(asked.symbol, None)

    def said(self, number: int, code: int, words: str, now: datetime) -> bool:
        """A code about a question; False where it is none of these."""
        if number not in self._asked:
            return False
        told = words.lower()
        if code == HISTORY_REFUSED and NO_DATA in told:
            self._settle(number, f"history has none of these minutes: {words}")
        elif code in FINAL_CODES:
            self._give_up(number, words)
        else:
            if code == HISTORY_REFUSED and TOO_OFTEN in told:
                self._all_rest_until = now + self._context.ours(REST_FIRST_S)
            self._failed(number, words, now)
        return True

    def _failed(self, number: int, words: str, now: datetime) -> None:
        symbol = self._asked[number].symbol
        rest = self._rests.setdefault(symbol, _Rest())
        rest.tries += 1
        if rest.tries >= TRIES_MAX:
            self._give_up(number, words)
            return
        rest_s = min(REST_FIRST_S * 2 ** (rest.tries - 1), REST_MAX_S)
        rest.until = now + self._context.ours(rest_s)
        del self._asked[number]
        self._acts.refill_over(number, words, self._market_time(), settled=False)

    def _give_up(self, number: int, words: str) -> None:
        asked = self._asked[number]
        hole = f"{asked.hole.since.isoformat()} to {asked.hole.until.isoformat()}"
        self._context.alert("not_refilled", f"minutes of {asked.symbol} from {hole}: {words}")
        self._settle(number, f"not refilled: {words}")

    def _settle(self, number: int, words: str) -> None:
        self._acts.refill_over(number, words, self._market_time(), settled=True)
        self.ended(number)
