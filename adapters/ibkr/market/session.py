"""The market-data session without its socket: what is heard goes in, what is to be sent and told comes out.

Belongs here: composing the parts (link, what is listed, lines, turns of the chains) and handing on what is
heard. Keep out: sockets, loops, Redis, the client library; what a quote or a book is (`feeds`).

What can lose money here, and what is done against it:
- A feed that stands still and looks alive. Every line that is wanted is asked for again after each loss;
  what was refused is named in the feed's health; a silent link is asked the time and left.
- A row that is dated wrong. No line is opened before the broker has told its time.
- A rule of the broker that is broken, which makes it hang up: requests wait in queues instead.
"""

import random
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ibkr.market.budget import VOLATILITY_INDEX, Budget, NoLine, SymbolPlan, budget_of
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.codes import LineAction, line_reaction
from adapters.ibkr.market.discovery import INDEX, INDEXES, Discovery, Watched
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.heard import ChainHeard, GreeksHeard, HearsMarket
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.market_clock import MarketClock
from adapters.ibkr.market.open_lines import OpenLines
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.request_pacing import RequestPacing
from adapters.ibkr.market.requests import DELAYED, LIVE, MarketSend, end_line, open_line
from adapters.ibkr.market.rotation import Rotation
from adapters.ibkr.session.broker_clock import BrokerClock
from adapters.ibkr.session.codes import About, reaction_to
from adapters.ibkr.session.context import WORKING, Context
from adapters.ibkr.session.keeper import Keeper
from adapters.ibkr.session.link_state import Signal
from adapters.ibkr.session.outputs import Outputs
from adapters.ibkr.session.pacing import Pacing, Request, Send, Urgency
from trading.calendar import trading_session
from trading.market_settings import ChainMode, IngestSettings, MarketSettings
from trading.model.broker import LinkState
from trading.ports.clock import Clock
from trading.ports.market_state import SymbolUpdate
from trading.settings import BrokerSettings

SHARE_TICKS = "100,101,106,233"  # option volume, open interest, implied volatility, prints as text
OPTION_TICKS = "101,233"
NO_TICKS = ""  # an index has none of them
TIME_EVERY_S = 10.0  # of the broker; the clock is read again so often, and not more than once a second
TIME_LEAST = timedelta(seconds=1)
WANT_EVERY = timedelta(milliseconds=500)  # so often it is seen whether every line is there
LATER_S = 60.0  # broker seconds until a line that came too often is asked for again
CHOOSE_EVERY_S = 30.0  # broker seconds between two looks at which strikes are near the spot
SKEW_ALERT = timedelta(seconds=10)
ANSWER_TIME = timedelta(seconds=0.5)
ROOM_IN_QUEUE = 60  # requests that wait to be sent at most; what comes behind waits with its line
FIELDS_SHOWN_CHARS_MAX = 500
DATA_LOST = 1101
UNKNOWN_CONTRACT = 200
MARKET_MESSAGES = frozenset(
    {"1", "2", "4", "12", "13", "21", "45", "46", "50", "57", "58", "99"}
)  # prices, sizes, codes, books, greeks, generic, texts, bars, ends of looks, kinds of data, tick by tick
OPEN_INTEREST_TICKS = frozenset({27, 28})
MODEL_TICKS = frozenset({13, 83})


@dataclass(slots=True)
class SessionCounts:
    """What the session has done since it began."""

    messages: int = 0
    connects: int = 0
    errors: int = 0
    undecodable: int = 0
    looks: int = 0


class MarketSession(HearsMarket):
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
        self._settings = broker
        self._capture = capture
        self._ingest = ingest
        self.budget: Budget = budget_of(market, ingest)
        self._context = Context(
            settings=broker,
            clock=clock,
            pacing=Pacing(broker.messages_per_s_max, broker.requests_waiting_max),
            broker_clock=BrokerClock(broker.speed, is_simulated=broker.simulated_clock),
        )
        self._keeper = Keeper(self._context, chance, self)
        self._clock = MarketClock(broker.speed)
        self.discovery = Discovery(market, self.budget, timedelta(seconds=broker.request_timeout_s))
        self.lines = OpenLines(RequestPacing(broker.speed))
        self.rotation = Rotation(self.budget.chain_lines)
        self.feeds = Feeds(self.budget.symbols, ingest)
        self._acts = RecordedFeeds(self.feeds, capture)
        self.counts = SessionCounts()
        self.at: datetime | None = None  # of the packet that is being heard
        self.on_time: Callable[[], None] = _nothing  # called when the broker's time came
        self.without: dict[tuple[str, str], NoLine] = {
            (each.symbol, each.feed): each for each in self.budget.without
        }
        self._time_due: datetime | None = None
        self._choose_due: datetime | None = None
        self._want_due: datetime | None = None
        self._data_kind = LIVE
        self._expected: dict[str, tuple[int, int, int]] = {}  # chains as the feeds were told of them

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

    def start(self) -> None:
        """Begin to connect."""
        self._keeper.signal(Signal.START, "starting")

    def stop(self) -> None:
        """Hang up for good."""
        self._keeper.signal(Signal.STOP, "stopping")

    @property
    def as_text(self) -> Set[str]:
        """The kinds of messages that are wanted as they came: what a capture keeps."""
        return MARKET_MESSAGES if self._capture is not None else frozenset()

    def flush(self, now: datetime) -> Sequence[SymbolUpdate]:
        """What changed since the last flush."""
        return self._acts.flush(self.market_time(), now)

    def tick(self) -> None:
        """Let time pass: ask what is due, open what is wanted, move what may be sent."""
        now = self._context.now()
        self._keeper.tick(now)
        if self._keeper.is_connected:
            self._ask_time_when_due(now)
            if self._context.state in WORKING:
                self._work(now)
            self.outputs.requests.extend(self._context.pacing.take(now))

    def next_tick(self) -> datetime | None:
        """When time must pass again, if nothing is heard before."""
        now = self._context.now()
        moments = [self._keeper.next_due()]
        if self._keeper.is_connected:
            moments += [self._time_due, self._context.pacing.next_at(now)]
        if self._context.state in WORKING:
            moments += [self._want_due, self._choose_due]
            moments += [self.discovery.next_due(), self.lines.next_due(now), self.rotation.next_due()]
        return min((moment for moment in moments if moment is not None), default=None)

    def market_time(self) -> datetime | None:
        """The market's time now; None before the broker told it."""
        return self._clock.at(self._context.now())

    # what the link hears

    def link_ready(self, accounts: tuple[str, ...], server_version: int) -> None:
        """The handshake is over."""
        self.counts.connects += 1
        self._data_kind = LIVE
        self._keeper.connected(f"server version {server_version}")

    def link_closed(self, reason: str) -> None:
        """There is no connection."""
        self._keeper.signal(Signal.CLOSED, reason)

    def anything(self) -> None:
        """Bytes came: the link lives, and this is when what is in them was heard."""
        self._keeper.heard()
        self.at = self._clock.at(self._context.now())

    def message(self, fields: tuple[str, ...]) -> None:
        """A message of the market as it came: the capture's."""
        if self._capture is not None:
            self._capture.heard(self.at, fields)

    def undecodable(self, fields: tuple[str, ...], error: str) -> None:
        """A message that the library, or what it calls, cannot read: it is put aside, and a person told."""
        self.counts.undecodable += 1
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
        skew = context.broker_clock.read(broker_at, now)
        self._clock.read(broker_at, now)
        self.at = self._clock.at(now)
        if abs(skew) > SKEW_ALERT + ANSWER_TIME * self._settings.speed:
            context.alert("clock_skew", f"the broker's clock is {skew.total_seconds():+.1f} s off")
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
                self._lose_lines(f"{code}: {text}")
            self._keeper.said(reaction, code, text)
        elif reaction.about is About.PACE:
            self._context.alert(f"code_{code}", f"{reaction.meaning}: {text}")
            self._context.pacing.rest(self._context.now())
        else:
            self._line_said(number, code, text)

    def contract(self, number: int, contract: KnownContract) -> None:
        """A row of what is listed."""
        self.discovery.heard_contract(number, contract)

    def contracts_end(self, number: int) -> None:
        """All of it was told."""
        self._told(self.discovery.ended(number, self._context.now()))

    def chain(self, number: int, heard: ChainHeard) -> None:
        """Expiries and strikes."""
        self.discovery.heard_chain(number, heard)

    def chain_end(self, number: int) -> None:
        """All of them were told."""
        self._told(self.discovery.ended(number, self._context.now()))

    def data_kind(self, number: int, kind: int) -> None:
        """Live or delayed."""
        self.feeds.data_kind(number, kind)

    def snapshot_end(self, number: int) -> None:
        """A look is whole."""
        self.feeds.snapshot_end(number, self.at)
        if self.rotation.over(number) is not None:
            self._drop_look(number, is_line=False)

    def price(self, number: int, tick: int, price: float, size: float) -> None:
        """A price with its size."""
        if self.at is not None:
            self.feeds.price(number, tick, price, size, self.at)

    def size(self, number: int, tick: int, size: float) -> None:
        """A size."""
        if self.at is not None:
            self.feeds.size(number, tick, size, self.at)
        if tick in OPEN_INTEREST_TICKS:
            self.rotation.heard_open_interest(number)

    def value(self, number: int, tick: int, value: float) -> None:
        """A generic tick."""
        if self.at is not None:
            self.feeds.value(number, tick, value, self.at)

    def text(self, number: int, tick: int, text: str) -> None:
        """A tick that is a text."""
        if self.at is not None:
            self.feeds.text(number, tick, text, self.at)

    def greeks(self, number: int, tick: int, heard: GreeksHeard) -> None:
        """Model values; the model's own are the last of what a look brings."""
        if self.at is not None:
            self.feeds.greeks(number, tick, heard, self.at)
        look = self.rotation.looks().get(number)
        if look is not None and look.is_line and tick in MODEL_TICKS:
            self._end_look(number)

    def print_(self, number: int, epoch_s: int, price: float, size: float, exchange: str, cond: str) -> None:
        """A trade, tick by tick."""
        if self.at is not None:
            self.feeds.print_(number, epoch_s, price, size, exchange, cond, self.at)

    def touch(self, number: int, epoch_s: int, bid: float, ask: float, sizes: Sequence[float]) -> None:
        """Bid and ask, tick by tick."""
        if self.at is not None:
            self.feeds.touch(number, epoch_s, bid, ask, sizes, self.at)

    def level(
        self, number: int, position: int, maker: str, operation: int, side: int, price: float, size: float
    ) -> None:
        """A change of a book; one that cannot be has the book asked for anew."""
        at = self.at
        if at is not None and not self.feeds.level(number, position, maker, operation, side, price, size, at):
            self._ask_again(number, "the book's changes do not fit together")

    def bar(
        self, number: int, epoch_s: int, prices: Sequence[float], volume: float, average: float, count: int
    ) -> None:
        """Five seconds."""
        if self.at is not None:
            self.feeds.bar(number, epoch_s, prices, volume, average, count, self.at)

    # what the keeper calls

    def walk(self) -> None:
        """On a connection that is new, or back: the time first."""
        self.ask_time()

    def break_off(self, reason: str, *, may_come_late: bool) -> None:
        """The broker is away. Where the connection stays, so may its lines: 1101 and 1102 say which."""
        self._acts.quiet(reason, self.market_time())
        if not may_come_late:
            self._lose_lines(reason)
            self.discovery.forget_questions()

    def ask_time(self) -> None:
        """Ask the time."""
        now = self._context.now()
        self._context.send(Request(send=Send.TIME))
        every = max(timedelta(seconds=TIME_EVERY_S) / self._settings.speed, TIME_LEAST)
        self._time_due = now + every

    # inside, what is wanted

    def _ask_time_when_due(self, now: datetime) -> None:
        if self._time_due is not None and self._time_due <= now:
            self.ask_time()

    def _work(self, now: datetime) -> None:
        at = self.market_time()
        if at is not None and self.discovery.begin_session(trading_session(at)):
            self.rotation.begin_session()
            self.lines.forgive()
            self._expected.clear()
            self._acts.begin_session(trading_session(at), at)
            self._choose_due = now
        self._discover(now)
        if self._want_due is None or self._want_due <= now:
            self._want_due = now + WANT_EVERY
            self._want_underlyings(now)
        if self._choose_due is None or self._choose_due <= now:
            self._choose_due = now + self._context.ours(CHOOSE_EVERY_S)
            self._choose_chains(now)
        self._open(now)
        self._look(now)

    def _discover(self, now: datetime) -> None:
        for watched, text in self.discovery.expire(now):
            self._context.alert("not_described", f"{watched.symbol}: {text}")
        for watched, asked in list(self.discovery.due(now)):
            number = self._context.take_number()
            send = MarketSend.DESCRIBE if hasattr(asked, "expiry") else MarketSend.CHAIN
            if self._context.send(Request(send=send, number=number, content=asked)):
                self.discovery.sent(number, watched, asked, now)

    def _told(self, watched: Watched | None) -> None:
        """Something about a symbol is known now: its lines, or its chain, can be asked for."""
        self._want_due = self._context.now()
        if watched is not None and watched.is_whole:
            self._choose_due = self._context.now()

    def _want_underlyings(self, now: datetime) -> None:
        for watched in self.discovery.watched.values():
            if watched.underlying is not None:
                for line in _lines_of(
                    self.budget.symbols[watched.symbol], watched.underlying, self._ingest.depth_rows
                ):
                    self.lines.want(line, now)

    def _choose_chains(self, now: datetime) -> None:
        left = self.budget.chain_lines
        for symbol, plan in self.budget.symbols.items():
            if plan.chain is ChainMode.NONE or not plan.level1:
                continue
            contracts = self.discovery.chosen(symbol, self.feeds.spot(symbol))
            self._expect_chain(symbol, contracts)
            if plan.chain is ChainMode.SNAPSHOT:
                self.rotation.choose(symbol, contracts)
            elif contracts:
                left -= self._stream(symbol, contracts, left, now)

    def _expect_chain(self, symbol: str, contracts: Sequence[KnownContract]) -> None:
        options = [each.option for each in contracts if each.option is not None]
        names = (len(options), self.discovery.listed(symbol), hash(tuple(each.conid for each in options)))
        if options and self._expected.get(symbol) != names:
            self._expected[symbol] = names
            self._acts.expect_chain(symbol, options, self.discovery.listed(symbol), self.market_time())

    def _stream(self, symbol: str, contracts: Sequence[KnownContract], left: int, now: datetime) -> int:
        """Have a line for each contract, as far as lines are left; returns how many."""
        wanted = {each.conid: each for each in contracts[:left]}
        for number, line in self.lines.of_kind(LineKind.OPTION):
            if line.symbol == symbol and line.contract.conid not in wanted:
                self._end(number)
        for contract in wanted.values():
            line = Line(kind=LineKind.OPTION, symbol=symbol, contract=contract, ticks=OPTION_TICKS)
            self.lines.want(line, now)
        key = (symbol, "chain")
        self.without.pop(key, None)
        if len(contracts) > len(wanted):
            text = f"{len(contracts) - len(wanted)} of {len(contracts)} contracts have no line"
            self.without[key] = NoLine(symbol=symbol, feed="chain", text=text)
        return len(wanted)

    def _open(self, now: datetime) -> None:
        room = ROOM_IN_QUEUE - self._context.pacing.waiting()
        for line in list(self.lines.due(now, room)):
            self._ask_line(line, Urgency.QUESTION)

    def _look(self, now: datetime) -> None:
        for number in self.rotation.overdue(now):
            self.rotation.missed += 1
            self._end_look(number)
        room = ROOM_IN_QUEUE // 2 - self._context.pacing.waiting()
        for _, line in list(self.rotation.next_looks(room)):
            number = self._ask_line(line, Urgency.ROUTINE)
            self.rotation.began(number, line, now)
            self.counts.looks += 1

    def _ask_line(self, line: Line, rank: Urgency) -> int:
        number = self._context.take_number()
        self._context.send(open_line(number, line, rank))
        self.lines.opened(number, line)
        self._acts.begin(number, line, self.market_time())
        return number

    # inside, what ends

    def _end(self, number: int) -> None:
        line = self.lines.ended(number)
        if line is not None:
            self._acts.end(number, self.market_time())
            self._context.send(end_line(number, line))

    def _end_look(self, number: int) -> None:
        if self.rotation.over(number) is not None:
            self._drop_look(number, is_line=True)

    def _drop_look(self, number: int, *, is_line: bool) -> None:
        line = self.lines.ended(number)
        if line is None:
            return
        self._acts.end(number, self.market_time())
        if is_line:
            self._context.send(end_line(number, line))

    def _lose_lines(self, reason: str) -> None:
        """All lines are gone; they are wanted again as soon as the link works."""
        self.lines.clear()
        self._want_due = None
        self.rotation.forget_looks()
        self._acts.lose(reason, self.market_time())

    def _line_said(self, number: int, code: int, text: str) -> None:
        """A code that names a line or a question."""
        now, words = self._context.now(), f"{code}: {text}"
        if self.discovery.is_open(number):
            self.counts.errors += 1
            watched = self.discovery.failed(number, words, is_unknown=code == UNKNOWN_CONTRACT, now=now)
            if watched is not None and watched.is_given_up and watched.symbol != VOLATILITY_INDEX:
                self._context.alert(f"code_{code}", f"{watched.symbol}: {words}")
            return
        line = self.lines.by_number.get(number)
        reaction = line_reaction(code)
        if line is None:
            if reaction.alert and number < 0:
                self._context.alert(f"code_{code}", words)
            return
        if reaction.action is not LineAction.NOTE:
            self.counts.errors += 1
            is_final = reaction.action is LineAction.GIVE_UP
            self._acts.error(number, words, self.at, is_final=is_final)
        self._react(number, line, reaction.action, words)
        if reaction.alert:
            self._context.alert(f"code_{code}", f"{line.kind} of {line.symbol}: {reaction.meaning}: {text}")

    def _react(self, number: int, line: Line, action: LineAction, words: str) -> None:
        now = self._context.now()
        if action is LineAction.EMPTY_BOOK:
            self._acts.empty_book(number, words, self.at)
        elif action is LineAction.MARK_DELAYED:
            self._acts.delayed(number, self.at)
        elif action is LineAction.ASK_AGAIN:
            self._ask_again(number, words)
        elif action in (LineAction.ASK_LATER, LineAction.NO_LINE_LEFT):
            self._refuse(number, line, words, now + self._context.ours(LATER_S))
        elif action is LineAction.GIVE_UP:
            self._refuse(number, line, words, None)
        elif action is LineAction.ASK_DELAYED:
            self._ask_delayed(number, line, words, now)

    def _ask_delayed(self, number: int, line: Line, words: str, now: datetime) -> None:
        """Without permission the same line is asked for once more, delayed; then it is left for a while."""
        if self._data_kind == DELAYED:
            self._refuse(number, line, words, now + self._context.ours(LATER_S))
            return
        self._data_kind = DELAYED
        self._context.send(Request(send=MarketSend.DATA_KIND, content=DELAYED))
        self._refuse(number, line, words, now)

    def _ask_again(self, number: int, words: str) -> None:
        line = self.lines.by_number.get(number)
        if line is not None:
            self._acts.empty_book(number, words, self.at)
            self._end(number)

    def _refuse(self, number: int, line: Line, words: str, until: datetime | None) -> None:
        self.lines.ended(number)
        self.rotation.over(number)
        self._acts.end(number, self.market_time())
        if line.kind is not LineKind.SNAPSHOT:
            self.lines.refuse(line, words, until)


def _lines_of(plan: SymbolPlan, underlying: KnownContract, depth_rows: int) -> list[Line]:
    """The lines of one underlying."""
    is_index = underlying.sec_type == INDEX or plan.symbol in INDEXES
    ticks = NO_TICKS if is_index else SHARE_TICKS
    wanted = [
        (LineKind.LEVEL1, ticks, plan.level1),
        (LineKind.DEPTH, str(depth_rows), plan.depth and not is_index),
        (LineKind.PRINTS, "", plan.prints and not is_index),
        (LineKind.TOUCHES, "", plan.touches and not is_index),
        (LineKind.BARS, "", plan.bars),
    ]
    return [
        Line(kind=kind, symbol=plan.symbol, contract=underlying, ticks=ticks)
        for kind, ticks, is_wanted in wanted
        if is_wanted
    ]


def _nothing() -> None:
    """Nobody waits for it."""


__all__ = ["VOLATILITY_INDEX", "MarketSession", "SessionCounts"]
