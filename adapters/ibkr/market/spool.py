"""Updates that were heard and are not written yet: one line in order, bounded, never silent about a loss.

Redis may be away. The newest state of each symbol is worth more than every state on the way to it, so updates
of one symbol that wait are joined; their blocks are kept in order until there are too many rows. Then the
oldest blocks are dropped, and in their place stands a refused row that says what is missing, with an alert.
The loop that hears is never stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from trading.model.market import MarketBlock, MarketKind, MarketRow, RefusedRow
from trading.ports.market_state import BARS_KEPT, ROWS_PER_BLOCK_MAX, TRADES_KEPT, SymbolUpdate

ROWS_MAX = 400_000  # about 200 MB; at 2,000 rows a second more than three minutes without Redis
CUT_OFF = timedelta(seconds=1)  # of the times that some feeds tell
FEED = "outbox"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was lost of one symbol: an alert's content."""

    symbol: str
    rows: int
    text: str


class MarketSpool:
    """The line to the sink; the loop puts, one writer takes. Not to be shared between threads."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows_max = rows_max
        self._waiting: dict[str, SymbolUpdate] = {}
        self._rows = 0
        self.dropped: list[Dropped] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self._rows

    def put(self, updates: Sequence[SymbolUpdate]) -> None:
        """Put behind what waits."""
        for update in updates:
            before = self._waiting.get(update.symbol)
            self._waiting[update.symbol] = update if before is None else joined(before, update)
            self._rows += _rows(update)
        self._drop_oldest()

    def take(self, most: int, rows_most: int) -> list[SymbolUpdate]:
        """Take what waits longest, at least one block: what is printed at once has a bound, however much
        waited. Of a symbol that has more the first blocks go, and its newest state with the last of them.
        """
        taken: list[SymbolUpdate] = []
        room = rows_most
        while self._waiting and len(taken) < most:
            symbol, update = next(iter(self._waiting.items()))
            part, rest = _cut(update, room, at_least=0 if taken else 1)
            if part is None:
                break
            taken.append(part)
            rows = _rows(part)
            room -= rows
            self._rows -= rows
            if rest is not None:
                self._waiting[symbol] = rest  # in its place, which is the first
                break
            del self._waiting[symbol]
        return taken

    def put_back(self, updates: Sequence[SymbolUpdate]) -> None:
        """What was refused, and so is not written for certain, stands before what came since."""
        newer = self._waiting
        self._waiting = {}
        self._rows = 0
        self.put(updates)
        self.put(list(newer.values()))

    def _drop_oldest(self) -> None:
        while self._rows > self._rows_max:
            symbol = max(self._waiting, key=lambda name: _rows(self._waiting[name]))
            update = self._waiting[symbol]
            kept, gone = _without_oldest(update)
            if not gone:
                return
            self._waiting[symbol] = kept
            self._rows += _rows(kept) - _rows(update)
            lost = sum(len(block.rows) for block in gone)
            self.dropped.append(Dropped(symbol, lost, _words(gone)))


def joined(before: SymbolUpdate, after: SymbolUpdate) -> SymbolUpdate:
    """One update that does what two in a row do."""
    return SymbolUpdate(
        symbol=before.symbol,
        ticker=after.ticker or before.ticker,
        book=after.book or before.book,
        state=after.state or before.state,
        trades=(*before.trades, *after.trades)[-TRADES_KEPT:],
        bars=(*before.bars, *after.bars)[-BARS_KEPT:],
        chain=after.chain or before.chain,
        sentiment=after.sentiment or before.sentiment,
        technicals=after.technicals or before.technicals,
        volatility=after.volatility or before.volatility,
        blocks=_joined_blocks(before.blocks, after.blocks),
    )


def _joined_blocks(before: Sequence[MarketBlock], after: Sequence[MarketBlock]) -> tuple[MarketBlock, ...]:
    """Blocks in order; a small one grows by the next of its kind, so a long wait is few entries."""
    blocks = list(before)
    newest = {block.kind: place for place, block in enumerate(blocks)}
    for block in after:
        place = newest.get(block.kind)
        if place is not None and len(blocks[place].rows) + len(block.rows) <= ROWS_PER_BLOCK_MAX:
            blocks[place] = replace(blocks[place], rows=(*blocks[place].rows, *block.rows))
        else:
            newest[block.kind] = len(blocks)
            blocks.append(block)
    return tuple(blocks)


def _without_oldest(update: SymbolUpdate) -> tuple[SymbolUpdate, list[MarketBlock]]:
    """Drop the oldest block that is no record of a loss itself; the record of it takes its place."""
    for place, block in enumerate(update.blocks):
        if block.kind is not MarketKind.REFUSED:
            record = replace(block, kind=MarketKind.REFUSED, rows=(_record(block),))
            rest = (*update.blocks[:place], *update.blocks[place + 1 :])
            return replace(update, blocks=_joined_blocks(rest, (record,))), [block]
    return update, []


def _cut(
    update: SymbolUpdate, rows_most: int, *, at_least: int
) -> tuple[SymbolUpdate | None, SymbolUpdate | None]:
    """The blocks that fit, and what stays with the newest state; None where that is nothing."""
    fitting, rows = 0, 0
    for block in update.blocks:
        rows += len(block.rows)
        if rows > rows_most:
            break
        fitting += 1
    fitting = max(fitting, at_least)
    if fitting >= len(update.blocks):
        return update, None
    first = SymbolUpdate(symbol=update.symbol, blocks=update.blocks[:fitting]) if fitting else None
    return first, replace(update, blocks=update.blocks[fitting:])


def _record(block: MarketBlock) -> RefusedRow:
    moments = [_moment(row) for row in block.rows]  # in the order of hearing: what was late stands behind
    first, last = min(moments), max(moments) + CUT_OFF
    return RefusedRow(
        symbol=block.symbol,
        feed=FEED,
        at=first,
        field=block.kind.value,
        reason="dropped: the live state was away for longer than the spool holds",
        payload=f"{len(block.rows)} rows from {first.isoformat()} to {last.isoformat()}",
        rows=len(block.rows),
    )


def _moment(row: MarketRow):  # type: ignore[no-untyped-def]
    return getattr(row, "at", None) or getattr(row, "published_at", None)


def _rows(update: SymbolUpdate) -> int:
    return sum(len(block.rows) for block in update.blocks)


def _words(gone: Sequence[MarketBlock]) -> str:
    return "; ".join(f"{_record(block).payload} of {block.kind.value}" for block in gone)
