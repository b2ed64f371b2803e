"""What the normalizers have collected goes on its way: one update for each symbol that changed.

Keep out: hearing (`feeds`), when to flush, where updates go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from adapters.ibkr.market.dead_letters import gap
from adapters.ibkr.market.discovery import INDEX, SHARE
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.symbol_feeds import CHAIN, SOURCE, SymbolFeeds, is_due
from trading.market.book import empty_book, synthetic_book
from trading.market.market_halt import REASON, is_market_halted
from trading.market.market_hours import MarketHours, closes_at
from trading.market.quote_board import QuoteBoard
from trading.market.tape import Tape
from trading.market.updates import Flush
from trading.market_settings import IngestSettings
from trading.model.market import Quote, RefusedRow
from trading.ports.market_state import SymbolUpdate

CHAIN_LEAST = timedelta(seconds=1)  # of this machine: a fast simulated day tells no more chains than that


class Flushing:
    """The way from boards, tapes, minutes, books and chains to updates."""

    def __init__(self, board: QuoteBoard, symbols: Mapping[str, SymbolFeeds], ingest: IngestSettings) -> None:
        self._board, self._symbols, self._ingest = board, symbols, ingest
        self._hours = MarketHours(board)
        self._depth_every = timedelta(milliseconds=ingest.depth_every_ms)
        self._chain_every = timedelta(seconds=ingest.chain_every_s)

    def updates(
        self, at: datetime, heard_at: datetime, tapes: Sequence[Tape], refused: Sequence[RefusedRow]
    ) -> Sequence[SymbolUpdate]:
        """What changed; `tapes` are those that heard something, `refused` what was put aside already."""
        self._mind_market_halt(at)
        self._mind_hours(at)
        flush = Flush(SOURCE, {name: each.contract.instrument_id for name, each in self._symbols.items()})
        self._flush_quotes(flush)
        self._flush_tapes(flush, tapes)
        for each in self._symbols.values():
            self._flush_minutes(flush, each, at)
            self._flush_book(flush, each, at)
            self._flush_chain(flush, each, at, heard_at)
            self._end_gap(flush, each)
        flush.refused(refused)
        return flush.updates(heard_at)

    def _mind_market_halt(self, at: datetime) -> None:
        """No tick tells a halt of an index, or of a share that is late: the other shares do."""
        shares = {
            name: self._board.is_halted(each.contract.conid)
            for name, each in self._symbols.items()
            if each.contract.sec_type == SHARE
        }
        reason = REASON if is_market_halted(shares) else ""
        for each in self._symbols.values():
            self._board.stop(each.contract.conid, reason, at)

    def _mind_hours(self, at: datetime) -> None:
        """No tick tells that a session is over."""
        known = {each.contract.conid: each for each in self._symbols.values()}

        def closes(line: int, session: date) -> datetime:
            feeds = known[line]
            return closes_at(feeds.symbol, session, is_index=feeds.contract.sec_type == INDEX)

        self._hours.mind(at, known, closes)

    def _flush_quotes(self, flush: Flush) -> None:
        told = self._board.flush()
        flush.quotes(told.quotes)
        flush.states(told.states)
        flush.refused(told.refused)
        for quote in told.quotes:
            feeds = self._symbols.get(quote.symbol)
            if feeds is None:
                continue
            if quote.instrument_id == feeds.contract.instrument_id:
                feeds.quote = quote
                feeds.count(LineKind.LEVEL1.value).rows += 1
                self._synthetic(flush, feeds, quote)
            elif feeds.chain is not None:
                feeds.chain.quote(quote)
                feeds.chain_is_changed = True
                feeds.count(CHAIN).heard(1, quote.at)
        for row in told.refused:
            if row.symbol in self._symbols:
                self._symbols[row.symbol].count(LineKind.LEVEL1.value).refused += 1

    def _synthetic(self, flush: Flush, feeds: SymbolFeeds, quote: Quote) -> None:
        """Where there is no book, or none at the moment, the quote is one; one that is gone is an empty book.

        Else the sides of a halted market, which has none, would stand in the live book for as long as it is.
        """
        if feeds.book is None or feeds.book.is_empty:
            book = synthetic_book(quote)
            if book is not None or feeds.has_levels:
                feeds.has_levels = book is not None
                flush.book(book or empty_book(quote), for_warehouse=False)

    def _flush_tapes(self, flush: Flush, tapes: Sequence[Tape]) -> None:
        for tape in tapes:
            trades, refused = tape.flush(), tape.flush_refused()
            flush.trades(trades)
            flush.refused(refused)
            feeds = self._symbols.get(tape.symbol)
            if feeds is not None:
                counted = feeds.count(LineKind.PRINTS.value)
                counted.refused += len(refused)
                if tape is feeds.tape:
                    self._flush_holes(flush, tape)
                if trades:
                    counted.heard(len(trades), max(trade.at for trade in trades))

    def _flush_holes(self, flush: Flush, tape: Tape) -> None:
        """Prints that nobody heard: a line was away, or the running total tells more than the prints."""
        feed = LineKind.PRINTS.value
        flush.refused(
            gap(tape.symbol, feed, hole.since, hole.until, hole.reason) for hole in tape.flush_holes()
        )

    def _flush_minutes(self, flush: Flush, feeds: SymbolFeeds, at: datetime) -> None:
        minutes = feeds.minutes
        minutes.advance(at)
        bars = minutes.flush()
        if bars:
            flush.bars(bars)
            feeds.count(LineKind.BARS.value).heard(len(bars), None)
        refused = minutes.flush_refused()
        flush.refused(refused)
        feeds.count(LineKind.BARS.value).refused += len(refused)

    def _flush_book(self, flush: Flush, feeds: SymbolFeeds, at: datetime) -> None:
        book = feeds.book
        if book is None or not book.is_changed:
            return
        snapshot = book.snapshot(self._ingest.depth_rows)
        if snapshot is not None and book.crossed_since is None:
            self._board.doubt(feeds.contract.conid, "", at)
        if snapshot is None:
            quote = feeds.quote
            if quote is not None:  # it may be older than what was emptied, and is what is known now
                newest = max(quote.at, book.at or quote.at)
                self._synthetic(flush, feeds, replace(quote, at=newest))
            return
        is_for_warehouse = is_due(feeds.depth_told_at, at, self._depth_every)
        if is_for_warehouse:
            feeds.depth_told_at = at
        feeds.has_levels = True
        flush.book(snapshot, for_warehouse=is_for_warehouse)

    def _flush_chain(self, flush: Flush, feeds: SymbolFeeds, at: datetime, heard_at: datetime) -> None:
        if feeds.chain is None:
            return
        refused = feeds.chain.flush_refused()
        flush.refused(refused)
        feeds.count(CHAIN).refused += len(refused)
        if not feeds.chain_is_changed:
            return
        if not is_due(feeds.chain_told_at, at, self._chain_every):
            return
        if not is_due(feeds.chain_told_heard_at, heard_at, min(CHAIN_LEAST, self._chain_every)):
            return
        feeds.chain.spot = feeds.spot()
        snapshot = feeds.chain.snapshot(at)
        if snapshot is not None:
            feeds.chain_is_changed = False
            feeds.chain_told_at, feeds.chain_told_heard_at = at, heard_at
            flush.chain(snapshot)

    def _end_gap(self, flush: Flush, feeds: SymbolFeeds) -> None:
        newest, after = self._board.newest_at(feeds.contract.conid), feeds.gap_closes_after
        since = feeds.gap_since
        if since is not None and after is not None and newest is not None and newest > after:
            flush.refused([gap(feeds.symbol, LineKind.LEVEL1.value, since, newest, feeds.gap_reason)])
            feeds.gap_since = None
