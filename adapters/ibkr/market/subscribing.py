"""What is asked for so that everything in the budget is heard: what is listed, lines, turns of the chains.

Belongs here: wanting, asking, what a refusal does, what is asked again. Keep out: the link and its clock (the
session's), what is heard.

What can lose money here: a line that ended and is not asked for again. So nothing is remembered as done: what
is wanted and has no line is asked for, again and again, as often as the broker's rules allow; and a line that
tells nothing in its hours is asked for anew, as is a book that stays crossed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from adapters.ibkr.market.budget import CHAIN, VOLATILITY_INDEX, Budget, NoLine, SymbolPlan
from adapters.ibkr.market.codes import LineAction, line_reaction
from adapters.ibkr.market.crossed_books import CrossedBooks
from adapters.ibkr.market.discovery import INDEX, INDEXES, Discovery, Watched
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.open_lines import OpenLines
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.refilling import Refilling
from adapters.ibkr.market.request_pacing import RequestPacing
from adapters.ibkr.market.requests import DELAYED, LIVE, Described, MarketSend, end_line, open_line
from adapters.ibkr.market.rotation import Rotation
from adapters.ibkr.market.silent_lines import silent_lines
from adapters.ibkr.session.context import Context
from adapters.ibkr.session.pacing import Request, Urgency
from trading.calendar import last_trade, trading_session
from trading.market_settings import ChainMode, IngestSettings, MarketSettings

SHARE_TICKS = "100,101,106,233"  # option volume, open interest, implied volatility, prints as text
OPTION_TICKS = "101,233"
NO_TICKS = ""  # an index has none of them
WANT_EVERY = timedelta(milliseconds=500)  # so often it is seen whether every line is there
AGAIN_LEAST_S = 5.0  # broker seconds: a line that is asked for anew so soon waits like one that was refused
LATER_S = 60.0  # broker seconds until a line that came too often is asked for again
CHOOSE_EVERY_S = 30.0  # broker seconds between two looks at which strikes are near the spot
SILENT_TIMES = 4  # a line that is silent for so many times of its limit is asked for anew
SILENT_LEAST_S = 12.0  # of this machine
ROOM_IN_QUEUE = 60  # requests that wait to be sent at most; what comes behind waits with its line
UNKNOWN_CONTRACT = 200
CROSSED_LEAST_S = 3.0  # of this machine: while it rests, a market that is played fast goes on


class Subscribing:
    """The questions and lines of one session."""

    def __init__(
        self,
        context: Context,
        market: MarketSettings,
        ingest: IngestSettings,
        budget: Budget,
        feeds: Feeds,
        acts: RecordedFeeds,
        market_time: Callable[[], datetime | None],
    ) -> None:
        self._context, self._ingest, self._budget = context, ingest, budget
        self._feeds, self._acts, self._market_time = feeds, acts, market_time
        timeout = timedelta(seconds=context.settings.request_timeout_s)
        self.discovery = Discovery(market, budget, timeout)
        pacing = RequestPacing(context.settings.speed)
        self.lines = OpenLines(pacing)
        self.refilling = Refilling(context, budget.symbols, feeds, acts, pacing, market_time)
        self.rotation = Rotation(budget.chain_lines)
        self.without: dict[tuple[str, str], NoLine] = {
            (each.symbol, each.feed): each for each in budget.without
        }
        crossed_max_s = max(float(ingest.book_crossed_max_s), CROSSED_LEAST_S * self._speed)
        self._crossed = CrossedBooks(timedelta(seconds=crossed_max_s))
        self.errors = 0
        self._want_due: datetime | None = None
        self._choose_due: datetime | None = None
        self._asked_live_before = 0  # lines with a smaller number were asked for as live ones
        self._data_kind = LIVE
        self._expected: dict[str, tuple[int, ...]] = {}  # chains as the feeds were told of them

    # time passes

    def work(self, now: datetime) -> None:
        """Ask for what is due."""
        at = self._market_time()
        if at is not None and self.discovery.begin_session(trading_session(at)):
            self._begin_session(at, now)
        self.lines.able_since = self.lines.able_since or at
        self._discover(now)
        if self._want_due is None or self._want_due <= now:
            self._want_due = now + WANT_EVERY
            self._want_underlyings(now)
            self._mind_books()
        if self._choose_due is None or self._choose_due <= now:
            self._choose_due = now + self._context.ours(CHOOSE_EVERY_S)
            self._choose_chains(now)
            self._mind_silence()
        self._open(now)
        self.refilling.work(now)
        self._look(now)

    def next_due(self, now: datetime) -> list[datetime | None]:
        """When something is due."""
        own = [self._want_due, self._choose_due, self.refilling.next_due()]
        return [*own, self.discovery.next_due(), self.lines.next_due(now), self.rotation.next_due()]

    def connected(self) -> None:
        """A new connection: live data are asked for first."""
        self._data_kind, self._asked_live_before = LIVE, 0

    def lose(self, reason: str, *, also_questions: bool) -> None:
        """All lines are gone; they are wanted again as soon as the link works."""
        self.lines.clear()
        self._want_due = None
        self.rotation.forget_looks()
        self.refilling.forget()
        self._acts.lose(reason, self._market_time())
        if also_questions:
            self.discovery.forget_questions()

    def _begin_session(self, at: datetime, now: datetime) -> None:
        self.rotation.begin_session()
        self.refilling.begin_session()
        self.lines.forgive(at)
        self._expected.clear()
        self._acts.begin_session(trading_session(at), at)
        self._choose_due = now

    # what is listed

    def heard_contract(self, number: int, contract: KnownContract) -> None:
        """A row of what is listed."""
        self.discovery.heard_contract(number, contract)

    def heard_chain(self, number: int, heard: ChainHeard) -> None:
        """Expiries and strikes."""
        self.discovery.heard_chain(number, heard)

    def ended(self, number: int) -> None:
        """An answer is whole: lines, or a chain, can be asked for."""
        now = self._context.now()
        watched = self.discovery.ended(number, now)
        self._want_due = now
        if watched is not None and watched.is_whole:
            self._choose_due = now

    def _discover(self, now: datetime) -> None:
        for watched, text in self.discovery.expire(now):
            self._context.alert("not_described", f"{watched.symbol}: {text}")
        for watched, asked in list(self.discovery.due(now)):
            number = self._context.take_number()
            send = MarketSend.DESCRIBE if isinstance(asked, Described) else MarketSend.CHAIN
            if self._context.send(Request(send=send, number=number, content=asked)):
                self.discovery.sent(number, watched, asked, now)

    # what is wanted

    def _want_underlyings(self, now: datetime) -> None:
        for watched in self.discovery.watched.values():
            if watched.underlying is not None:
                plan = self._budget.symbols[watched.symbol]
                for line in _lines_of(plan, watched.underlying, self._ingest.depth_rows):
                    self.lines.want(line, now)

    def _choose_chains(self, now: datetime) -> None:
        left = self._budget.chain_lines
        for symbol, plan in self._budget.symbols.items():
            if plan.chain is ChainMode.NONE:
                continue
            spot = self._feeds.spot(symbol)
            if spot is None and self.discovery.watched[symbol].is_whole:
                self._choose_due = now + WANT_EVERY  # the first quote is on its way
            contracts = self.discovery.chosen(symbol, spot)
            self._expect_chain(symbol, contracts)
            if plan.chain is ChainMode.SNAPSHOT:
                self.rotation.choose(symbol, contracts, self.discovery.near(symbol, spot))
            elif contracts:
                left -= self._stream(symbol, contracts, left, now)

    def _expect_chain(self, symbol: str, contracts: Sequence[KnownContract]) -> None:
        listed = self.discovery.listed(symbol)
        expected = (listed, *(each.conid for each in contracts))
        if contracts and self._expected.get(symbol) != expected:
            self._expected[symbol] = expected
            options = [each.option for each in contracts if each.option is not None]
            self._acts.expect_chain(symbol, options, listed, self._market_time())

    def _stream(self, symbol: str, contracts: Sequence[KnownContract], left: int, now: datetime) -> int:
        """Have a line for each contract, as far as lines are left; returns how many."""
        wanted = {each.conid: each for each in contracts[: max(0, left)]}
        for number, line in self.lines.of_kind(LineKind.OPTION):
            if line.symbol == symbol and line.contract.conid not in wanted:
                self._end(number)
        for contract in wanted.values():
            line = Line(kind=LineKind.OPTION, symbol=symbol, contract=contract, ticks=OPTION_TICKS)
            self.lines.want(line, now)
        self.without.pop((symbol, CHAIN), None)
        if len(contracts) > len(wanted):
            text = f"{len(contracts) - len(wanted)} of {len(contracts)} contracts have no line"
            self.without[symbol, CHAIN] = NoLine(symbol=symbol, feed=CHAIN, text=text)
        return len(wanted)

    def _mind_books(self) -> None:
        """A book that stays crossed lost a change: it is asked for anew, and a person told once."""
        at = self._market_time()
        if at is None:
            return
        for wrong in list(self._crossed.wrong(self.lines.of_kind(LineKind.DEPTH), self._feeds, at)):
            symbol = self.lines.by_number[wrong.number].symbol
            if wrong.is_first:
                words = f"{symbol}: {wrong.words}; it is asked for anew"
                self._context.alert(f"book_crossed_{symbol}", words)
            self._acts.crossed_book(wrong.number, wrong.words, at)
            self._end(wrong.number)
            self._want_due = None

    def _mind_silence(self) -> None:
        """A line that tells nothing in its hours may have ended without a word: it is asked for anew."""
        at = self._market_time()
        limit_s = max(SILENT_TIMES * self._ingest.quote_stale_after_s, SILENT_LEAST_S * self._speed)
        if at is not None:
            for number in list(silent_lines(self.lines, self._feeds, at, timedelta(seconds=limit_s))):
                self._ask_again(number, "silent")

    # asking

    def _open(self, now: datetime) -> None:
        room = ROOM_IN_QUEUE - self._context.pacing.waiting()
        for line in list(self.lines.due(now, room)):
            self._ask_line(line, Urgency.QUESTION)

    def _look(self, now: datetime) -> None:
        for number in self.rotation.overdue(now):
            self._end_look(number)
        room = ROOM_IN_QUEUE // 2 - self._context.pacing.waiting()
        for line in list(self.rotation.next_looks(room, now)):
            self.rotation.began(self._ask_line(line, Urgency.ROUTINE), line, now)

    def _ask_line(self, line: Line, rank: Urgency) -> int:
        number, at = self._context.take_number(), self._market_time()
        self._context.send(open_line(number, line, rank))
        self.lines.opened(number, line, at)
        self._acts.begin(number, line, at)
        return number

    # what is over

    def look_is_whole(self, number: int) -> None:
        """A snapshot ended by itself."""
        if self.rotation.over(number) is not None:
            self._drop(number)

    def look_has_greeks(self, number: int) -> None:
        """The last of what a look at a line brings."""
        look = self.rotation.looks().get(number)
        if look is not None and look.is_line:
            self._end_look(number)

    def book_is_wrong(self, number: int) -> None:
        """Its changes do not fit together: it is asked for anew."""
        self._ask_again(number, "the book's changes do not fit together")

    def _end(self, number: int) -> None:
        line = self._drop(number)
        if line is not None:
            self._context.send(end_line(number, line))

    def _end_look(self, number: int) -> None:
        if self.rotation.over(number) is not None:
            self._end(number)

    def _drop(self, number: int) -> Line | None:
        line = self.lines.ended(number)
        if line is not None:
            self._acts.end(number, self._market_time())
        return line

    def _ask_again(self, number: int, words: str) -> None:
        """At once, but what was asked for a moment ago only after a pause: a loop would take all messages."""
        line, asked_at, at = (
            self.lines.by_number.get(number),
            self.lines.asked_at(number),
            self._market_time(),
        )
        if line is None:
            return
        self._acts.empty_book(number, words, at)
        self._end(number)
        self._want_due = None
        if at is not None and asked_at is not None and (at - asked_at).total_seconds() < AGAIN_LEAST_S:
            self.lines.refuse(line, words, self._context.now() + self._context.ours(LATER_S))

    # what the broker says

    def said(self, number: int, code: int, text: str) -> None:
        """A code that names a line or a question, or nobody."""
        words = f"{code}: {text}"
        if self.discovery.is_open(number):
            self._question_failed(number, code, words)
            return
        if self.refilling.said(number, code, words, self._context.now()):
            self.errors += 1
            return
        line, reaction = self.lines.by_number.get(number), line_reaction(code)
        if line is None:
            if reaction.alert and number < 0:
                self._context.alert(f"code_{code}", words)
            return
        if reaction.action is not LineAction.NOTE:
            self.errors += 1
            is_final = reaction.action is LineAction.GIVE_UP
            self._acts.error(number, words, self._market_time(), is_final=is_final)
        self._react(number, line, reaction.action, words)
        if reaction.alert and not (code == UNKNOWN_CONTRACT and self._is_over(line)):
            self._context.alert(f"code_{code}", f"{line.kind} of {line.symbol}: {reaction.meaning}: {text}")

    def _is_over(self, line: Line) -> bool:
        """Whether its contract trades no more: on every evening of an expiry a look comes too late."""
        option, at = line.contract.option, self._market_time()
        return option is not None and at is not None and at >= last_trade(option).at

    def _question_failed(self, number: int, code: int, words: str) -> None:
        self.errors += 1
        is_unknown = code == UNKNOWN_CONTRACT
        watched = self.discovery.failed(number, words, is_unknown=is_unknown, now=self._context.now())
        if watched is not None and _is_missed(watched):
            self._context.alert(f"code_{code}", f"{watched.symbol}: {words}")

    def _react(self, number: int, line: Line, action: LineAction, words: str) -> None:
        now = self._context.now()
        later = now + self._context.ours(LATER_S)
        if action is LineAction.EMPTY_BOOK:
            self._acts.empty_book(number, words, self._market_time())
        elif action is LineAction.MARK_DELAYED:
            self._acts.delayed(number, self._market_time())
        elif action is LineAction.ASK_AGAIN:
            self._ask_again(number, words)
        elif action is LineAction.GIVE_UP:
            self._refuse(number, line, words, None)
        elif action is LineAction.ASK_DELAYED:
            self._refuse(number, line, words, now if self._asks_delayed(number) else later)
        elif action is LineAction.NO_LINE_LEFT and line.kind is LineKind.SNAPSHOT:
            self._drop(number)
            self.rotation.no_line_left(number)
        elif action in (LineAction.ASK_LATER, LineAction.NO_LINE_LEFT):
            self._refuse(number, line, words, later)

    def _asks_delayed(self, number: int) -> bool:
        """Whether the line may come if it is asked for as a delayed one, as all are from here on."""
        if self._data_kind != DELAYED:
            self._data_kind, self._asked_live_before = DELAYED, self._context.next_number
            self._context.send(Request(send=MarketSend.DATA_KIND, content=DELAYED))
        return number < self._asked_live_before

    def _refuse(self, number: int, line: Line, words: str, until: datetime | None) -> None:
        self._drop(number)
        if line.kind is LineKind.SNAPSHOT:
            self.rotation.refused(number, until)
        else:
            self.lines.refuse(line, words, until)
            self._want_due = None

    @property
    def _speed(self) -> int:
        return self._context.settings.speed


def _is_missed(watched: Watched) -> bool:
    """The volatility index has other sources; all else that is unknown is an error of the configuration."""
    return watched.is_given_up and watched.symbol != VOLATILITY_INDEX


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
