"""What is known of one underlying: its tape, minutes, book and chain, and what each feed has counted."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from trading.market.bars import MinuteBars
from trading.market.book import PositionBook
from trading.market.chains import ChainBoard
from trading.market.tape import PrintSource, Tape
from trading.model.market import Quote

SOURCE = "ibkr"
CHAIN = "chain"  # the feed's name
WIDE = Decimal("0.1")  # of the middle: no share or index whose options are traded is quoted so


@dataclass(slots=True)
class FeedCount:
    """One feed: rows, the newest one's time, what was refused, the broker's errors, a text for people."""

    rows: int = 0
    newest_at: datetime | None = None
    refused: int = 0
    errors: int = 0
    text: str = ""

    def heard(self, rows: int, at: datetime | None) -> None:
        """Count rows."""
        self.rows += rows
        if at is not None and (self.newest_at is None or at > self.newest_at):
            self.newest_at = at


@dataclass(slots=True)
class SymbolFeeds:
    """One symbol's parts; `contract` is the underlying's."""

    symbol: str
    contract: KnownContract
    tape: Tape
    minutes: MinuteBars
    book: PositionBook | None
    chain: ChainBoard | None
    counts: dict[str, FeedCount] = field(default_factory=dict)
    quote: Quote | None = None
    close: Decimal | None = None  # of the session before
    gap_since: datetime | None = None
    gap_reason: str = ""
    gap_closes_after: datetime | None = None  # the mark's own time is no tick
    has_levels: bool = False  # the book that was told last
    chain_is_changed: bool = False
    chain_told_at: datetime | None = None
    chain_told_heard_at: datetime | None = None
    depth_told_at: datetime | None = None
    is_delayed: bool = False

    def count(self, feed: str) -> FeedCount:
        """The counter of one feed."""
        counted = self.counts.get(feed)
        if counted is None:
            counted = self.counts[feed] = FeedCount()
        return counted

    def begin_gap(self, heard_at: datetime | None, reason: str, at: datetime) -> None:
        """Nothing is heard any more; one gap goes on until a tick comes after the last word about it.

        That of the prints is another one: they may be there again later than the quotes.
        """
        self.tape.lose(reason, at)
        if self.gap_since is None:
            self.gap_since, self.gap_reason = min(heard_at or at, at), reason
        self.gap_closes_after = at

    def spot(self) -> Decimal | None:
        """Where the underlying stands: the middle of its quote, else its last price, else its close.

        The middle of a wide quote, as stubs are before the opening (0.01 to 199,999), says nothing: then it
        is the last price, as far as it lies in the quote.
        """
        quote = self.quote
        if quote is None:
            return self.close
        known = quote.last or self.close
        if quote.bid is None or quote.ask is None:
            return known
        middle = (quote.bid + quote.ask) / 2
        if known is None or quote.ask - quote.bid <= WIDE * middle:
            return middle
        return max(quote.bid, min(known, quote.ask))


def symbol_feeds(plan: SymbolPlan, contract: KnownContract) -> SymbolFeeds:
    """The parts that a plan asks for."""
    symbol, name, conid = plan.symbol, contract.instrument_id, contract.conid
    source = PrintSource.TICK_BY_TICK if plan.prints else PrintSource.RT_VOLUME
    return SymbolFeeds(
        symbol=symbol,
        contract=contract,
        tape=Tape(symbol, name, source=source, conid=conid),
        minutes=MinuteBars(symbol, name, conid=conid),
        book=PositionBook(symbol, name, conid) if plan.depth else None,
        chain=ChainBoard(symbol=symbol, source=SOURCE) if plan.chain.value != "none" else None,
    )


def feed_of(line: Line) -> str:
    """The feed that a line belongs to."""
    return CHAIN if line.kind in (LineKind.OPTION, LineKind.SNAPSHOT) else line.kind.value


def is_due(told_at: datetime | None, now: datetime, every: timedelta) -> bool:
    """Whether so much time has passed."""
    return told_at is None or now - told_at >= every
