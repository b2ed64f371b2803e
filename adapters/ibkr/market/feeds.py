"""What is heard, brought to rows by the normalizers, and collected until the next flush.

Lines come and go; what is known of an instrument stays with its contract, so a look that ends and begins
again goes on where it was. Keep out: when to flush, where updates go, what is asked for; what a quote, a
print, a book or a chain is (`trading/market`).

What can lose money here: a state that looks alive after the line was lost (every underlying is marked stale
at once, and its next tick ends that), an old half of a quote beside a new one (all are forgotten), a hole
that nobody knows of (each one is a refused row, from when to when).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from adapters.ibkr.market.best_greeks import BestGreeks
from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.dead_letters import gap, number_of, unreadable
from adapters.ibkr.market.flushing import Flushing
from adapters.ibkr.market.heard import GreeksHeard
from adapters.ibkr.market.heard_before import HeardBefore
from adapters.ibkr.market.lines import Line, LineKind
from adapters.ibkr.market.refills import Refills
from adapters.ibkr.market.symbol_feeds import CHAIN, SOURCE, SymbolFeeds, feed_of, symbol_feeds
from trading.calendar import session_close, session_open
from trading.market.chains import broker_greeks
from trading.market.numbers import NUMBER_LIMIT, UNSET_FROM, decimal_of
from trading.market.quote_board import QuoteBoard
from trading.market.tape import PrintSource, Tape
from trading.market_settings import IngestSettings
from trading.model.instruments import Option
from trading.model.market import RefusedRow, TradingState
from trading.ports.market_state import SymbolUpdate

NOBODY = "IBKR"  # the symbol of what names no line
TOLD_ON = {PrintSource.TICK_BY_TICK: LineKind.PRINTS, PrintSource.RT_VOLUME: LineKind.LEVEL1}
CLOSE_TICKS = frozenset({9, 75})
RT_VOLUME_TICK = 48  # 77 tells the same prints without odd ones
OPEN_INTEREST_OF = {27: "C", 28: "P"}
DELAYED_FROM = 3


class Feeds:
    """All symbols' feeds; one thread's."""

    def __init__(self, plans: Mapping[str, SymbolPlan], ingest: IngestSettings) -> None:
        self._plans = plans
        self.board = QuoteBoard()
        self.symbols: dict[str, SymbolFeeds] = {}
        self._flushing = Flushing(self.board, self.symbols, ingest)
        self.refills = Refills(self.symbols)
        self._lines: dict[int, Line] = {}
        self._conids: dict[int, int] = {}
        self._known: dict[int, Line] = {}  # contracts that the board has a line of
        self._tapes: dict[int, Tape] = {}
        self._told_tapes: dict[int, Tape] = {}  # those that heard something since the last flush
        self._greeks = BestGreeks()
        self._refused: list[RefusedRow] = []
        self._before = HeardBefore()
        self._session: date | None = None
        self._bounds: tuple[datetime, datetime] | None = None

    # lines

    def begin(self, number: int, line: Line) -> None:
        """A line was asked for."""
        contract = line.contract
        self._lines[number], self._conids[number] = line, contract.conid
        if contract.conid not in self._known:
            self._meet(line)
        tape = self._tapes.get(contract.conid)
        if tape is not None and line.kind in (LineKind.LEVEL1, LineKind.OPTION):
            tape.begin_line()
        symbol = self.symbols.get(line.symbol)
        if symbol is not None:
            symbol.count(feed_of(line)).text = ""
            if line.kind is LineKind.DEPTH and symbol.book is not None:
                symbol.book.reset()

    def end(self, number: int, at: datetime | None) -> None:
        """A line is over; what it told is kept. The prints that it told are lost until others come."""
        line = self._lines.pop(number, None)
        self._conids.pop(number, None)
        tape = self._tapes.get(line.contract.conid) if line is not None else None
        if line is not None and tape is not None and at is not None and line.kind is TOLD_ON.get(tape.source):
            tape.lose("their line ended", at)

    def begin_session(self, session: date) -> None:
        """Another session: chains begin anew, minutes are those of its hours."""
        self._session = session
        self.refills.begin_session()
        self._bounds = (session_open(session), session_close(session))
        for each in self.symbols.values():
            each.minutes.begin_session(*self._bounds)
            if each.chain is not None:
                each.chain.begin_session()
        self._forget({conid for conid, line in self._known.items() if line.contract.option is not None})

    def resume(self, before: HeardBefore) -> None:
        """Until when each symbol was heard by the process before: all else is a gap."""
        self._before = before

    def expect_chain(self, symbol: str, options: Sequence[Option], listed: int) -> None:
        """Say what a chain is made of."""
        feeds = self.symbols.get(symbol)
        if feeds is None or feeds.chain is None or not options:
            return
        feeds.chain.expect(options, listed)
        kept = {option.conid for option in options}
        is_gone = {
            conid
            for conid, line in self._known.items()
            if line.symbol == symbol and line.contract.option is not None and conid not in kept
        }
        self._forget(is_gone)

    def quiet(self, reason: str, at: datetime | None) -> None:
        """Nothing is heard any more: what is known is stale, and there is a gap since the last tick."""
        if at is None:
            return
        for each in self.symbols.values():
            each.begin_gap(self.board.newest_at(each.contract.conid), reason, at)
            self.board.mark(each.contract.conid, TradingState.STALE, reason, at)

    def stand_still(self, symbol: str, reason: str, at: datetime) -> None:
        """The link lives and one symbol tells nothing: stale until its next tick, which ends a gap."""
        each = self.symbols.get(symbol)
        if each is not None:
            each.begin_gap(self.board.newest_at(each.contract.conid), reason, at)
            self.board.mark(each.contract.conid, TradingState.STALE, reason, at)

    def lose(self, reason: str, at: datetime | None) -> None:
        """All lines are gone."""
        self._lines.clear()
        self._conids.clear()
        self.refills.forget()
        self.quiet(reason, at)
        for conid in self._known:
            self.board.forget(conid, at)
        for each in self.symbols.values():
            if each.book is not None:
                each.book.reset()

    def error(self, number: int, words: str, at: datetime | None, *, is_final: bool) -> None:
        """The broker refused something about a line; without its own line the tape is that of level 1."""
        line = self._lines.get(number)
        if line is None:
            return
        feeds = self.symbols.get(line.symbol)
        if feeds is not None:
            counted = feeds.count(feed_of(line))
            counted.errors += 1
            counted.text = words
            if line.kind is LineKind.PRINTS and is_final:
                self._take_texts(feeds.tape, words, at)
            if line.kind is LineKind.DEPTH:  # there is no book that could be wrong
                self.board.doubt(line.contract.conid, "", None)

    def empty_book(self, number: int, words: str, at: datetime | None) -> None:
        """The book is told anew from here on."""
        line, feeds = self._of(number)
        if line is not None and line.kind is LineKind.DEPTH and feeds is not None and feeds.book is not None:
            feeds.book.reset()
            if at is not None:
                self._refused.append(gap(line.symbol, LineKind.DEPTH.value, at, at, words))

    def crossed_book(self, number: int, words: str, at: datetime | None) -> None:
        """The book stays crossed: a change of it was lost. Until it was told anew the state says so."""
        line, feeds = self._of(number)
        if at is None or line is None or feeds is None or feeds.book is None:
            return
        since = feeds.book.crossed_since or at
        feeds.book.reset()
        feeds.count(LineKind.DEPTH.value).errors += 1
        self._refused.append(gap(line.symbol, LineKind.DEPTH.value, since, at, words))
        self.board.doubt(line.contract.conid, words, at)

    def undecodable(self, fields: Sequence[str], error: str, at: datetime | None) -> None:
        """A message that nobody can read goes to the dead letter."""
        line = next((self._lines[n] for n in map(number_of, fields[1:3]) if n in self._lines), None)
        if at is None:
            return
        symbol = NOBODY if line is None else line.symbol
        feed = SOURCE if line is None else feed_of(line)
        self._refused.append(unreadable(symbol, feed, at, fields, error))
        if line is not None and symbol in self.symbols:
            self.symbols[symbol].count(feed_of(line)).refused += 1

    def spot(self, symbol: str) -> Decimal | None:
        """Where an underlying stands; None while nobody knows."""
        feeds = self.symbols.get(symbol)
        return None if feeds is None else feeds.spot()

    # what is heard

    def data_kind(self, number: int, kind: int) -> None:
        """Live or delayed."""
        line, feeds = self._of(number)
        if feeds is not None and line is not None and line.kind is LineKind.LEVEL1:
            feeds.is_delayed = kind >= DELAYED_FROM

    def price(self, number: int, tick: int, price: float, size: float, at: datetime) -> None:
        """A price with its size."""
        conid = self._conids.get(number)
        if conid is None:
            return
        self.board.price(conid, tick, price, size, at)
        if tick in CLOSE_TICKS and 0 < price < NUMBER_LIMIT:
            line = self._lines[number]
            if line.contract.option is None and line.symbol in self.symbols:
                self.symbols[line.symbol].close = decimal_of(price)

    def size(self, number: int, tick: int, size: float, at: datetime) -> None:
        """A size; open interest is one, too."""
        conid = self._conids.get(number)
        if conid is None:
            return
        if tick in OPEN_INTEREST_OF:
            self._open_interest(self._lines[number], tick, size, at)
        else:
            self.board.size(conid, tick, size, at)

    def value(self, number: int, tick: int, value: float, at: datetime) -> None:
        """A generic tick."""
        conid = self._conids.get(number)
        if conid is not None:
            self.board.value(conid, tick, value, at)

    def text(self, number: int, tick: int, text: str, at: datetime) -> None:
        """A print as text."""
        conid = self._conids.get(number)
        if conid is None or tick != RT_VOLUME_TICK:
            return
        tape = self._tapes.get(conid) or self._first_print(self._lines[number], at)
        tape.rt_volume(text, at)
        self._told_tapes[conid] = tape

    def greeks(self, number: int, tick: int, heard: GreeksHeard, at: datetime) -> None:
        """Model values of an option; those of the model go before those of bid, ask and last."""
        line, feeds = self._of(number)
        if line is None or feeds is None or feeds.chain is None:
            return
        told = broker_greeks(
            at,
            implied_volatility=heard.implied_volatility,
            delta=heard.delta,
            gamma=heard.gamma,
            vega=heard.vega,
            theta=heard.theta,
            price=heard.price,
            underlying=heard.underlying,
        )
        if told is not None and feeds.chain.refuses(line.contract.instrument_id, told, at):
            return
        if not self._greeks.accepts(line.contract.conid, tick, told):
            return
        feeds.chain.greeks(line.contract.instrument_id, told)
        feeds.chain_is_changed = True
        feeds.count(CHAIN).heard(0, at)

    def snapshot_end(self, number: int, at: datetime | None) -> None:
        """A look is whole."""
        line = self._lines.get(number)
        if line is not None and line.symbol in self.symbols:
            self.symbols[line.symbol].count(CHAIN).heard(0, at)

    def print_(
        self, number: int, epoch_s: int, price: float, size: float, exchange: str, cond: str, at: datetime
    ) -> None:
        """A trade, tick by tick."""
        conid = self._conids.get(number)
        tape = self._tapes.get(conid) if conid is not None else None
        if tape is not None and conid is not None:
            tape.print_(epoch_s, price, size, exchange, cond, at)
            self._told_tapes[conid] = tape

    def touch(
        self, number: int, epoch_s: int, bid: float, ask: float, sizes: Sequence[float], at: datetime
    ) -> None:
        """Bid and ask, tick by tick."""
        conid = self._conids.get(number)
        if conid is not None:
            self.board.touch(conid, bid, ask, (sizes[0], sizes[1]), at)
            line = self._lines[number]
            if line.symbol in self.symbols:
                self.symbols[line.symbol].count(LineKind.TOUCHES.value).heard(1, at)

    def level(
        self,
        number: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        at: datetime,
    ) -> bool:
        """A change of a book; False where it cannot be."""
        feeds = self._of(number)[1]
        if feeds is None or feeds.book is None:
            return True
        feeds.count(LineKind.DEPTH.value).heard(1, at)
        return feeds.book.change(position, maker, operation, side, price, size, at)

    def bar(
        self,
        number: int,
        epoch_s: int,
        prices: Sequence[float],
        volume: float,
        average: float,
        count: int,
        at: datetime,
    ) -> None:
        """Five seconds; those outside of the session's hours are no minute of it."""
        feeds = self._of(number)[1]
        if feeds is None or self._bounds is None:
            return
        begins = datetime.fromtimestamp(epoch_s, at.tzinfo)
        if self._bounds[0] <= begins < self._bounds[1]:
            feeds.count(LineKind.BARS.value).heard(0, min(begins, at))
            feeds.minutes.piece(begins, prices, volume, average, count)

    # what goes on its way

    def flush(self, at: datetime | None, heard_at: datetime) -> Sequence[SymbolUpdate]:
        """What changed since the last flush, by symbol."""
        if at is None:
            return ()
        told, self._told_tapes = self._told_tapes, {}
        refused, self._refused = [*self._refused, *self.refills.flush()], []
        return self._flushing.updates(at, heard_at, tuple(told.values()), refused)

    # inside

    def _of(self, number: int) -> tuple[Line | None, SymbolFeeds | None]:
        line = self._lines.get(number)
        return line, self.symbols.get(line.symbol) if line is not None else None

    def _meet(self, line: Line) -> None:
        """A contract that nothing is known of yet."""
        contract = line.contract
        is_option = contract.option is not None
        if not is_option and line.symbol not in self.symbols:
            feeds = self.symbols[line.symbol] = symbol_feeds(self._plans[line.symbol], contract)
            if self._bounds is not None:
                feeds.minutes.begin_session(*self._bounds)
            self._tapes[contract.conid] = feeds.tape
            self._before.begin_gap(feeds, self._bounds[0] if self._bounds else None)
        self._known[contract.conid] = line
        self.board.open_line(
            contract.conid,
            line.symbol,
            contract.instrument_id,
            conid=contract.conid,
            is_option=is_option,
            touch=partial(self._touched, contract.conid) if line.kind is not LineKind.SNAPSHOT else None,
        )

    def _take_texts(self, tape: Tape, words: str, at: datetime | None) -> None:
        """Its prints are those of level 1 from here on; the texts until now were left aside."""
        if at is not None and tape.source is PrintSource.TICK_BY_TICK:
            tape.lose(words, at)
        tape.source = PrintSource.RT_VOLUME

    def _touched(self, conid: int, bid: float | None, ask: float | None, at: datetime) -> None:
        """Bid or ask moved: prints are signed by how they stood."""
        tape = self._tapes.get(conid)
        if tape is not None:
            tape.touch(bid, ask, at)

    def _first_print(self, line: Line, at: datetime) -> Tape:
        """Most options never print: a tape begins with the first print, and the quote that stands."""
        contract = line.contract
        tape = Tape(line.symbol, contract.instrument_id, source=PrintSource.RT_VOLUME, conid=contract.conid)
        tape.touch(*self.board.standing(contract.conid), at)
        self._tapes[contract.conid] = tape
        return tape

    def _forget(self, conids: Iterable[int]) -> None:
        """Contracts that nobody listens to any more; one that a line is open of stays."""
        heard = set(self._conids.values())
        for conid in sorted(set(conids) - heard):
            self._greeks.forget(conid)
            for kept in (self._known, self._tapes):
                kept.pop(conid, None)
            self.board.close_line(conid)

    def _open_interest(self, line: Line, tick: int, contracts: float, at: datetime) -> None:
        option, feeds = line.contract.option, self.symbols.get(line.symbol)
        if option is None or feeds is None or feeds.chain is None or self._session is None:
            return
        if option.right == OPEN_INTEREST_OF[tick]:
            name = line.contract.instrument_id
            if feeds.chain.open_interest(name, contracts, self._session):
                feeds.chain_is_changed = True
            elif contracts < UNSET_FROM or contracts != contracts:
                feeds.chain.refuse(name, "open_interest", "expected a whole number", repr(contracts), at)
