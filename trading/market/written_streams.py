"""What each symbol's stream was written last, so that a server that lost everything is noticed and said.

Streams hold what the warehouse does not have yet. Where one begins anew, under another epoch, its undrained
blocks are lost, and nobody but the writer can know it: the drain finds a stream in order. Keep out: writing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.model.market import MarketBlock, MarketKind, RefusedRow
from trading.ports.market_state import SymbolUpdate

FEED = "outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWritten:
    """The newest block of a stream: its epoch and number, whose it was, its newest row's time."""

    epoch: str
    sequence: int
    source: str
    at: datetime
    heard_at: datetime


class WrittenStreams:
    """Of one writer."""

    def __init__(self) -> None:
        self._last: dict[str, LastWritten] = {}
        self._lost: dict[str, LastWritten] = {}

    def wrote(self, symbol: str, epoch: str, first: int, blocks: Sequence[MarketBlock]) -> bool:
        """Note what was written; True where the stream is another than before: the server lost everything.

        One that begins is another one, too: an epoch begins with a millisecond, and tests are quicker.
        """
        before, block = self._last.get(symbol), blocks[-1]
        self._last[symbol] = LastWritten(
            epoch=epoch,
            sequence=first + len(blocks) - 1,
            source=block.source,
            at=getattr(block.rows[-1], "at", None) or block.heard_at,
            heard_at=block.heard_at,
        )
        is_another = before is not None and (first == 1 or before.epoch != epoch)
        if is_another and before is not None:
            self._lost[symbol] = before
        return is_another

    def lost(self) -> Mapping[str, LastWritten]:
        """What the streams that are gone had last, until it is told."""
        return dict(self._lost)

    def told(self, lost: Iterable[str]) -> None:
        """These losses are recorded."""
        for symbol in lost:
            self._lost.pop(symbol, None)


def loss_of(symbol: str, last: LastWritten) -> SymbolUpdate:
    """The record of a loss for the dead letter."""
    row = RefusedRow(
        symbol=symbol,
        feed=FEED,
        at=last.at,
        field="gap",
        reason="the live state lost everything: blocks that were not drained by then are lost",
        payload=f"the newest was block {last.sequence}, until {last.at.isoformat()}",
    )
    block = MarketBlock(
        kind=MarketKind.REFUSED, symbol=symbol, source=last.source, heard_at=last.heard_at, rows=(row,)
    )
    return SymbolUpdate(symbol=symbol, blocks=(block,))
