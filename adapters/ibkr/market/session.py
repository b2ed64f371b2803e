"""The market-data session without its socket: what is heard goes in, what is to be sent and told comes out.

Belongs here: the link, the market's clock, handing on what is heard. Keep out: sockets, loops, Redis, the
client library; what is asked for (`subscribing`), what a quote or a book is (`feeds`).

What can lose money here, and what is done against it:
- A dead link that looks alive. Nothing heard for a while: the time is asked; no answer: hang up, connect
  again, and every line is asked for again.
- A row that is dated wrong. No line is opened before the broker has told its time, which is read again and
  again; a clock that jumps is an alert.
"""

import random
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from adapters.ibkr.market.budget import Budget, budget_of
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.hears_feeds import HearsFeeds
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.market.market_clock import MarketClock
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.subscribing import Subscribing
from adapters.ibkr.session.broker_clock import BrokerClock
from adapters.ibkr.session.codes import About, reaction_to
from adapters.ibkr.session.context import WORKING, Context
from adapters.ibkr.session.keeper import Keeper
from adapters.ibkr.session.link_state import Signal
from adapters.ibkr.session.outputs import Outputs
from adapters.ibkr.session.pacing import Pacing, Request, Send
from trading.market_settings import IngestSettings, MarketSettings
from trading.model.broker import LinkState
from trading.ports.clock import Clock
from trading.ports.market_state import SymbolUpdate
from trading.settings import BrokerSettings

TIME_EVERY_S = 10.0  # of the broker; the clock is read again so often, and not more than once a second
TIME_LEAST = timedelta(seconds=1)
SKEW_ALERT = timedelta(seconds=10)
ANSWER_TIME = timedelta(seconds=2)  # of ours: how long the broker's word may be on its way
FIELDS_SHOWN_CHARS_MAX = 500
DATA_LOST, DATA_KEPT = 1101, 1102
MARKET_MESSAGES = frozenset(
    {"1", "2", "4", "12", "13", "17", "21", "45", "46", "50", "57", "58", "99"}
)  # prices, sizes, codes, books, the past, greeks, generic, texts, bars, ends of looks, kinds, tick by tick


class MarketSession(HearsFeeds):
    """One session; the edge calls it from one thread, and empties `outputs` after each call."""

    def __init__(
        self,
        broker: BrokerSettings,
        market: MarketSettings,
        ingest: IngestSettings,
        clock: Clock,
        chance: random.Random,
        capture: CaptureWriter | None = None,
    ) -> None:
        self.budget: Budget = budget_of(market, ingest)
        super().__init__(Feeds(self.budget.symbols, ingest))
        self._settings, self._capture = broker, capture
        self._context = Context(
            settings=broker,
            clock=clock,
            pacing=Pacing(broker.messages_per_s_max, broker.requests_waiting_max),
            broker_clock=BrokerClock(broker.speed, is_simulated=broker.simulated_clock),
        )
        self._keeper = Keeper(self._context, chance, self)
        self._clock = MarketClock(broker.speed)
        self._acts = RecordedFeeds(self.feeds, capture)
        self.subscribing = Subscribing(
            self._context, market, ingest, self.budget, self.feeds, self._acts, self.market_time
        )
        self.on_time: Callable[[], None] = _nothing  # called when the broker's time came
        self.connects = 0
        self.unreadable = 0
        self._time_due: datetime | None = None

    # what the edge calls

    @property
    def outputs(self) -> Outputs:
        """What is to be done now."""
        return self._context.outputs

    @property
    def speed(self) -> int:
        """Broker seconds in one of ours."""
        return self._settings.speed

    @property
    def state(self) -> LinkState:
        """Where the connection stands."""
        return self._context.state

    @property
    def as_text(self) -> Set[str]:
        """The kinds of messages that are wanted as they came: what a capture keeps."""
        return MARKET_MESSAGES if self._capture is not None else frozenset()

    def resume(
        self,
        heard_until: Mapping[str, datetime],
        minutes: Mapping[str, Sequence[datetime]],
        printed_until: Mapping[str, datetime],
    ) -> None:
        """Say until when each symbol was heard by the process before this one, minutes whole, last prints."""
        self._acts.resume(heard_until, minutes, printed_until)

    def stand_still(self, symbol: str, reason: str, newest_at: datetime | None) -> None:
        """Say that a symbol was judged to stand still; a tick that came meanwhile makes that untrue."""
        feeds, at = self.feeds.symbols.get(symbol), self.market_time()
        if feeds is None or at is None:
            return
        if self.feeds.board.newest_at(feeds.contract.conid) == newest_at:
            self._acts.stand_still(symbol, reason, at)

    def start(self) -> None:
        """Begin to connect."""
        self._keeper.signal(Signal.START, "starting")

    def stop(self) -> None:
        """Hang up for good."""
        self._keeper.signal(Signal.STOP, "stopping")

    def tick(self) -> None:
        """Let time pass: ask what is due, open what is wanted, move what may be sent."""
        now = self._context.now()
        self._keeper.tick(now)
        self._context.mind_conditions()
        if not self._keeper.is_connected:
            return
        if self._time_due is not None and self._time_due <= now:
            self.ask_time()
        if self._context.state in WORKING:
            self.subscribing.work(now)
        self.outputs.requests.extend(self._context.pacing.take(now))

    def next_tick(self) -> datetime | None:
        """When time must pass again, if nothing is heard before."""
        now = self._context.now()
        moments = [self._keeper.next_due()]
        if self._keeper.is_connected:
            moments += [self._time_due, self._context.pacing.next_at(now)]
        if self._context.state in WORKING:
            moments += self.subscribing.next_due(now)
        return min((moment for moment in moments if moment is not None), default=None)

    def market_time(self) -> datetime | None:
        """The market's time now; None before the broker told it."""
        return self._clock.at(self._context.now())

    def flush(self, now: datetime) -> Sequence[SymbolUpdate]:
        """What changed since the last flush."""
        return self._acts.flush(self.market_time(), now)

    # what the link hears

    def link_ready(self, accounts: tuple[str, ...], server_version: int) -> None:
        """The handshake is over."""
        self.connects += 1
        self.subscribing.connected()
        self._keeper.connected(f"server version {server_version}")

    def link_closed(self, reason: str) -> None:
        """There is no connection."""
        self._keeper.signal(Signal.CLOSED, reason)

    def anything(self) -> None:
        """Bytes came: the link lives, and this is when what is in them was heard."""
        was_silent = self._keeper.heard()
        self.at = self._clock.at(self._context.now())
        if was_silent:  # a link that came back to life by itself tells nothing of what it kept back
            self._acts.quiet("the link was silent", self.at)

    def message(self, fields: tuple[str, ...]) -> None:
        """A message of the market as it came: the capture's."""
        if self._capture is not None:
            self._capture.heard(self.at, fields)

    def undecodable(self, fields: tuple[str, ...], error: str) -> None:
        """A message that the library, or what it calls, cannot read: it is put aside, and a person told."""
        self.unreadable += 1
        kind = fields[0] if fields and fields[0].isascii() and fields[0].isdigit() else "text"
        shown = "|".join(fields)[:FIELDS_SHOWN_CHARS_MAX]
        self._context.alert(f"undecodable_{kind[:8]}", f"{error}; fields: {shown}")
        self._acts.undecodable(fields, error, self.at)

    def next_number(self, number: int) -> None:
        """Orders and requests share their numbers."""
        self._context.raise_number(number)

    def time(self, broker_at: datetime) -> None:
        """The broker's time; with the first one the lines can be dated, so they are opened."""
        now, context = self._context.now(), self._context
        if not self._clock.believes(broker_at, now):
            context.alert("clock_not_believed", f"the broker told the time {broker_at.isoformat()}")
            self._time_due = now + TIME_LEAST
            self.on_time()
            return
        context.over("clock_not_believed", f"the broker told the time {broker_at.isoformat()}")
        skew = context.broker_clock.read(broker_at, now)
        self._clock.read(broker_at, now)
        self.at = self._clock.at(now)
        if abs(skew) > SKEW_ALERT + ANSWER_TIME * self._settings.speed:
            context.alert("clock_skew", f"the broker's clock is {skew.total_seconds():+.1f} s off")
        else:
            context.over("clock_skew", f"the broker's clock is {skew.total_seconds():+.1f} s off")
        self.on_time()
        if context.state is LinkState.ADOPTING:
            self._keeper.walked("the broker's time is known, lines are asked for")

    def error(self, number: int, code: int, text: str, advanced: str) -> None:
        """An error or a notice: of the link, of a line, of a question, or of nobody."""
        reaction = reaction_to(code)
        if reaction.about is About.LINK:
            if reaction.alert:
                self._context.alert(f"code_{code}", f"{reaction.meaning}: {text}")
            if code == DATA_LOST:
                self.subscribing.lose(f"{code}: {text}", also_questions=False)
            if code == DATA_KEPT:  # what came since 1100 ended the gap, and was not all
                self._acts.quiet(f"{code}: {text}", self.market_time())
            self._keeper.said(reaction, code, text)
        elif reaction.about is About.PACE:
            self._context.alert(f"code_{code}", f"{reaction.meaning}: {text}")
            self._context.pacing.rest(self._context.now())
        else:
            self.subscribing.said(number, code, text)

    def contract(self, number: int, contract: KnownContract) -> None:
        """A row of what is listed."""
        self.subscribing.heard_contract(number, contract)

    def contracts_end(self, number: int) -> None:
        """All of it was told."""
        self.subscribing.ended(number)

    def chain(self, number: int, heard: ChainHeard) -> None:
        """Expiries and strikes."""
        self.subscribing.heard_chain(number, heard)

    def chain_end(self, number: int) -> None:
        """All of them were told."""
        self.subscribing.ended(number)

    # what follows from what the feeds heard

    def open_interest_told(self, number: int) -> None:
        """It is told once a session: the look may end."""
        self.subscribing.rotation.heard_open_interest(number)

    def model_greeks_told(self, number: int) -> None:
        """A look at a line has all it wants."""
        self.subscribing.look_has_greeks(number)

    def look_is_whole(self, number: int) -> None:
        """A snapshot ended by itself."""
        self.subscribing.look_is_whole(number)

    def book_is_wrong(self, number: int) -> None:
        """It is asked for anew."""
        self.subscribing.book_is_wrong(number)

    def history_is_told(self, number: int) -> None:
        """A hole is refilled."""
        self.subscribing.refilling.ended(number)

    # what the keeper calls

    def walk(self) -> None:
        """On a connection that is new, or back: the time first."""
        self.ask_time()

    def break_off(self, reason: str, *, may_come_late: bool) -> None:
        """The broker is away. Where the connection stays, so may its lines: 1101 and 1102 say which."""
        self._acts.quiet(reason, self.market_time())
        if not may_come_late:
            self.subscribing.lose(reason, also_questions=True)

    def ask_time(self) -> None:
        """Ask the time."""
        now = self._context.now()
        self._context.send(Request(send=Send.TIME))
        every = max(timedelta(seconds=TIME_EVERY_S) / self._settings.speed, TIME_LEAST)
        self._time_due = now + every


def _nothing() -> None:
    """Nobody waits for it."""
