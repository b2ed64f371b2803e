"""What is heard, brought to rows by the normalizers, and collected per symbol until the next flush.

One for each session. Lines come and go; what is known of an instrument stays with its contract. Keep out:
when to flush, where updates go, what is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from adapters.ibkr.market.heard import GreeksHeard
from adapters.ibkr.market.lines import LEVEL1_KINDS, KnownContract, Line, LineKind
from trading.model.market import (
    Bar,
    MarketBlock,
    MarketKind,
    MarketRow,
    Quote,
    RefusedRow,
    Trade,
)
from trading.ports.market_state import SymbolUpdate

SOURCE = "ibkr"
NOBODY = "IBKR"  # the symbol of what names no line
DELAYED_BY = {66: 1, 67: 2, 68: 4, 69: 0, 70: 3, 71: 5, 74: 8}
BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8
RT_VOLUME = 48
MINUTE_S = 60


@lru_cache(maxsize=65_536)
def decimal(value: float) -> Decimal:
    """The number as the broker wrote it: a float's shortest text is it."""
    return Decimal(repr(value)).normalize() if value != int(value) else Decimal(int(value))


@dataclass(slots=True)
class _Board:
    contract: KnownContract
    symbol: str
    values: dict[int, float] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(slots=True)
class _Collected:
    quotes: dict[int, _Board] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)


class Feeds:
    """All symbols' feeds."""

    def __init__(self) -> None:
        self._lines: dict[int, _Board] = {}
        self._kinds: dict[int, Line] = {}
        self._boards: dict[int, _Board] = {}
        self._changed: dict[str, _Collected] = {}
        self._minutes: dict[int, Bar] = {}

    def begin(self, number: int, line: Line) -> None:
        """A line was asked for."""
        contract = line.contract
        board = self._boards.setdefault(contract.conid, _Board(contract, line.symbol))
        self._lines[number], self._kinds[number] = board, line

    def end(self, number: int) -> None:
        """A line is over."""
        self._lines.pop(number, None)
        self._kinds.pop(number, None)

    def begin_session(self, session: date) -> None:
        """A new session."""

    def expect_chain(self, symbol: str, contracts: Sequence[KnownContract], listed: int) -> None:
        """What the chain is to be made of."""

    def quiet(self, reason: str, at: datetime | None) -> None:
        """Nothing is heard for now."""

    def lose(self, reason: str, at: datetime | None) -> None:
        """All lines are gone."""
        self._lines.clear()
        self._kinds.clear()

    def error(self, line: Line, words: str) -> None:
        """The broker refused something about a line."""

    def data_kind(self, number: int, kind: int) -> None:
        """Live or delayed."""

    def empty_book(self, number: int, words: str, at: datetime | None) -> None:
        """The book is told anew."""

    def undecodable(self, fields: tuple[str, ...], error: str, at: datetime | None) -> None:
        """A message nobody can read."""
        if at is not None:
            self._of(NOBODY).refused.append(
                RefusedRow(
                    symbol=NOBODY,
                    feed=SOURCE,
                    at=at,
                    field="message",
                    reason=error,
                    payload="|".join(fields),
                )
            )

    def spot(self, symbol: str) -> Decimal | None:
        """Where the underlying stands."""
        for board in self._boards.values():
            if board.symbol == symbol and board.contract.option is None:
                values = board.values
                known = [values[tick] for tick in (BID, ASK) if values.get(tick, -1) > 0]
                if len(known) == 2:
                    return (decimal(known[0]) + decimal(known[1])) / 2
                last = values.get(LAST, 0)
                return decimal(last) if last > 0 else None
        return None

    def price(self, number: int, tick: int, price: float, size: float, at: datetime | None) -> None:
        """A price with its size."""
        self._set(number, tick, price, at)

    def size(self, number: int, tick: int, size: float, at: datetime | None) -> None:
        """A size."""
        self._set(number, tick, size, at)

    def value(self, number: int, tick: int, value: float, at: datetime | None) -> None:
        """A generic tick."""

    def text(self, number: int, tick: int, text: str, at: datetime | None) -> None:
        """A print as text."""
        board = self._lines.get(number)
        if board is None or tick != RT_VOLUME:
            return
        price, size, ms, *_ = text.split(";")
        if price and any(
            line.kind is LineKind.PRINTS and line.contract is board.contract for line in self._kinds.values()
        ):
            return
        when = datetime.fromtimestamp(int(ms) / 1000, UTC)
        self._trade(board, when, Decimal(price), Decimal(size), "", "")

    def greeks(self, number: int, tick: int, heard: GreeksHeard, at: datetime | None) -> None:
        """Model values."""

    def print_(
        self,
        number: int,
        epoch_s: int,
        price: float,
        size: float,
        exchange: str,
        cond: str,
        at: datetime | None,
    ) -> None:
        """A trade."""
        board = self._lines.get(number)
        if board is not None:
            when = datetime.fromtimestamp(epoch_s, UTC)
            self._trade(board, when, decimal(price), decimal(size), exchange, cond)

    def touch(
        self,
        number: int,
        epoch_s: int,
        bid: float,
        ask: float,
        sizes: Sequence[float],
        at: datetime | None,
    ) -> None:
        """Bid and ask."""
        for tick, value in ((BID, bid), (ASK, ask), (BID_SIZE, sizes[0]), (ASK_SIZE, sizes[1])):
            self._set(number, tick, value, at)

    def level(
        self,
        number: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        at: datetime | None,
    ) -> bool:
        """A change of a book."""
        return True

    def bar(
        self,
        number: int,
        epoch_s: int,
        prices: Sequence[float],
        volume: float,
        average: float,
        count: int,
        at: datetime | None,
    ) -> None:
        """Five seconds, rolled up to minutes."""
        board = self._lines.get(number)
        if board is None:
            return
        begins = datetime.fromtimestamp(epoch_s - epoch_s % MINUTE_S, UTC)
        before = self._minutes.get(board.contract.conid)
        values = [decimal(price) for price in prices]
        if before is not None and before.at == begins:
            self._minutes[board.contract.conid] = Bar(
                symbol=board.symbol,
                instrument_id=board.contract.instrument_id,
                at=begins,
                seconds=MINUTE_S,
                open=before.open,
                high=max(before.high, values[1]),
                low=min(before.low, values[2]),
                close=values[3],
                volume=(before.volume or Decimal(0)) + decimal(volume),
                trades=(before.trades or 0) + count,
                conid=board.contract.conid,
            )
            return
        if before is not None:
            self._of(board.symbol).bars.append(before)
        self._minutes[board.contract.conid] = Bar(
            symbol=board.symbol,
            instrument_id=board.contract.instrument_id,
            at=begins,
            seconds=MINUTE_S,
            open=values[0],
            high=values[1],
            low=values[2],
            close=values[3],
            volume=decimal(volume),
            trades=count,
            conid=board.contract.conid,
        )

    def flush(self, at: datetime | None, heard_at: datetime) -> list[SymbolUpdate]:
        """What changed since the last flush, by symbol."""
        if at is None:
            return []
        updates = [self._update(symbol, each, heard_at) for symbol, each in self._changed.items()]
        self._changed = {}
        return updates

    # inside

    def _of(self, symbol: str) -> _Collected:
        collected = self._changed.get(symbol)
        if collected is None:
            collected = self._changed[symbol] = _Collected()
        return collected

    def _set(self, number: int, tick: int, value: float, at: datetime | None) -> None:
        board = self._lines.get(number)
        if board is not None:
            board.values[DELAYED_BY.get(tick, tick)] = value
            board.at = at
            self._of(board.symbol).quotes[board.contract.conid] = board

    def _trade(
        self, board: _Board, at: datetime, price: Decimal, size: Decimal, exchange: str, cond: str
    ) -> None:
        trade = Trade(
            symbol=board.symbol,
            instrument_id=board.contract.instrument_id,
            at=at,
            price=price,
            size=size,
            exchange=exchange,
            conditions=cond,
            conid=board.contract.conid,
        )
        self._of(board.symbol).trades.append(trade)

    def _update(self, symbol: str, collected: _Collected, heard_at: datetime) -> SymbolUpdate:
        quotes = [_quote(board) for board in collected.quotes.values()]
        own = [
            quote
            for quote, board in zip(quotes, collected.quotes.values(), strict=True)
            if board.contract.option is None
        ]
        told: list[tuple[MarketKind, Iterable[MarketRow]]] = [
            (MarketKind.QUOTE, quotes),
            (MarketKind.TRADE, collected.trades),
            (MarketKind.BAR, collected.bars),
            (MarketKind.REFUSED, collected.refused),
        ]
        blocks = tuple(
            MarketBlock(kind=kind, symbol=symbol, source=SOURCE, heard_at=heard_at, rows=tuple(rows))
            for kind, rows in told
            if rows
        )
        return SymbolUpdate(
            symbol=symbol,
            ticker=own[-1] if own else None,
            trades=tuple(collected.trades),
            bars=tuple(collected.bars),
            blocks=blocks,
        )


def _quote(board: _Board) -> Quote:
    def positive(tick: int) -> Decimal | None:
        value = board.values.get(tick, -1.0)
        return decimal(value) if value > 0 else None

    def any_size(tick: int) -> Decimal | None:
        value = board.values.get(tick)
        return None if value is None else decimal(value)

    assert board.at is not None
    return Quote(
        symbol=board.symbol,
        instrument_id=board.contract.instrument_id,
        at=board.at,
        bid=positive(BID),
        ask=positive(ASK),
        bid_size=any_size(BID_SIZE),
        ask_size=any_size(ASK_SIZE),
        last=positive(LAST),
        last_size=any_size(LAST_SIZE),
        volume=any_size(VOLUME),
        conid=board.contract.conid,
    )


__all__ = ["LEVEL1_KINDS", "SOURCE", "Feeds", "decimal", "timedelta"]
